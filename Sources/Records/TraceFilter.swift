import Grading

/// Decides which tries are trained on.
///
/// A pure function of the stored records, so another filter needs no new generation.
/// Source: the rules of arXiv:2509.22230 and its authors' code.
public struct TraceFilter: Sendable, Equatable {
    /// Which of a problem's passing tries are kept.
    public enum Choice: String, Sendable, CaseIterable {
        /// The one with the fewest tokens, the earlier among equals.
        case shortest
        /// The one with the lowest try number.
        case first
        /// Every one.
        case all
        /// The one that the student finds most likely a token: the lowest mean of -ln P_S.
        case lowestPerplexity = "lowest-perplexity"
        /// The one with the lowest ratio of ranks to surprisals under the student.
        case rankSurprisal = "rank-surprisal"
    }

    /// Why a try is not kept; a try is counted under the first reason that applies.
    public enum Rejection: String, Sendable, CaseIterable {
        /// It does not end with the end-of-turn token.
        case unfinished
        /// It does not hold exactly one `</think>`.
        case thinking
        /// The student chose too large a share of its tokens.
        case fallback
        /// No answer was found in it.
        case unparsed
        /// Its answer is not the reference answer.
        case wrong
        /// It passed, and another try of the problem was preferred.
        case notChosen
    }

    /// Keeps only tries that end with the end-of-turn token.
    public var requiresEndOfTurn: Bool
    /// Keeps only tries with exactly one `</think>`: for thinking models.
    public var requiresOneThinkEnd: Bool
    /// The largest share of tokens that the student may have chosen; nil allows any.
    public var maxFallbackRate: Double?
    /// Keeps only tries graded correct.
    public var requiresCorrect: Bool
    /// Which of a problem's passing tries are kept.
    public var choice: Choice
    /// How many first tokens of the first try are kept of a problem without a passing try; 0 for
    /// none (arXiv:2503.02875).
    public var unsolvedPrefix: Int

    /// Describes a filter; the defaults are the paper's for a model that does not think.
    public init(
        requiresEndOfTurn: Bool = true,
        requiresOneThinkEnd: Bool = false,
        maxFallbackRate: Double? = 0.5,
        requiresCorrect: Bool = true,
        choice: Choice = .shortest,
        unsolvedPrefix: Int = 0
    ) {
        self.requiresEndOfTurn = requiresEndOfTurn
        self.requiresOneThinkEnd = requiresOneThinkEnd
        self.maxFallbackRate = maxFallbackRate
        self.requiresCorrect = requiresCorrect
        self.choice = choice
        self.unsolvedPrefix = unsolvedPrefix
    }

    /// The first reason not to train on a try, or nil when it passes.
    ///
    /// `verdict` is what grading says now; the record's own verdict is taken when it is nil.
    public func rejection(of trace: Trace, verdict: AnswerVerdict? = nil) -> Rejection? {
        if requiresEndOfTurn && trace.stop != .endOfTurn { return .unfinished }
        if requiresOneThinkEnd && trace.text.count(of: TraceMarks.think.close) != 1 {
            return .thinking
        }
        if let maxFallbackRate, trace.fallbackRate > maxFallbackRate { return .fallback }
        guard requiresCorrect else { return nil }
        return switch verdict ?? trace.verdict {
        case .correct: nil
        case .wrong: .wrong
        case .unparsed: .unparsed
        }
    }

    /// Applies the filter to the tries of many problems.
    ///
    /// The outcome does not depend on the order of the tries; it follows the order of `problems`,
    /// which are ids, and leaves out tries of other problems. `verdict` grades a try again; by
    /// default the record's own verdict counts. `ranks` gives the rank of each token of a try under
    /// the student, at most `TokenRanks.highest`; asked by `rankSurprisal` alone, and where there is
    /// a choice.
    ///
    /// - Throws: What `ranks` throws.
    public func select(
        _ traces: [Trace],
        problems: [String],
        verdict: (Trace) -> AnswerVerdict = { $0.verdict },
        ranks: (Trace) throws -> [Int] = { _ in preconditionFailure("no ranks to choose by") }
    ) throws -> TraceSelection {
        let tries = Dictionary(grouping: traces, by: { Array($0.id.utf8) })
        var selection = TraceSelection(problemCount: problems.count)
        for id in problems {
            let own = (tries[Array(id.utf8)] ?? []).sorted { $0.attempt < $1.attempt }
            selection.tryCount += own.count
            var passing: [Trace] = []
            for trace in own {
                if let reason = rejection(of: trace, verdict: verdict(trace)) {
                    selection.rejections[reason, default: 0] += 1
                } else {
                    passing.append(trace)
                }
            }
            let kept = try kept(of: passing, ranks: ranks)
            if kept.count < passing.count {
                selection.rejections[.notChosen, default: 0] += passing.count - kept.count
            }
            if !kept.isEmpty { selection.solvedCount += 1 }
            selection.traces += kept
            // A try that is over by then would teach its wrong answer, and to stop there.
            if kept.isEmpty, unsolvedPrefix > 0,
                let start = own.first(where: { $0.ids.count > unsolvedPrefix })
            {
                selection.traces.append(start.prefix(unsolvedPrefix))
                selection.prefixCount += 1
            }
        }
        return selection
    }

    /// Those of a problem's passing tries, in their order, that are kept.
    private func kept(of passing: [Trace], ranks: (Trace) throws -> [Int]) throws -> [Trace] {
        func best(_ score: (Trace) throws -> Double) rethrows -> [Trace] {
            guard passing.count > 1 else { return passing }
            let scores = try passing.map(score)
            let least = scores.indices.min { scores[$0] < scores[$1] }
            return least.map { [passing[$0]] } ?? []
        }
        return switch choice {
        case .all: passing
        case .first: Array(passing.prefix(1))
        case .shortest: best { Double($0.ids.count) }
        case .lowestPerplexity: best { $0.meanSurprisal }
        case .rankSurprisal: try best { $0.rankSurprisal(try ranks($0)) }
        }
    }
}

/// What a filter kept, and why it left the rest.
public struct TraceSelection: Sendable {
    /// The kept tries, and starts of tries, in the order of the problems and then of the tries.
    public var traces: [Trace] = []
    /// How many tries were left out for each reason.
    public var rejections: [TraceFilter.Rejection: Int] = [:]
    /// How many problems were asked about.
    public var problemCount: Int
    /// How many problems have at least one kept try.
    public var solvedCount = 0
    /// How many problems without a kept try have the start of one instead.
    public var prefixCount = 0
    /// How many tries were looked at.
    public var tryCount = 0

    init(problemCount: Int) { self.problemCount = problemCount }
}

extension String {
    /// How often a text occurs, compared by bytes and without overlaps.
    func count(of text: String) -> Int {
        let (bytes, pattern) = (Array(utf8), Array(text.utf8))
        var (index, count) = (0, 0)
        while index + pattern.count <= bytes.count {
            if bytes[index..<index + pattern.count].elementsEqual(pattern) {
                count += 1
                index += pattern.count
            } else {
                index += 1
            }
        }
        return count
    }
}
