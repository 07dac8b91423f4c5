import Basics
import Experiments
import Foundation
import Grading
import Kernels
import Records

extension ScoreTable {
    /// Grades the stored samples of every variant, arm and seed.
    ///
    /// Verdicts are made again from the texts, so the table follows the grader in force. All arms
    /// must have been asked the same questions: those of the largest limit that a run finished
    /// under.
    ///
    /// - Parameters:
    ///   - experiment: The experiment.
    ///   - earlier: Counts made earlier, which take the place of samples that are not there.
    ///   - isPartial: Whether to leave out arms and seeds of which there is neither.
    ///   - answers: Gets every answer with its verdict.
    ///   - environment: Says where the runs are.
    /// - Returns: The counts of the jobs in their order: variant, seed, arm, benchmark.
    /// - Throws: `Failure.missingInput` naming the first sample that is missing and the command
    ///   that makes it; `Failure.badData` for a sample that is malformed or there twice.
    public static func collect(
        _ experiment: Experiment,
        known earlier: ScoreTable = ScoreTable(),
        isPartial: Bool = false,
        answers: GradedAnswers? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ScoreTable {
        var jobs = try experiment.variants.flatMap {
            try isPartial
                ? earlier.reachable($0, environment)
                : EvaluationJob.jobs(of: $0, environment: environment)
        }
        if isPartial { jobs.removeAll { !$0.record.isFinished && earlier.counts(of: $0) == nil } }
        guard !jobs.isEmpty else { throw Self.nothingScored(experiment) }
        let limit = commonLimit(jobs.map(\.record))
        var table = ScoreTable()
        var known: [String: (questions: Questions, cell: Cell)] = [:]
        for job in jobs {
            if !job.record.isFinished, let counts = earlier.counts(of: job) {
                for asked in earlier.questions
                where counts.contains(where: { $0.benchmark == asked.benchmark }) {
                    try table.note(asked)
                }
                for cell in counts { table.add(cell) }
                continue
            }
            for benchmark in job.experiment.benchmarks {
                let key = "\(job.stage.folder)/\(benchmark.name)"
                let counted =
                    try known[key]
                    ?? count(
                        benchmark,
                        of: job,
                        limit: limit,
                        answers: job.step == nil ? answers : nil
                    )
                known[key] = counted
                try table.note(counted.questions)
                var cell = counted.cell
                cell.variant = job.experiment.variant?.name
                cell.arm = job.arm.name
                table.add(cell)
            }
        }
        return table
    }

    /// The jobs of those arms and seeds whose earlier stages are there.
    ///
    /// - Throws: `Failure` for the first one when there is none, and for one that this table knows,
    ///   whose counts would be dropped unseen.
    private func reachable(_ variant: Experiment, _ environment: [String: String]) throws
        -> [EvaluationJob]
    {
        var obstacle: (any Error)?
        var jobs: [EvaluationJob] = []
        for seed in variant.seeds {
            for arm in variant.arms {
                do {
                    jobs += try EvaluationJob.jobs(
                        of: variant,
                        arm: arm.name,
                        seed: seed,
                        environment: environment
                    )
                } catch {
                    let isKnown = !cells(variant.variant?.name, arm.name, seed).isEmpty
                    if isKnown { throw error }
                    obstacle = obstacle ?? error
                }
            }
        }
        if jobs.isEmpty, let obstacle { throw obstacle }
        return jobs
    }

    /// What this table has of a job: counts of samples made under the job's very settings, on all
    /// its benchmarks.
    private func counts(of job: EvaluationJob) -> [Cell]? {
        let found = cells(job.experiment.variant?.name, job.arm.name, job.seed, step: job.step)
            .filter { $0.stage == job.stage.hash }
        return found.map(\.benchmark) == job.experiment.benchmarks.map(\.name) ? found : nil
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

    /// Grades the samples of a job on one benchmark and counts them.
    ///
    /// - Throws: As `collect`.
    static func count(
        _ benchmark: Benchmark,
        of job: EvaluationJob,
        limit: Int?,
        answers: GradedAnswers?
    ) throws -> (questions: Questions, cell: Cell) {
        let stored = try BenchmarkSamples(benchmark, of: job)
        do { try stored.checkComplete(limit, of: job) } catch var failure as Failure {
            if let limit { failure.remedy = failure.remedy.map { "\($0) --limit \(limit)" } }
            throw failure
        }
        try job.stage.checkOutput("\(benchmark.name).jsonl")
        let choices = try AnswerRanking(job, stored)?.stored()
        if choices != nil { try job.stage.checkOutput(BenchmarkSamples.ranked(benchmark.name)) }
        var asked: [Problem] = []
        var (guessed, majority): (Int, [Int]) = (0, [])
        var ranked = choices.map { _ in [Int]() }
        var cell = Cell(
            variant: nil,
            arm: job.arm.name,
            seed: job.seed,
            step: job.step,
            benchmark: benchmark.name,
            samples: stored.perQuestion,
            correct: [],
            unparsed: 0,
            truncated: 0,
            guessed: 0,
            majority: [],
            ranked: nil,
            grader: AnswerGrading.version,
            stage: job.stage.hash
        )
        try stored.forEachGroup(limit) { questions in
            let graded = ThreadPool.map(questions, grain: 1) { problem, samples in
                samples.map { job.grading.regraded($0, gold: problem.answer) }
            }
            answers?.add(zip(questions.map(\.0), graded), of: job, on: benchmark.name)
            let all = graded.joined()
            asked += questions.map(\.0)
            cell.correct += graded.map { $0.count { $0.verdict == .correct } }
            cell.unparsed += all.count { $0.verdict == .unparsed }
            cell.truncated += all.count(where: \.isTruncated)
            guessed += all.count { $0.rule.flatMap(ExtractionRule.init)?.isGuess == true }
            for (question, samples) in zip(questions, graded) {
                guard let choices else { break }
                guard let choice = choices[question.0.id] else {
                    throw Failure(
                        .missingInput,
                        file: stored.rankedPath,
                        at: "question '\(question.0.id)'",
                        "what \(job.label) names the best on \(benchmark.name) is missing",
                        remedy: "Have it ranked: \(job.command)"
                    )
                }
                let chosen = samples.first { $0.index == choice.chosen }
                ranked?.append(chosen?.verdict == .correct ? 1 : 0)
            }
            majority += zip(questions, graded).map { question, samples in
                AnswerGrading.majority(samples, gold: question.0.answer) ? 1 : 0
            }
        }
        (cell.guessed, cell.majority, cell.ranked) = (guessed, majority, ranked)
        return (
            Questions(
                benchmark: benchmark.name,
                ids: asked.map(\.id),
                digest: ProblemSet(asked).digest,
                total: asked.count < stored.problems.count ? stored.problems.count : nil
            ),
            cell
        )
    }
}
