import Basics

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
        /// Thresholds whose exact acceptance is recorded at every position; none by default.
        public var acceptanceThresholds: [Double]

        /// Sets every number; the defaults are the paper's.
        public init(
            acceptanceThreshold: Double = 0.01,
            proposals: Int = 1,
            teacher: SamplingParameters = SamplingParameters(temperature: 0.7, topP: 0.95),
            fallback: SamplingParameters = SamplingParameters(temperature: 0.7, topP: 0.95),
            acceptanceTopK: Int? = nil,
            acceptanceThresholds: [Double] = []
        ) {
            self.acceptanceThreshold = acceptanceThreshold
            self.proposals = proposals
            self.teacher = teacher
            self.fallback = fallback
            self.acceptanceTopK = acceptanceTopK
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

        /// Checks that every number lies in its range.
        ///
        /// - Parameter place: Names the numbers in the message, such as `generation`.
        /// - Throws: `Failure` of kind configuration for a number out of range.
        public func validate(at place: String? = nil) throws {
            func require(_ holds: Bool, _ message: String) throws {
                guard !holds else { return }
                throw Failure(.configuration, at: place, message)
            }
            func inside(_ name: String) -> String { place.map { "\($0).\(name)" } ?? name }
            try require(
                acceptanceThreshold >= 0 && acceptanceThreshold.isFinite,
                "acceptanceThreshold is \(acceptanceThreshold); expected 0 or more"
            )
            try require(
                (1...1024).contains(proposals),
                "proposals is \(proposals); expected 1 to 1024"
            )
            try require(
                acceptanceTopK.map { $0 >= 1 } ?? true,
                "acceptanceTopK is \(acceptanceTopK ?? 0); expected at least 1"
            )
            try require(
                acceptanceThresholds.allSatisfy { $0 >= 0 && $0.isFinite },
                "acceptanceThresholds is \(acceptanceThresholds); expected numbers of 0 or more"
            )
            try teacher.validate(at: inside("teacher"))
            try fallback.validate(at: inside("fallback"))
        }
    }
}
