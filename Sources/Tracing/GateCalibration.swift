import Basics
import Decoding
import Experiments
import Foundation
import Kernels
import Models
import Records

/// Finds the threshold of a relative gate: the student tries some problems once, and what share of its
/// own tokens would pass is known.
///
/// The samples' ratios are kept beside the tries, so that an interrupted run goes on with them. They
/// depend on nothing but the student, the problems and the settings that tries depend on.
struct GateCalibration {
    /// The stream of random numbers of the samples.
    static let stream = "gate"
    /// The file of a stage that holds the ratios.
    static let file = "gate.jsonl"

    private let run: TraceGeneration
    private let settings: RelativeGateSettings

    /// Prepares to calibrate the gate of a stage of tries.
    init(_ run: TraceGeneration, _ settings: RelativeGateSettings) {
        self.run = run
        self.settings = settings
    }

    /// The threshold, after the samples that are missing have been made.
    ///
    /// - Throws: `Failure.interrupted` when asked to stop, `Failure.badData` for a malformed file, and
    ///   what decoding and writing throw.
    func threshold(of student: LanguageModel) throws -> Double {
        let path = run.stage.file(Self.file)
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        let wanted = Array(run.problems.problems.prefix(settings.samples))
        var known = try samples(path)
        let missing = wanted.filter { known[Array($0.id.utf8)] == nil }
        if !missing.isEmpty {
            // Opening cuts off a torn last line.
            let output = try JSONLines.Appender(path)
            try sample(missing, student) { record in
                try output.append(record.json)
                known[Array(record.id.utf8)] = record
            }
        }
        let own = wanted.compactMap { known[Array($0.id.utf8)] }
        return RelativeGate.threshold(passing: settings.quantile, of: own.flatMap(\.ratios))
    }

    /// Shards need the same samples: one makes them, the others wait.
    private func lock() throws -> RunLock {
        while true {
            do {
                return try RunLock(run.stage.file("lock-gate"))
            } catch let failure as Failure where failure.kind == .busy {
                if run.isInterrupted() { throw Interrupts.stopped() }
                usleep(100_000)
            }
        }
    }

    private func samples(_ path: String) throws -> [[UInt8]: OwnSurprisals] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        let records = try JSONLines.read(path, tornTail: .drop) { try OwnSurprisals(json: $0) }
        return Dictionary(
            records.map { (Array($0.id.utf8), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Lets the student try some problems, and hands on what surprises it in what it wrote.
    private func sample(
        _ problems: [Problem],
        _ student: LanguageModel,
        _ deliver: (OwnSurprisals) throws -> Void
    ) throws {
        let engine = try DecodingEngine(
            model: student,
            rule: PlainSampling(
                run.settings.rule.fallback,
                vocabularySize: student.vocabularySize,
                seed: run.seed,
                stream: Self.stream
            ),
            stop: try run.stopRules(student),
            options: .init(batchSize: run.settings.batch)
        )
        var prompts: [[UInt8]: [Int32]] = [:]
        let requests = try problems.map { problem in
            let prompt = try run.prompt(problem, for: student)
            prompts[Array(problem.id.utf8)] = prompt
            return DecodingRequest(id: problem.id, prompt: prompt)
        }
        let progress = ProgressLine(
            "\(run.stage.label) seed \(run.seed) gate",
            total: problems.count,
            unit: "samples",
            display: run.display
        )
        let cancellation = CancellationFlag()
        let done = try engine.run(
            requests,
            cancellation: cancellation,
            progress: { done in
                progress.update(done: done.finishedSequences)
                if run.isInterrupted() { cancellation.cancel() }
            },
            deliver: { sequence in
                let prompt = prompts[Array(sequence.id.utf8)] ?? []
                // As stored: what is read again gives the same threshold.
                let ratios = ratios(of: sequence.tokens, after: prompt, student)
                try deliver(OwnSurprisals(id: sequence.id, ratios: ratios))
            }
        )
        progress.finish()
        if done.wasCancelled { throw Interrupts.stopped() }
    }

    /// The relative surprisal of each token under the student that wrote it.
    private func ratios(of tokens: [Int32], after prompt: [Int32], _ student: LanguageModel)
        -> [Float]
    {
        let all = prompt + tokens
        var ratios: [Float] = []
        SequenceScoring(student).forEachPass(over: all.dropLast(), from: prompt.count - 1) {
            logits,
            rows in
            let columns = logits.count / rows.count
            for (index, row) in rows.enumerated() {
                let first = index * columns
                let summary = LogitSummary(logits[first..<first + student.vocabularySize])
                let ratio = summary.relativeSurprisal(of: all[row + 1], entropy: summary.entropy)
                ratios.append(Float(max(0, ratio)))
            }
        }
        return ratios
    }
}
