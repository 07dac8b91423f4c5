import Basics
import Decoding
import Experiments
import Foundation
import Grading
import Kernels
import Models
import Records

/// Makes the tries of one arm and one seed, going on from those that are there.
public struct TraceGeneration {
    /// The experiment's stages.
    let layout: RunLayout
    /// The arm that asked first; arms of one policy and equal settings share the tries.
    let arm: Arm
    /// Who chooses the tokens.
    let policy: TracePolicy
    /// Where the tries go.
    let stage: Stage
    /// All problems of the experiment.
    let problems: ProblemSet
    /// Only the first so many problems; nil for all.
    var limit: Int?
    /// Only the problems of this shard; nil for all.
    var shard: Shard?
    /// What becomes of the files of shards.
    var merging = ShardMerging.whenComplete
    /// Seconds that a merge waits for files of other machines to show.
    var patience = 60.0
    /// Where progress is shown.
    var display: ProgressDisplay = .standardError()
    /// Asked after every step; a yes ends the run.
    var isInterrupted: () -> Bool = { Interrupts.isRequested }

    /// Prepares to make the tries of a stage.
    ///
    /// - Precondition: The arm's kind chooses tokens.
    /// - Throws: `Failure` when the problems are missing or malformed.
    init(_ layout: RunLayout, arm: Arm, stage: Stage) throws {
        guard let policy = arm.kind.policy else {
            preconditionFailure("TraceGeneration: arm '\(arm.name)' chooses no tokens")
        }
        self.layout = layout
        self.arm = arm
        self.policy = policy
        self.stage = stage
        problems = try layout.problems(seed: stage.seed)
    }

    private var attempts: Int { arm.generation.tries }
    var settings: GenerationSettings { arm.generation }
    var seed: UInt64 { stage.seed }

    /// When a try is finished.
    func stopRules(_ student: LanguageModel) throws -> StopRules {
        StopRules(
            endOfTurn: [try layout.experiment.template.endOfTurnID(in: student.tokenizer)],
            // Other ends, such as that of a text, are no end of turn to learn from.
            endOfText: student.tokenizer.endOfTurnIDs,
            maxNewTokens: settings.maxNewTokens,
            maxTotalTokens: settings.maxTotalTokens
        )
    }

    /// The problems that this run is about.
    private var wanted: [Problem] {
        problems.problems.enumerated().compactMap { index, problem in
            index < limit ?? .max && shard?.contains(index) ?? true ? problem : nil
        }
    }

    /// Makes what is missing.
    ///
    /// - Throws: `Failure.interrupted` when asked to stop; what loading, decoding and writing throw.
    func run(_ models: ModelStore) throws {
        let store = TraceStore(stage: stage)
        if merging == .only { try checkMergeable(store) }
        if stage.state == .finished, store.files == [stage.traces()],
            try shard != nil || missing(in: store.index()).isEmpty,
            (try? stage.checkOutput("traces.jsonl")) != nil
        {
            // Nothing to make and nothing to merge; the folder need not be writable.
            return
        }
        let made = try stage.run(of: layout.experiment, part: Stage.part(shard)) { run in
            let made = try make(store, models, run)
            // A shard leaves the main file alone until all shards are there.
            if shard == nil { try order(store, made.tries, run, made.tokensPerSecond) }
            return made
        }
        if merging == .never { return }
        var tries = made.tries
        if shard != nil {
            // Its own file is free by now: of two processes that end together and pass over what the
            // other one still holds, the later finds all free.
            if !isComplete(tries), stage.state == .finished { tries = try index(store) }
            guard isComplete(tries) else { return }
            do {
                try stage.run(of: layout.experiment) { run in
                    try order(store, tries, run, made.tokensPerSecond)
                }
            } catch let failure as Failure where failure.kind == .busy {
                // Another process, which has seen the same files, is merging them.
                return
            }
        }
        if isComplete(tries) { store.removeMerged() }
    }

