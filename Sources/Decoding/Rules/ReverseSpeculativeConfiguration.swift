extension ReverseSpeculativeDecoding {
    /// The numbers that define the method.
    public struct Configuration: Sendable, Hashable {
        /// p_th: a proposal is kept if the student gives it at least this probability.
        ///
        /// Raw softmax at temperature 1; at 0 everything is kept, above 1 nothing.
        public var acceptanceThreshold: Double
        /// R: how many tokens the teacher may propose before the student chooses for itself.
        public var proposals: Int
        /// How the teacher's proposals are drawn.
        public var teacher: SamplingParameters
        /// How the student draws after the last refusal.
        public var fallback: SamplingParameters
        /// Keeps a proposal only if it is among this many of the student's most likely tokens.
        ///
        /// Nil does not ask. Unless nil, a threshold of 0 is not quite teacher sampling.
        public var acceptanceTopK: Int?
        /// Keeps a proposal if its relative surprisal under the student is at most this.
        ///
        /// Then `acceptanceThreshold` is not asked; nil for the absolute gate.
        public var relativeThreshold: Double?
        /// Thresholds whose exact acceptance is recorded at every position; none by default.
        public var acceptanceThresholds: [Double]

        /// Sets every number; the defaults are the paper's.
        public init(
            acceptanceThreshold: Double = 0.01,
            proposals: Int = 1,
            teacher: SamplingParameters = .paper,
            fallback: SamplingParameters = .paper,
            acceptanceTopK: Int? = nil,
            relativeThreshold: Double? = nil,
            acceptanceThresholds: [Double] = []
        ) {
            self.acceptanceThreshold = acceptanceThreshold
            self.proposals = proposals
            self.teacher = teacher
            self.fallback = fallback
            self.acceptanceTopK = acceptanceTopK
            self.relativeThreshold = relativeThreshold
            self.acceptanceThresholds = acceptanceThresholds
        }

        /// As the paper describes it: arXiv:2509.22230.
        public static let paper = Configuration()

        /// As the authors' public predecessor code works: five proposals from the teacher's top 20
        /// at temperature 1, each of which must be in the student's top 20.
        public static let referenceCode = Configuration(
            proposals: 5,
            teacher: SamplingParameters(topK: 20),
            fallback: SamplingParameters(topK: 20),
            acceptanceTopK: 20
        )
    }
}
