import Basics
import Experiments
import Records
import Statistics

/// What is known of one arm's traces, all seeds together.
struct ArmAnalysis {
    /// A trace that the arm trains on, with what the student thinks of its tokens.
    struct ScoredTrace {
        /// Tokens, in the student's vocabulary.
        var ids: [Int32]
        /// Who chose each token; an external author counts as the teacher.
        var source: [TokenSource]
        /// P_S of each token.
        var studentProbability: [Float]
        /// P_T of each token; NaN where the teacher was not asked.
        var teacherProbability: [Float]

        /// What was said, without the token that ends the turn: every trace ends with it.
        func spoken(_ endOfTurn: Int32) -> ScoredTrace {
            ids.last == endOfTurn ? prefix(ids.count - 1) : self
        }

        /// The first tokens.
        func prefix(_ count: Int?) -> ScoredTrace {
            guard let count, count < ids.count else { return self }
            return ScoredTrace(
                ids: Array(ids.prefix(count)),
                source: Array(source.prefix(count)),
                studentProbability: Array(studentProbability.prefix(count)),
                teacherProbability: Array(teacherProbability.prefix(count))
            )
        }
    }

    /// Edges of the histogram of log10 P_S; the first bin takes what lies below it too.
    static let edges = stride(from: -8.0, through: 0, by: 0.25).map(\.self)
    /// How many of the strings that make up the low tokens are listed.
    static let listedStrings = 20

    /// The arm, or the name of a file.
    let arm: String
    /// Problems for which traces were sought, and those with a trace to train on.
    private(set) var problems = 0, problemsWithTrace = 0
    /// Tries at all problems.
    private(set) var tries = 0
    /// Tries that were left out, by reason.
    private(set) var rejections: [TraceFilter.Rejection: Int] = [:]
    /// Proposals that became tokens, and that did not, over all tries.
    private var accepted = 0, refused = 0
    /// Tokens of who does not propose, after refusals, and all tokens, over all tries.
    private var fallbacks = 0, triedTokens = 0
    /// For each threshold, the sum over tokens of the share of proposals it would let through.
    private var shares: [(threshold: Double, sum: Double, tokens: Int)] = []
    /// Where in the tries proposals are refused.
    private(set) var refusedByPosition = PositionShares()
    /// How far the tries at a problem agree.
    private(set) var agreement = TryAgreement()
    /// Lengths of the traces to train on, in tokens.
    private(set) var lengths: [Int] = []
    /// Tokens below 1 % and below 0.1 % under the student, and all.
    private(set) var belowOnePercent = 0, belowTenthPercent = 0, tokens = 0
    /// The sum of -ln P_S.
    private var surprise = 0.0
    /// Where in the traces the tokens below 1 % are.
    private(set) var lowByPosition = PositionShares()
    /// How many tokens fall into each bin of log10 P_S.
    private(set) var histogram = [Int](repeating: 0, count: edges.count - 1)
    /// How often each token lies below 1 %.
    private var lowTokens: [Int32: Int] = [:]

    /// An analysis of nothing yet.
    init(arm: String) { self.arm = arm }

    /// Counts a selection: its tries, its reasons, its problems.
    mutating func add(_ selection: ArmSelection, answers: TryAgreement.Reader) {
        let counts = selection.selection
        problems += counts?.problemCount ?? selection.kept.count
        problemsWithTrace += counts?.solvedCount ?? selection.kept.count
        tries += counts?.tryCount ?? selection.kept.count
        for (reason, count) in counts?.rejections ?? [:] {
            rejections[reason, default: 0] += count
        }
        for trace in selection.tries { add(trace) }
        agreement.add(selection, answers)
    }

    /// Counts traces of a file, each at a problem of its own.
    mutating func addRows(_ count: Int) {
        problems += count
        problemsWithTrace += count
        tries += count
    }

    private mutating func add(_ trace: Trace) {
        triedTokens += trace.ids.count
        guard let proposer = trace.policy.proposer else { return }
        let proposed = trace.source.count { $0 == proposer }
        accepted += proposed
        refused += trace.refusals.count
        fallbacks += trace.source.count - proposed
        let positions = Set(trace.refusals.map(\.position))
        refusedByPosition.add(trace.ids.indices.map(positions.contains))
        for acceptance in trace.acceptance {
            let index =
                shares.firstIndex { $0.threshold == acceptance.threshold } ?? shares.endIndex
            if index == shares.endIndex { shares.append((acceptance.threshold, 0, 0)) }
            shares[index].sum += acceptance.share * Double(trace.ids.count)
            shares[index].tokens += trace.ids.count
        }
    }

