import Basics
import Decoding
import Experiments
import Foundation
import Models
import Records

/// Samples and grades what a job lacks.
///
/// Samples are appended as they finish, and put into canonical order at the end, so the files are
/// equal to the last byte whatever the batch size and however often the run was stopped.
public struct SamplingRun {
    private let job: EvaluationJob
    private let limit: Int?
    private let shard: Shard?
    private let merging: ShardMerging
    private let patience: Double
    private let surroundings: Manifest.Surroundings
    private let display: ProgressDisplay
    private let isStopRequested: () -> Bool

    /// Prepares a run over the first `limit` questions of each benchmark, or all; of these over those
    /// of a shard.
    ///
    /// A merge waits `patience` seconds for files of other machines to show.
    public init(
        _ job: EvaluationJob,
        limit: Int?,
        shard: Shard? = nil,
        merging: ShardMerging = .whenComplete,
        patience: Double = 60,
        surroundings: Manifest.Surroundings = .ofThisProcess,
        display: ProgressDisplay = .standardError(),
        isStopRequested: @escaping () -> Bool = { Interrupts.isRequested }
    ) {
        self.job = job
        self.limit = limit
        self.shard = shard
        self.merging = merging
        self.patience = patience
        self.surroundings = surroundings
        self.display = display
        self.isStopRequested = isStopRequested
    }

    /// Makes what is missing; nothing where all is there.
    ///
    /// - Returns: How many samples were made.
    /// - Throws: `Failure.interrupted` after a request to stop, with all finished samples kept;
    ///   `Failure` when the model or a file cannot be read or written.
    @discardableResult
    public func run() throws -> Int {
        if isStopRequested() { throw Interrupts.stopped() }
        // What is finished can be looked at where nothing can be written.
        if try job.record.covers(limit) && isComplete() {
            for benchmark in job.experiment.benchmarks {
                try job.stage.checkOutput("\(benchmark.name).jsonl")
                try job.stage.checkOutput(BenchmarkSamples.ranked(benchmark.name))
            }
            return 0
        }
        var loaded: LanguageModel?
        func model() throws -> LanguageModel {
            let model = try loaded ?? loadModel()
            loaded = model
            return model
        }
        guard shard != nil else { return try runWhole(model) }
        let made = try runShard(model)
        guard merging == .whenComplete,
            try job.experiment.benchmarks.allSatisfy({
                try BenchmarkSamples($0, of: job).missing(limit).isEmpty
            })
        else { return made }
        do { return try made + runWhole(model) } catch let failure as Failure
            where failure.kind == .busy
        {
            // Another process, which has seen the same files, is merging them.
            return made
        }
    }

    /// Makes what a shard lacks, into files of its own.
    private func runShard(_ model: () throws -> LanguageModel) throws -> Int {
        try job.stage.run(
            of: job.experiment,
            part: Stage.part(shard),
            surroundings: surroundings
        ) { run in
            var benchmarks = try read()
            guard benchmarks.contains(where: { !$0.missing(limit, shard: shard).isEmpty }) else {
                return 0
            }
            try run.begin(inputs: inputs())
            let made = try sample(&benchmarks, model)
            try run.close(.finished)
            return made
        }
    }

    /// Makes what is missing, and brings all samples into their order.
    private func runWhole(_ model: () throws -> LanguageModel) throws -> Int {
        if merging == .only { try checkMergeable() }
        let made = try job.stage.run(of: job.experiment, surroundings: surroundings) { run in
            var benchmarks = try read()
            run.resultsSoFar = { benchmarks.results(limit: limit) }
            try run.begin(inputs: inputs(), parts: job.stage.shardManifests)
            var made = shard == nil ? try sample(&benchmarks, model) : 0
            for index in benchmarks.indices { try benchmarks[index].writeCanonical(job) }
            for ranking in benchmarks.compactMap({ AnswerRanking(job, $0) }) {
                made += try ranking.run(
                    limit,
                    model: model,
                    engine: engine,
                    display: display,
                    isStopRequested: isStopRequested
                )
            }
            try run.close(
                .finished,
                results: benchmarks.results(limit: limit),
                outputs: benchmarks.outputs
            )
            return made
        }
        job.stage.removeMergedSamples()
        return made
    }

    private func read() throws -> [BenchmarkSamples] {
        try job.experiment.benchmarks.map { try BenchmarkSamples($0, of: job, shard: shard) }
    }

    /// Samples what this run is about and is not there.
    private func sample(
        _ benchmarks: inout [BenchmarkSamples],
        _ model: () throws -> LanguageModel
    ) throws -> Int {
        var made = 0
        for index in benchmarks.indices
        where !benchmarks[index].missing(limit, shard: shard).isEmpty {
            made += try sample(&benchmarks[index], model())
        }
        return made
    }

    /// Refuses to merge before all shards have made what they were asked for.
    private func checkMergeable() throws {
        let count = try ShardMerging.wait(patience) {
            try job.experiment.benchmarks.reduce(0) {
                let missing = try BenchmarkSamples($1, of: job).missing(limit)
                return missing.reduce($0) { $0 + $1.indices.count }
            }
        }
        guard count > 0 else { return }
        throw Failure(
            .missingInput,
            file: job.stage.folder,
            "cannot be merged: \(count) samples of \(job.label) are missing",
            remedy: "Run the shards that have not finished again; rsd-generate status "
                + "\(job.experiment.file) tells which."
        )
    }

    /// Whether every sample is there.
    private func isComplete() throws -> Bool {
        try job.experiment.benchmarks.allSatisfy {
            let samples = try BenchmarkSamples($0, of: job)
            return try samples.missing(limit).isEmpty
                && AnswerRanking(job, samples)?.missing(limit).isEmpty ?? true
        }
    }