    /// Makes what is missing, into this run's own file.
    ///
    /// - Returns: All tries that are there now, and the speed of this run; nil where it made nothing.
    private func make(_ store: TraceStore, _ models: ModelStore, _ run: StageRun) throws -> (
        tries: TraceIndex, tokensPerSecond: Double?
    ) {
        let path = stage.traces(shard: shard.map { ($0.index, $0.count) })
        // Opening cuts off a torn last line, so it comes before reading.
        let output = try JSONLines.Appender(path)
        let found = try index(store)
        let missing = missing(in: found)
        guard !missing.isEmpty else { return (found, nil) }
        try run.begin()
        let counts = try generate(missing, found: found, models, into: output)
        run.resultsSoFar = { counts.json }
        if counts.wasCancelled { throw Interrupts.stopped() }
        let all = try index(store)
        try checkMade(all, path)
        // Until every try of the stage is there, the same command goes on.
        let isWhole = shard != nil && limit == nil
        try run.close(isWhole ? .finished : .interrupted, results: counts.json)
        return (all, counts.tokensPerSecond)
    }

    private func index(_ store: TraceStore) throws -> TraceIndex {
        let filter = arm.selection.filter
        return try store.index { filter.rejection(of: $0) == nil }
    }

    /// The problems that this run is about and that lack tries, with the numbers of those.
    private func missing(in found: TraceIndex) -> [(problem: Problem, attempts: [Int])] {
        wanted.map { problem in
            (problem, (0..<attempts).filter { !found.contains(TryKey(problem.id, $0)) })
        }.filter { !$0.1.isEmpty }
    }

    /// Refuses to call done what was made and is not in the files any more.
    private func checkMade(_ found: TraceIndex, _ path: String) throws {
        let lost = missing(in: found).reduce(0) { $0 + $1.attempts.count }
        guard lost > 0 else { return }
        throw Failure(
            .disk,
            file: path,
            "\(lost) tries that were written are not in the file",
            remedy: "Another program changed the file. Run the same command again: it makes what "
                + "is missing."
        )
    }

    /// Refuses to merge before all shards have made what they were asked for.
    private func checkMergeable(_ store: TraceStore) throws {
        let count = try ShardMerging.wait(patience) {
            try missing(in: store.index()).reduce(0) { $0 + $1.attempts.count }
        }
        guard count > 0 else { return }
        throw Failure(
            .missingInput,
            file: stage.folder,
            "cannot be merged: \(count) tries of \(problems.problems.count * attempts) are missing",
            remedy: "Run the shards that have not finished again; rsd-generate status "
                + "\(layout.experiment.file) tells which."
        )
    }

    /// Brings the main file into its order, and closes the stage when nothing is missing; `run` holds
    /// the stage's main lock.
    private func order(
        _ store: TraceStore,
        _ tries: TraceIndex,
        _ run: StageRun,
        _ tokensPerSecond: Double?
    ) throws {
        let isComplete = isComplete(tries)
        if isComplete, stage.state == .finished, store.files == [stage.traces()],
            (try? stage.checkOutput("traces.jsonl")) != nil
        {
            return
        }
        // Whatever order the lines of a finished file are in now, they must be those it had.
        let digest = isComplete ? stage.recordedDigest(of: "traces.jsonl") : nil
        let isNew = isComplete && digest == nil
        if isNew, !run.hasBegun { try run.begin(parts: stage.shardManifests) }
        var counts = try store.write(tries, problems: problems, attempts: attempts, digest: digest)
        guard isNew else { return }
        counts.tokensPerSecond = tokensPerSecond
        try run.close(.finished, results: counts.json, outputs: ["traces.jsonl"])
    }

    private func isComplete(_ tries: TraceIndex) -> Bool {
        problems.problems.allSatisfy { problem in
            (0..<attempts).allSatisfy { tries.contains(TryKey(problem.id, $0)) }
        }
    }
}