    /// Counts the tokens of a trace to train on.
    mutating func add(_ trace: ScoredTrace) {
        lengths.append(trace.ids.count)
        lowByPosition.add(trace.studentProbability.map { $0 < 0.01 })
        for (id, probability) in zip(trace.ids, trace.studentProbability) where !probability.isNaN {
            tokens += 1
            // A float32 softmax ends at its smallest number; so does the logarithm.
            surprise -= Elementary.log(Double(max(probability, .leastNonzeroMagnitude)))
            if probability < 0.01 {
                belowOnePercent += 1
                lowTokens[id, default: 0] += 1
            }
            if probability < 0.001 { belowTenthPercent += 1 }
            histogram[Self.bin(of: Double(probability))] += 1
        }
    }

    /// The bin of a probability.
    static func bin(of probability: Double) -> Int {
        let value = probability > 0 ? max(edges[0], Elementary.log10(probability)) : edges[0]
        return min(edges.count - 2, Int(((value - edges[0]) / 0.25).rounded(.down)))
    }
}

extension ArmAnalysis {
    /// The share of proposals that became tokens; nil without proposals.
    var acceptance: Double? { Self.share(accepted, accepted + refused) }
    /// The share of positions at which the other model spoke instead; nil where nobody proposed.
    var fallbackShare: Double? { acceptance == nil ? nil : Self.share(fallbacks, triedTokens) }
    /// The share of tokens below 1 % under the student.
    var shareBelowOnePercent: Double? { Self.share(belowOnePercent, tokens) }
    /// The share of tokens below 0.1 % under the student.
    var shareBelowTenthPercent: Double? { Self.share(belowTenthPercent, tokens) }
    /// The mean of -ln P_S, nats a token.
    var meanSurprise: Double? { tokens > 0 ? surprise / Double(tokens) : nil }
    /// The mean length of a trace to train on, tokens.
    var meanTraceLength: Double? { Self.share(lengths.reduce(0, +), lengths.count) }

    /// A quantile of the lengths, between neighbours in proportion; nil without traces.
    func lengthQuantile(_ share: Double) -> Double? {
        guard !lengths.isEmpty else { return nil }
        return Empirical.quantile(share, sorted: lengths.sorted().map(Double.init))
    }

    /// For each threshold, the share of the teacher's proposals that it would let through: exact,
    /// from both distributions along the prefixes visited.
    var acceptanceByThreshold: [Acceptance] {
        shares.filter { $0.tokens > 0 }
            .map { Acceptance(threshold: $0.threshold, share: $0.sum / Double($0.tokens)) }
            .sorted { $0.threshold < $1.threshold }
    }

    /// The tokens most often below 1 %, with their share of all such tokens.
    var lowestTokens: [(id: Int32, count: Int, share: Double)] {
        let sorted = lowTokens.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.prefix(Self.listedStrings).map { id, count in
            (id, count, Double(count) / Double(belowOnePercent))
        }
    }

    private static func share(_ part: Int, _ whole: Int) -> Double? {
        whole > 0 ? Double(part) / Double(whole) : nil
    }
}

/// How often something is true in each tenth of a trace, from its beginning to its end.
struct PositionShares {
    /// The parts that a trace is cut into.
    static let parts = 10

    private var hits = [Int](repeating: 0, count: parts)
    private var counts = [Int](repeating: 0, count: parts)

    /// Counts a trace: one truth a token.
    mutating func add(_ trace: [Bool]) {
        for (position, isHit) in trace.enumerated() {
            let part = position * Self.parts / trace.count
            counts[part] += 1
            if isHit { hits[part] += 1 }
        }
    }

    /// The share in each part; empty where nothing was ever true.
    var shares: [Double] {
        guard hits.contains(where: { $0 > 0 }) else { return [] }
        return zip(hits, counts).map { $1 > 0 ? Double($0) / Double($1) : 0 }
    }
}
