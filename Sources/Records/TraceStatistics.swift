import Basics

/// What is known of the traces that one arm trains on, all seeds together: an entry of
/// `analysis.json`.
///
/// Shares are fractions; a number that is not known is nil.
public struct TraceStatistics: Equatable, Sendable {
    /// The arm's name.
    public var arm: String
    /// The problems for which traces were sought.
    public var problems: Int
    /// The problems with a trace to train on.
    public var problemsWithTrace: Int
    /// The tries made over all problems.
    public var tries: Int
    /// The tries that were left out, by reason; nil where there were none.
    public var rejections: [TraceFilter.Rejection: Int] = [:]
    /// The share of the teacher's proposals that the student's gate let through; nil where nothing
    /// was proposed.
    public var acceptance: Double?
    /// The share of positions at which the student spoke instead; nil where nobody proposed.
    public var fallbackShare: Double?
    /// The share of the teacher's proposals that other thresholds would have let through: exact,
    /// from both distributions along the prefixes visited.
    public var acceptanceByThreshold: [Acceptance] = []
    /// The traces to train on.
    public var traces = 0
    /// Their tokens.
    public var tokens = 0
    /// The share of tokens with P_S below 0.01.
    public var shareBelowOnePercent: Double?
    /// The share of tokens with P_S below 0.001.
    public var shareBelowTenthPercent: Double?
    /// The mean of -ln P_S over the tokens, nats.
    public var meanSurprise: Double?
    /// The mean length of a trace, tokens.
    public var meanTraceLength: Double?
    /// Lengths below which a share of the traces lies.
    public var lengthQuantiles: [LengthQuantile] = []
    /// The length of the longest trace, tokens.
    public var longestTraceLength: Int?
    /// The share of tokens with P_S below 0.01 in each part of the traces, beginning first.
    public var lowByPosition: [Double] = []
    /// The share of positions at which a proposal was refused, in each part of the tries.
    public var refusedByPosition: [Double] = []
    /// How far the tries at a problem agree.
    public var agreement = TryAgreementShares()
    /// The histogram of log10 P_S over the tokens.
    public var histogram: Histogram?
    /// The strings that the tokens with P_S below 0.01 most often are, with their share of them.
    public var lowTokens: [TokenShare] = []
    /// A few traces to look at.
    public var samples: [SampleTrace] = []

    /// Statistics of an arm of which only this is known.
    public init(arm: String, problems: Int, problemsWithTrace: Int, tries: Int) {
        self.arm = arm
        self.problems = problems
        self.problemsWithTrace = problemsWithTrace
        self.tries = tries
    }

    /// The lengths between which 80 % of the traces lie, tokens; nil where they were not written.
    public var lengthRange: (low: Double, high: Double)? {
        guard let low = lengthQuantile(0.1), lengthQuantile(0.5) != nil,
            let high = lengthQuantile(0.9)
        else { return nil }
        return (low, high)
    }

    /// The length below which a share of the traces lies, tokens; nil where that was not written.
    public func lengthQuantile(_ share: Double) -> Double? {
        lengthQuantiles.first { abs($0.share - share) < 1e-9 }?.length
    }
}

/// A length below which a share of the traces lies.
public struct LengthQuantile: Equatable, Sendable {
    /// The share.
    public var share: Double
    /// The length in tokens, between neighbours in proportion; nil without traces.
    public var length: Double?

    /// Describes a quantile.
    public init(share: Double, length: Double?) {
        self.share = share
        self.length = length
    }
}

/// How far the tries at a problem agree with each other, and how often they are right.
public struct TryAgreementShares: Equatable, Sendable {
    /// The share of pairs of tries at one problem that give equal answers.
    public var equalPairs: Double?
    /// The share of tries whose answer is right.
    public var right: Double?
    /// Problems with every try right.
    public var allRight = 0
    /// Problems with some tries right and some not.
    public var someRight = 0
    /// Problems with no try right.
    public var noneRight = 0

    /// Nothing known yet.
    public init() {}
}

/// A token's share of some tokens.
public struct TokenShare: Equatable, Sendable {
    /// The token's spelling.
    public var text: String
    /// How often it is there.
    public var count: Int
    /// The share.
    public var share: Double

    /// Describes a share.
    public init(text: String, count: Int = 0, share: Double) {
        self.text = text
        self.count = count
        self.share = share
    }
}

/// Counts of values in consecutive bins.
public struct Histogram: Equatable, Sendable {
    /// The bin edges, ascending; one more than there are counts.
    public var edges: [Double]
    /// The number of values from each edge up to the next.
    public var counts: [Int]

    /// Describes a histogram.
    public init(edges: [Double], counts: [Int]) {
        self.edges = edges
        self.counts = counts
    }

    /// The bins' shares of all values; empty if there are none or edges and counts disagree.
    public var shares: [Double] {
        let total = counts.reduce(0.0) { $0 + Double($1) }
        guard total > 0, edges.count == counts.count + 1, edges.allSatisfy(\.isFinite) else {
            return []
        }
        return counts.map { Double($0) / total }
    }
}

/// One trace to look at, token by token.
public struct SampleTrace: Equatable, Sendable {
    /// The arm's name.
    public var arm: String
    /// The problem's text or id.
    public var problem: String
    /// The reference answer, or empty.
    public var answer: String
    /// Where the trace comes from, or empty.
    public var origin: String
    /// The length of the trace, tokens; more than are shown where it is long.
    public var tokenCount: Int
    /// The first tokens in order.
    public var tokens: [Token]

    /// One token of a trace.
    public struct Token: Equatable, Sendable {
        /// The token's spelling.
        public var text: String
        /// Who wrote it; an external author counts as the teacher.
        public var writer: TokenSource
        /// The student's probability of it.
        public var studentProbability: Double?
        /// The teacher's probability of it.
        public var teacherProbability: Double?

        /// Describes a token.
        public init(
            text: String,
            writer: TokenSource,
            studentProbability: Double? = nil,
            teacherProbability: Double? = nil
        ) {
            self.text = text
            self.writer = writer
            self.studentProbability = studentProbability
            self.teacherProbability = teacherProbability
        }
    }

    /// Describes a trace.
    public init(
        arm: String,
        problem: String,
        answer: String = "",
        origin: String = "",
        tokenCount: Int? = nil,
        tokens: [Token]
    ) {
        self.arm = arm
        self.problem = problem
        self.answer = answer
        self.origin = origin
        self.tokenCount = tokenCount ?? tokens.count
        self.tokens = tokens
    }
}
