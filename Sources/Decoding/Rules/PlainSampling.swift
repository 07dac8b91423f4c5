import Basics
import Kernels
import Records

/// Draws every token from one model.
public struct PlainSampling: NextTokenRule {
    /// How tokens are drawn.
    public let parameters: SamplingParameters
    /// The model's part, which decides where its probabilities are recorded.
    public let source: TokenSource
    /// The number of ids that the tokenizer defines; rows above are never drawn.
    public let vocabularySize: Int
    private let stream: RandomStream

    /// Samples from one model, in the teacher's or in the student's stream of random numbers.
    ///
    /// - Parameters:
    ///   - parameters: How tokens are drawn.
    ///   - vocabularySize: The number of ids that the tokenizer defines.
    ///   - seed: The root seed.
    ///   - source: The model's part.
    ///   - stream: The stream's name; that of the model's part unless told otherwise.
    public init(
        _ parameters: SamplingParameters,
        vocabularySize: Int,
        seed: UInt64,
        source: TokenSource = .student,
        stream: String? = nil
    ) {
        self.parameters = parameters
        self.vocabularySize = vocabularySize
        self.source = source
        let usual = source == .teacher ? DecodingStream.teacher : DecodingStream.student
        self.stream = RandomStream(seed: seed, name: stream ?? usual)
    }

    /// Draws a token with draw number 0 of the position.
    public func decide(logits: Buffer<Float>, proposal: Proposal?, key: PositionKey) throws
        -> TokenDecision
    {
        let row = try LogitSummary(logits.first(vocabularySize), for: parameters)
        let token = TokenDistribution(row, parameters).token(at: stream.uniform(at: key))
        let probability = row.probability(of: Int(token))
        return TokenDecision(
            token: token,
            source: source,
            reason: .sampled,
            teacherProbability: source == .teacher ? probability : nil,
            studentProbability: source == .student ? probability : nil
        )
    }
}
