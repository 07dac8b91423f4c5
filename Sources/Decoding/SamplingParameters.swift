import Basics

/// How a token is drawn from a row of logits.
///
/// The filters are applied in the order temperature, top-k, top-p, min-p, each to what the one
/// before it left over, and the survivors are renormalised.
public struct SamplingParameters: Sendable, Hashable {
    /// Divides the logits; 1 leaves them alone, 0 always takes the most likely token.
    public var temperature: Double
    /// Keeps the `topK` most likely tokens; nil keeps all.
    public var topK: Int?
    /// Keeps the smallest set of tokens whose share of the probability reaches `topP`; 1 keeps all.
    public var topP: Double
    /// Drops tokens less likely than `minP` times the most likely one; 0 drops none.
    public var minP: Double

    /// Plain sampling from the model's own distribution, unless told otherwise.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1, minP: Double = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
    }

    /// As the paper draws tokens from both models: arXiv:2509.22230.
    public static let paper = SamplingParameters(temperature: 0.7, topP: 0.95)

    /// Always the most likely token, the lowest id among equals.
    public static let greedy = SamplingParameters(temperature: 0)

    /// Checks that every value lies in its range.
    ///
    /// - Parameter place: Names the values in the message, such as `generation.teacher`.
    /// - Throws: `Failure` of kind configuration for a value out of range.
    public func validate(at place: String? = nil) throws {
        func require(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws {
            guard !holds else { return }
            throw Failure(.configuration, at: place, "\(name) is \(found); expected \(expected)")
        }
        try require(
            temperature == 0 || (temperature >= 1e-4 && temperature.isFinite),
            "temperature",
            temperature,
            "0 or a finite number of at least 0.0001"
        )
        try require(topK.map { $0 >= 1 } ?? true, "topK", topK ?? 0, "at least 1")
        try require(topP > 0 && topP <= 1, "topP", topP, "more than 0 and at most 1")
        try require(minP >= 0 && minP <= 1, "minP", minP, "0 to 1")
    }
}
