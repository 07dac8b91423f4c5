import Basics
import Decoding
import Experiments
import Records

/// What tries amount to: counts for the manifest.
struct GenerationCounts {
    /// Finished tries.
    var tries = 0
    /// Tries whose answer is right.
    var correct = 0
    /// Tokens of all tries.
    var tokens = 0
    /// Proposals that became tokens.
    var accepted = 0
    /// Proposals that did not.
    var refused = 0
    /// Tokens a second of the run that finished the stage; nil where no time was taken.
    var tokensPerSecond: Double?
    /// Whether the run was asked to stop.
    var wasCancelled = false

    mutating func add(_ trace: Trace) {
        tries += 1
        if trace.verdict == .correct { correct += 1 }
        tokens += trace.ids.count
        accepted += trace.policy.proposer.map { who in trace.source.count { $0 == who } } ?? 0
        refused += trace.refusals.count
    }

    /// The share of proposals that became tokens; nil without proposals.
    var acceptance: Double? {
        accepted + refused > 0 ? Double(accepted) / Double(accepted + refused) : nil
    }

    var json: JSON {
        [
            "tries": .integer(tries), "correct": .integer(correct), "tokens": .integer(tokens),
            "acceptance": acceptance.map { .number($0) } ?? .null,
            "tokens_per_second": tokensPerSecond.map { .number($0) } ?? .null,
        ]
    }
}

/// The progress line of generation: tries and problems done, tries kept, acceptance, tokens/s.
struct GenerationMeter {
    private let progress: ProgressLine
    private let filter: TraceFilter
    private let problemCount: Int
    private let found: Int
    private var left: [[UInt8]: Int] = [:]
    private var passing = 0
    private var counts = GenerationCounts()
    private var newTokens = 0

    init(_ run: TraceGeneration, wanted: [Problem], found: TraceIndex) {
        filter = run.arm.selection.filter
        problemCount = wanted.count
        var known = 0
        for problem in wanted {
            let own = (0..<run.arm.generation.tries).map { TryKey(problem.id, $0) }
                .filter(found.contains)
            known += own.count
            passing += own.count(where: found.passes)
            let missing = run.arm.generation.tries - own.count
            if missing > 0 { left[Array(problem.id.utf8)] = missing }
        }
        self.found = known
        let shard = run.shard.map { " shard \($0.index)/\($0.count)" } ?? ""
        let variant = run.layout.experiment.variant.map { "\($0.name) " } ?? ""
        progress = ProgressLine(
            "\(variant)\(run.stage.label) seed \(run.stage.seed)\(shard)",
            total: wanted.count * run.arm.generation.tries,
            unit: "tries",
            done: known,
            display: run.display
        )
    }

    /// Counts a finished try.
    mutating func count(_ trace: Trace) {
        counts.add(trace)
        if filter.rejection(of: trace) == nil { passing += 1 }
        let id = Array(trace.id.utf8)
        left[id, default: 1] -= 1
        if left[id] == 0 { left[id] = nil }
    }

    /// Shows how far the run has come.
    mutating func show(_ done: DecodingProgress) {
        newTokens = done.newTokens
        progress.update(done: found + counts.tries, fields(done))
    }

    /// Writes the last line.
    ///
    /// - Returns: What this run made.
    mutating func finish(_ done: DecodingProgress) -> GenerationCounts {
        progress.update(done: found + counts.tries, fields(done))
        progress.finish(fields(done))
        counts.tokensPerSecond = Double(done.newTokens) / max(progress.elapsed, 1e-9)
        counts.wasCancelled = done.wasCancelled
        return counts
    }

    private func fields(_ done: DecodingProgress) -> [(name: String, value: String)] {
        var fields = [
            ("problems", "\(problemCount - left.count)/\(problemCount)"), ("passing", "\(passing)"),
        ]
        let proposals = done.acceptedTokens + done.refusedProposals
        if proposals > 0 {
            let share = Double(done.acceptedTokens) / Double(proposals)
            fields.append(("accepted", percentage(share)))
        }
        fields.append(("", "\(ProgressLine.grouped(done.newTokens)) tokens"))
        let speed = Double(done.newTokens) / max(progress.elapsed, 1e-9)
        fields.append(("", "\(ProgressLine.rate(speed)) tokens/s"))
        return fields
    }
}
