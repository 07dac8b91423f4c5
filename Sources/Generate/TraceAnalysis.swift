import Datasets
import Experiments
import Files
import Foundation

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
    }

    /// Edges of the histogram of log10 P_S; the first bin takes what lies below it too.
    static let edges = stride(from: -8.0, through: 0, by: 0.25).map(\.self)
    /// How many of the strings that make up the low tokens are listed.
    static let listedStrings = 20

    /// The arm.
    let arm: String
    /// Problems for which traces were sought, and those with a trace to train on.
    private(set) var problems = 0, problemsWithTrace = 0
    /// Tries at all problems.
    private(set) var tries = 0
    /// Tries that were left out, by reason.
    private(set) var rejections: [TraceFilter.Rejection: Int] = [:]
    /// Proposals of the teacher that became tokens, and that did not, over all tries.
    private var accepted = 0, refused = 0
    /// Tokens of the student in its own stead or after refusals, and all tokens, over all tries.
    private var fallbacks = 0, triedTokens = 0
    /// For each threshold, the sum over tokens of the share of proposals it would let through.
    private var shares: [(threshold: Double, sum: Double, tokens: Int)] = []
    /// Lengths of the traces to train on, in tokens.
    private(set) var lengths: [Int] = []
    /// Tokens below 1 % and below 0.1 % under the student, and all.
    private(set) var belowOnePercent = 0, belowTenthPercent = 0, tokens = 0
    /// How many tokens fall into each bin of log10 P_S.
    private(set) var histogram = [Int](repeating: 0, count: edges.count - 1)
    /// How often each token lies below 1 %.
    private var lowTokens: [Int32: Int] = [:]

    /// An analysis of nothing yet.
    init(arm: String) { self.arm = arm }

    /// Counts a selection: its tries, its reasons, its problems.
    mutating func add(_ selection: ArmSelection) {
        let counts = selection.selection
        problems += counts?.problemCount ?? selection.selected.count
        problemsWithTrace += counts?.solvedCount ?? selection.selected.count
        tries += counts?.tryCount ?? selection.selected.count
        for (reason, count) in counts?.rejections ?? [:] {
            rejections[reason, default: 0] += count
        }
        for trace in selection.tries { add(trace) }
    }

    private mutating func add(_ trace: Trace) {
        triedTokens += trace.ids.count
        guard trace.policy != TracePolicy.student.rawValue else { return }
        accepted += trace.source.count { $0 == .teacher }
        refused += trace.refusals.count
        fallbacks += trace.source.count { $0 == .student }
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
        for (id, probability) in zip(trace.ids, trace.studentProbability) where !probability.isNaN {
            tokens += 1
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
        let value = probability > 0 ? max(edges[0], log10(probability)) : edges[0]
        return min(edges.count - 2, Int(((value - edges[0]) / 0.25).rounded(.down)))
    }
}

extension ArmAnalysis {
    /// The share of the teacher's proposals that became tokens; nil without proposals.
    var acceptance: Double? { Self.share(accepted, accepted + refused) }
    /// The share of positions at which the student spoke instead; nil where nobody proposed.
    var fallbackShare: Double? { acceptance == nil ? nil : Self.share(fallbacks, triedTokens) }
    /// The share of tokens below 1 % under the student.
    var shareBelowOnePercent: Double? { Self.share(belowOnePercent, tokens) }
    /// The share of tokens below 0.1 % under the student.
    var shareBelowTenthPercent: Double? { Self.share(belowTenthPercent, tokens) }
    /// The mean length of a trace to train on, tokens.
    var meanTraceLength: Double? { Self.share(lengths.reduce(0, +), lengths.count) }

    /// The length in the middle, or the mean of the two there; nil without traces.
    var medianTraceLength: Double? {
        let sorted = lengths.sorted()
        guard !sorted.isEmpty else { return nil }
        return Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// For each threshold, the share of the teacher's proposals that it would let through: exact,
    /// from both distributions along the prefixes visited.
    var acceptanceByThreshold: [(threshold: Double, share: Double)] {
        shares.filter { $0.tokens > 0 }.map { ($0.threshold, $0.sum / Double($0.tokens)) }
            .sorted { $0.0 < $1.0 }
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