    /// What the manifest says of the inputs: the model by its path, the benchmarks by name.
    private func inputs() throws -> [(name: String, digest: String)] {
        let depends = job.stage.inputs["inputs"]
        let model = try job.layout.trainedModelPath(
            job.arm,
            seed: job.seed,
            step: job.step
        )
        let benchmarks = depends?["benchmarks"]?.array ?? []
        return [(model, depends?["model"]?.string ?? "")]
            + benchmarks.map { ($0["name"]?.string ?? "", $0["problems"]?.string ?? "") }
    }

    private func loadModel() throws -> LanguageModel {
        try job.layout.loadTrainedModel(
            job.arm,
            seed: job.seed,
            step: job.step,
            storage: job.experiment.evaluation.storage
        )
    }

    /// Decodes as the experiment says, with random numbers of a stream of its own.
    private func engine(_ model: LanguageModel, stream: String) throws -> DecodingEngine {
        let settings = job.experiment.evaluation
        return try DecodingEngine(
            model: model,
            rule: PlainSampling(
                settings.sampling,
                vocabularySize: model.vocabularySize,
                seed: job.seed,
                stream: stream
            ),
            stop: try stopRules(model),
            options: .init(batchSize: settings.batch)
        )
    }

    private func stopRules(_ model: LanguageModel) throws -> StopRules {
        StopRules(
            endOfTurn: [try job.experiment.template.endOfTurnID(in: model.tokenizer)],
            endOfText: model.tokenizer.endOfTurnIDs,
            maxNewTokens: job.experiment.evaluation.maxNewTokens,
            maxTotalTokens: .max
        )
    }

    private func sample(_ benchmark: inout BenchmarkSamples, _ model: LanguageModel) throws -> Int {
        let template = job.experiment.template
        let engine = try engine(model, stream: "evaluation/\(benchmark.name)")
        let missing = benchmark.missing(limit, shard: shard)
        let requests = try missing.map { problem, indices in
            DecodingRequest(
                id: problem.id,
                prompt: try template.encode(
                    problem: problem.problem,
                    after: problem.context,
                    with: model.tokenizer
                ),
                attempts: indices
            )
        }
        model.warnOfSpelledMarks(template)
        try model.checkContext(
            try stopRules(model).longestSequence(
                afterPrompt: requests.map(\.prompt.count).max() ?? 0
            ),
            "lower evaluation.maxNewTokens"
        )
        let gold = Dictionary(
            missing.map { ($0.problem.id, $0.problem.answer) },
            uniquingKeysWith: { first, _ in first }
        )
        let wanted = missing.reduce(0) { $0 + $1.indices.count }
        let share = benchmark.asked(limit).indices.filter { shard?.contains($0) ?? true }
        let total = share.count * benchmark.perQuestion
        let progress = ProgressLine(
            "\(job.label)\(shard.map { " shard \($0.index)/\($0.count)" } ?? "") \(benchmark.name)",
            total: total,
            unit: "samples",
            done: total - wanted,
            display: display
        )
        let grading = job.grading
        let file = try JSONLines.Appender(benchmark.output)
        let cancellation = CancellationFlag()
        var made = 0
        // The share of right answers is that of all samples asked for, also of an earlier run's.
        let asked = Set(share)
        let earlier = benchmark.entries.filter { asked.contains($0.place) }
        var correct = earlier.count { $0.verdict == .correct }
        let outcome = try engine.run(
            requests,
            cancellation: cancellation,
            progress: { done in
                if isStopRequested() { cancellation.cancel() }
                progress.update(
                    done: total - wanted + done.finishedSequences,
                    fields(done, earlier.count, correct: correct, seconds: progress.elapsed)
                )
            }
        ) { sequence in
            let sample = finished(
                sequence,
                benchmark.name,
                grading,
                gold[sequence.id] ?? "",
                model
            )
            try file.append(sample.json)
            made += 1
            if sample.verdict == .correct { correct += 1 }
        }
        try file.checkIsInPlace()
        try benchmark.readAgain(job)
        progress.finish(
            fields(outcome, earlier.count, correct: correct, seconds: progress.elapsed)
        )
        if outcome.wasCancelled { throw Interrupts.stopped() }
        return made
    }

    private func fields(
        _ done: DecodingProgress,
        _ earlier: Int,
        correct: Int,
        seconds: Double
    ) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        let finished = earlier + done.finishedSequences
        if finished > 0 {
            let share = Double(correct) / Double(finished)
            fields.append(("right", NumberText.percent(share) + " %"))
        }
        // Before the first sample is finished, all that tells of work.
        fields.append(("", "\(ProgressLine.grouped(done.newTokens)) tokens"))
        if seconds > 0 {
            let rate = ProgressLine.rate(Double(done.newTokens) / seconds)
            fields.append(("", "\(rate) tokens/s"))
        }
        return fields
    }

    private func finished(
        _ sequence: CompletedSequence,
        _ benchmark: String,
        _ grading: AnswerGrading,
        _ gold: String,
        _ model: LanguageModel
    ) -> Sample {
        let text = model.tokenizer.text(of: sequence.spokenTokens, skipSpecial: false)
        let (answer, verdict) = grading.grade(text, gold: gold)
        return Sample(
            id: sequence.id,
            benchmark: benchmark,
            index: sequence.attempt,
            text: text,
            tokenCount: sequence.decisions.count,
            extracted: answer?.text,
            rule: answer?.rule.rawValue,
            verdict: verdict,
            isTruncated: sequence.stop == .length
        )
    }
}
