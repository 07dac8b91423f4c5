import Datasets
import Experiments
import Files
import Foundation
import Grading
import Kernels

extension ScoreTable {
    /// Grades the stored samples of every variant, arm and seed.
    ///
    /// Verdicts are made again from the texts, so the table follows the grader in force. All arms
    /// must have been asked the same questions: those of the largest limit that a run finished
    /// under.
    ///
    /// - Throws: `Failure.missingInput` naming the first sample that is missing and the command
    ///   that makes it; `Failure.badData` for a sample that is malformed or there twice.
    static func collect(
        _ experiment: Experiment,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ScoreTable {
        let jobs = try experiment.variants.flatMap {
            try EvaluationJob.jobs(of: $0, environment: environment)
        }
        let limit = commonLimit(jobs.map(\.record))
        var table = ScoreTable()
        var known: [String: (questions: Questions, cell: Cell)] = [:]
        for job in jobs {
            for benchmark in job.experiment.benchmarks {
                let key = "\(job.stage.folder)/\(benchmark.name)"
                let counted = try known[key] ?? count(benchmark, of: job, limit: limit)
                known[key] = counted
                try table.note(counted.questions)
                var cell = counted.cell
                cell.variant = job.experiment.variant?.name
                cell.arm = job.arm.name
                table.cells.append(cell)
            }
        }
        return table
    }

    /// The most questions that a finished run asked for; nil for all.
    private static func commonLimit(_ records: [EvaluationJob.Record]) -> Int? {
        let limits = records.filter(\.isFinished).map(\.limit)
        return limits.contains(nil) ? nil : limits.compactMap(\.self).max()
    }

    private mutating func note(_ asked: Questions) throws {
        let known = questions.first { $0.benchmark == asked.benchmark }
        if known == nil {
            questions.append(asked)
        } else if known != asked {
            throw Failure(
                .badData,
                at: asked.benchmark,
                "arms were asked different questions; expected the same for all"
            )
        }
    }

    private static func count(
        _ benchmark: Benchmark,
        of job: EvaluationJob,
        limit: Int?
    ) throws -> (questions: Questions, cell: Cell) {
        let stored = try BenchmarkSamples(benchmark, of: job)
        let questions: [(Problem, [Sample])]
        do { questions = try stored.complete(limit, of: job) } catch var failure as Failure {
            if let limit { failure.remedy = failure.remedy.map { "\($0) --limit \(limit)" } }
            throw failure
        }
        let graded = ThreadPool.map(questions, grain: 1) { problem, samples in
            samples.map { job.grading.regraded($0, gold: problem.answer) }
        }
        let all = graded.joined()
        return (
            Questions(
                benchmark: benchmark.name,
                ids: questions.map(\.0.id),
                digest: ProblemSet(questions.map(\.0)).digest
            ),
            Cell(
                variant: nil,
                arm: job.arm.name,
                seed: job.seed,
                benchmark: benchmark.name,
                samples: stored.perQuestion,
                correct: graded.map { $0.count { $0.verdict == .correct } },
                unparsed: all.count { $0.verdict == .unparsed },
                truncated: all.count(where: \.isTruncated),
                guessed: all.count { $0.rule.flatMap(ExtractionRule.init)?.isGuess == true },
                majority: zip(questions, graded).map { question, samples in
                    AnswerGrading.majority(samples, gold: question.0.answer) ? 1 : 0
                }
            )
        )
    }
}