extension TraceGeneration {
    /// Decodes missing tries and appends each as it finishes.
    private func generate(
        _ missing: [(problem: Problem, attempts: [Int])],
        found: TraceIndex,
        _ models: ModelStore,
        into output: JSONLines.Appender
    ) throws -> GenerationCounts {
        let student = try models.student(of: arm, layout, seed: seed)
        var record = TraceRecord(
            seed: seed,
            policy: policy,
            streams: [DecodingStream.student],
            acceptanceThreshold: settings.rule.acceptanceThreshold,
            acceptanceThresholds: [],
            tokenizer: student.tokenizer,
            style: layout.experiment.traceStyle
        )
        var configuration = settings.rule
        if let gate = settings.relativeGate {
            configuration.relativeThreshold = try GateCalibration(self, gate).threshold(of: student)
        }
        var rule: any NextTokenRule = PlainSampling(
            configuration.fallback,
            vocabularySize: student.vocabularySize,
            seed: seed
        )
        var parts = [student]
        // The student alone needs no teacher; the teacher alone is still judged by the student, so
        // that every trace has P_S.
        if policy.proposer != nil {
            let teacher =
                policy.asksTeacher ? try models.teacher(of: arm, layout, seed: seed) : student
            let vocabularies = try models.vocabularies(teacher: teacher, student: student)
            rule =
                policy == .skd
                ? SpeculativeDistillation(
                    .init(
                        topK: settings.skdTopK,
                        student: configuration.fallback,
                        teacher: configuration.teacher
                    ),
                    vocabularies: vocabularies,
                    seed: seed
                )
                : ReverseSpeculativeDecoding(
                    configuration,
                    vocabularies: vocabularies,
                    seed: seed
                )
            parts.append(teacher)
            record.streams = [DecodingStream.teacher, DecodingStream.student]
            record.acceptanceThresholds = configuration.acceptanceThresholds
        }
        let (chooser, proposer) = policy == .skd ? (parts[1], student) : (student, parts.last)
        let stop = try stopRules(student)
        let engine = try DecodingEngine(
            model: chooser,
            proposer: parts.count > 1 ? proposer.map { LocalProposer($0) } : nil,
            rule: rule,
            stop: stop,
            options: .init(batchSize: settings.batch, draftTokens: settings.draftTokens)
        )
        var known: [[UInt8]: (problem: Problem, digest: String)] = [:]
        let requests = try missing.map { problem, attempts in
            var prompts = try parts.map { try prompt(problem, for: $0) }
            if let hint = settings.hint {
                prompts[1] = try prompt(problem, shown: Hint(hint).text(of: problem), for: student)
            }
            let digest = TraceRecord.promptDigest(prompts[0])
            known[Array(problem.id.utf8)] = (problem, digest)
            return DecodingRequest(
                id: problem.id,
                prompt: prompts[0],
                teacherPrompt: prompts.count > 1 ? prompts[1] : nil,
                attempts: attempts
            )
        }
        let longestPrompt =
            requests.map { max($0.prompt.count, $0.teacherPrompt?.count ?? 0) }.max() ?? 0
        // A model that teaches itself is told of once.
        for (index, model) in parts.enumerated() where index == 0 || model !== parts[0] {
            model.warnOfSpelledMarks(layout.experiment.template)
            try model.checkContext(
                stop.longestSequence(afterPrompt: longestPrompt),
                "lower generation.maxNewTokens or maxTotalTokens"
            )
        }

        var meter = GenerationMeter(self, wanted: wanted, found: found)
        let cancellation = CancellationFlag()
        let done = try engine.run(
            requests,
            cancellation: cancellation,
            progress: { done in
                meter.show(done)
                if isInterrupted() { cancellation.cancel() }
            },
            deliver: { sequence in
                guard let (problem, digest) = known[Array(sequence.id.utf8)] else { return }
                let trace = record.trace(of: sequence, problem: problem, promptDigest: digest)
                try output.append(trace.json)
                meter.count(trace)
            }
        )
        return meter.finish(done)
    }

    /// The prompt for a problem, or for what is shown in its place.
    func prompt(_ problem: Problem, shown: String? = nil, for model: LanguageModel) throws
        -> [Int32]
    {
        do {
            return try layout.experiment.template.encode(
                problem: shown ?? problem.problem,
                after: problem.context,
                with: model.tokenizer
            )
        } catch let failure as Failure { throw failure.at("problem \(problem.id)") }
    }
}
