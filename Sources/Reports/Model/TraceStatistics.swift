extension ReportModel {
    /// What is known of the traces that one arm trains on.
    struct TraceStatistics: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// The problems for which traces were sought.
        var problems: Int
        /// The problems with a trace that passed the filter.
        var problemsWithTrace: Int
        /// The tries made over all problems.
        var tries: Int
        /// The share of the teacher's proposals that the student's gate let through; nil where
        /// nothing was proposed.
        var acceptance: Double?
        /// The share of positions at which the student spoke instead.
        var fallbackShare: Double?
        /// The share of tokens with P_S below 0.01.
        var shareBelowOnePercent: Double?
        /// The share of tokens with P_S below 0.001.
        var shareBelowTenthPercent: Double?
        /// The mean length of a kept trace, tokens.
        var meanTraceLength: Double?
        /// The histogram of log10 P_S over the tokens of the kept traces.
        var histogram: Histogram?
        /// The mean of -ln P_S over the tokens of the kept traces, nats.
        var meanSurprise: Double?
        /// The lengths of the kept traces below which 10, 50 and 90 % lie, tokens.
        var lengthQuantiles: [Double] = []
        /// The share of tries whose answer is right.
        var rightTries: Double?
        /// The share of pairs of tries at one problem that give equal answers.
        var equalPairs: Double?
        /// The share of the teacher's proposals that other thresholds would have let through.
        var acceptanceByThreshold: [ThresholdShare] = []
        /// The share of tokens with P_S below 0.01 in each part of the traces, beginning first.
        var lowByPosition: [Double] = []
        /// The share of positions at which a proposal was refused, in each part of the tries.
        var refusedByPosition: [Double] = []
        /// The strings that the tokens with P_S below 0.01 most often are, with their share of them.
        var lowTokens: [TokenShare] = []
    }

    /// A share under a threshold.
    struct ThresholdShare: Equatable, Sendable {
        /// The threshold, a probability.
        var threshold: Double
        /// The share.
        var share: Double
    }

    /// A token's share of some tokens.
    struct TokenShare: Equatable, Sendable {
        /// The token's spelling.
        var text: String
        /// The share.
        var share: Double
    }

    /// Counts of values in consecutive bins.
    struct Histogram: Equatable, Sendable {
        /// The bin edges, ascending; one more than there are counts.
        var edges: [Double]
        /// The number of values from each edge up to the next.
        var counts: [Int]

        /// The bins' shares of all values; empty if there are none or edges and counts disagree.
        var shares: [Double] {
            let total = counts.reduce(0.0) { $0 + Double($1) }
            guard total > 0, edges.count == counts.count + 1, edges.allSatisfy(\.isFinite) else {
                return []
            }
            return counts.map { Double($0) / total }
        }
    }

    /// One trace to look at, token by token.
    struct SampleTrace: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// The problem's text or id.
        var problem: String
        /// The gold answer, or empty.
        var answer = ""
        /// The tokens in order.
        var tokens: [TraceToken]
    }

    /// One token of a sample trace.
    struct TraceToken: Equatable, Sendable {
        /// The token's spelling.
        var text: String
        /// Whose token it is.
        var writer: Writer
        /// The student's probability of it.
        var studentProbability: Double?
        /// The teacher's probability of it.
        var teacherProbability: Double?
    }

    /// Who put a token into a trace.
    enum Writer: String, Equatable, Sendable {
        /// Proposed by the teacher (or the external author of a trace file) and kept.
        case teacher
        /// Drawn from the student after a refusal.
        case student
    }
}
