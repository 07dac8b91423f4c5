import Basics
import Decoding
import Experiments
import Foundation
import Grading
import Kernels
import Models
import Records

/// Has a model name the best of its own answers to each question of a benchmark.
struct AnswerRanking {
    /// One arm under one seed.
    let job: EvaluationJob
    /// The benchmark, with more than one sample a question.
    let samples: BenchmarkSamples
    /// How it is asked.
    let settings: RankSettings

    /// What a stage has of the choices; nil where none are asked for.
    init?(_ job: EvaluationJob, _ samples: BenchmarkSamples) {
        guard let settings = job.experiment.evaluation.rank, samples.perQuestion > 1 else {
            return nil
        }
        self.job = job
        self.samples = samples
        self.settings = settings
    }

    /// The choices that are there, by question.
    ///
    /// - Throws: `Failure.badData` for a malformed record, a choice of something else than a sample, or a
    ///   question seen before, with the command that mends it.
    func stored() throws -> [String: RankedChoice] {
        let path = samples.rankedPath
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        var found: [String: RankedChoice] = [:]
        let known = Set(samples.problems.map(\.id))
        let damaged = try JSONLines.salvage(
            path,
            { json in
                let choice = try RankedChoice(json: json)
                guard known.contains(choice.id), found[choice.id] == nil,
                    choice.shown.allSatisfy({ $0 < samples.perQuestion })
                else {
                    throw Failure(
                        .badData,
                        at: "'\(choice.id)'",
                        "is no question of \(samples.name), has a choice already, or was shown "
                            + "samples that there are not"
                    )
                }
                return choice
            },
            { found[$0.record.id] = $0.record }
        )
        let remedy = "Then have them ranked again: \(job.command)"
        if let failure = JSONLines.failure(damaged, path, remedy) { throw failure }
        return found
    }

    /// The questions under a limit without a choice, each with its samples.
    func missing(_ limit: Int?) throws -> [(problem: Problem, samples: [Sample])] {
        let known = try stored()
        var missing: [(Problem, [Sample])] = []
        try samples.forEachGroup(limit) { questions in
            missing += questions.filter { known[$0.0.id] == nil }
        }
        return missing
    }

    /// The samples to show: the first of each different answer, in an order drawn by seed and question.
    func candidates(_ problem: Problem, _ samples: [Sample]) -> [Sample] {
        var different: [Sample] = []
        for sample in samples {
            guard let answer = job.grading.regraded(sample, gold: problem.answer).extracted else {
                continue
            }
            let isKnown = different.contains { other in
                other.extracted.map { Grader.equal(gold: $0, prediction: answer) } ?? false
            }
            guard !isKnown else { continue }
            var copy = sample
            copy.extracted = answer
            different.append(copy)
        }
        return RandomStream(seed: job.seed, name: "evaluation/\(self.samples.name)/order")
            .permutation(count: different.count, item: RandomStream.itemKey(problem.id))
            .map { different[$0] }
    }

    /// The number that a comparison names, from 1 to `count`; nil for none.
    func choice(in text: String, of count: Int) -> Int? {
        let stated = job.grading.grade(text, gold: "1").answer?.text
        return stated.flatMap { Int($0) }.flatMap { (1...count).contains($0) ? $0 : nil }
    }

    /// Makes the choices that are missing, and brings the file into its one order.
    ///
    /// - Parameters:
    ///   - limit: Questions, the first ones; nil for all.
    ///   - model: Is asked for where there is something to compare.
    ///   - engine: Decodes with it.
    ///   - display: Where progress is shown.
    ///   - isStopRequested: Asked after every step.
    /// - Returns: How many comparisons were sampled.
    /// - Throws: `Failure.interrupted` after a request to stop, with all finished ones kept.
    func run(
        _ limit: Int?,
        model: () throws -> LanguageModel,
        engine: (LanguageModel, _ stream: String) throws -> DecodingEngine,
        display: ProgressDisplay,
        isStopRequested: @escaping () -> Bool
    ) throws -> Int {
        let missing = try missing(limit)
        guard !missing.isEmpty else { return 0 }
        try TextFile.createFolder(
            URL(filePath: samples.rankedPath).deletingLastPathComponent()
                .path(percentEncoded: false)
        )
        let file = try JSONLines.Appender(samples.rankedPath)
        var open: [String: [Sample]] = [:]
        for (problem, own) in missing {
            let shown = candidates(problem, own)
            guard shown.count < 2 else {
                open[problem.id] = shown
                continue
            }
            let number = shown.first?.index
            try file.append(
                RankedChoice(
                    id: problem.id,
                    shown: shown.map(\.index),
                    chosen: number,
                    text: "",
                    tokenCount: 0
                ).json
            )
        }
        if !open.isEmpty {
            let progress = ProgressLine(
                "\(job.label) \(samples.name) ranked",
                total: open.count,
                unit: "questions",
                display: display
            )
            let problems = missing.map(\.problem).filter { open[$0.id] != nil }
            let wasCancelled = try compare(problems, open, into: file, model(), engine) { done in
                progress.update(done: done.finishedSequences)
                return isStopRequested()
            }
            if wasCancelled { throw Interrupts.stopped() }
            progress.finish()
        }
        try file.checkIsInPlace()
        let all = try stored()
        try JSONLines.write(
            samples.problems.compactMap { all[$0.id]?.json },
            to: samples.rankedPath
        )
        return open.count
    }

    /// Samples one comparison a question that has several answers.
    ///
    /// - Returns: Whether it was stopped.
    private func compare(
        _ problems: [Problem],
        _ open: [String: [Sample]],
        into file: JSONLines.Appender,
        _ model: LanguageModel,
        _ engine: (LanguageModel, _ stream: String) throws -> DecodingEngine,
        stops: @escaping (DecodingProgress) -> Bool
    ) throws -> Bool {
        let requests = try problems.map { problem in
            do {
                // Special tokens that it has sampled are no words to be shown.
                let texts = try (open[problem.id] ?? []).map { sample in
                    model.tokenizer.text(
                        of: try model.tokenizer.encode(sample.text, specialTokens: .parse),
                        skipSpecial: true
                    )
                }
                return DecodingRequest(
                    id: problem.id,
                    prompt: try job.experiment.template.encode(
                        problem: settings.text(of: problem.problem, answers: texts),
                        after: problem.context,
                        with: model.tokenizer
                    )
                )
            } catch let failure as Failure {
                throw failure.at("the ranking of question '\(problem.id)'")
            }
        }
        try model.checkContext(
            (requests.map(\.prompt.count).max() ?? 0) + job.experiment.evaluation.maxNewTokens,
            "lower evaluation.maxNewTokens or samples, or leave out evaluation.rank"
        )
        let cancellation = CancellationFlag()
        let outcome = try engine(model, "evaluation/\(samples.name)/rank").run(
            requests,
            cancellation: cancellation,
            progress: { done in if stops(done) { cancellation.cancel() } }
        ) { sequence in
            let shown = open[sequence.id] ?? []
            let text = model.tokenizer.text(of: sequence.spokenTokens, skipSpecial: false)
            try file.append(
                RankedChoice(
                    id: sequence.id,
                    shown: shown.map(\.index),
                    chosen: choice(in: text, of: shown.count).map { shown[$0 - 1].index },
                    text: text,
                    tokenCount: sequence.decisions.count
                ).json
            )
        }
        return outcome.wasCancelled
    }
}
