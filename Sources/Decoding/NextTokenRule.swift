import Kernels

/// A way to choose the next token from what one or two models say about it.
///
/// One engine serves every rule: plain sampling has one model, reverse speculative decoding two.
public protocol NextTokenRule: Sendable {
    /// The models it listens to, in the order of their logits. The first is the one whose token ids
    /// are recorded.
    var models: [TokenDecision.Source] { get }

    /// How many ids the tokenizer of model number `model` defines; the model must have as many.
    func vocabularySize(of model: Int) -> Int

    /// Chooses the token at one position: a pure function of logits and key.
    ///
    /// - Parameters:
    ///   - logits: One row a model, in the order of `models`, without padding rows.
    ///   - key: The position, which decides the random numbers.
    ///   - scratch: Working memory; what it holds before does not matter.
    /// - Returns: The token and its record.
    /// - Throws: `Failure` when the logits are not finite numbers.
    func decide(
        logits: [Buffer<Float>],
        key: PositionKey,
        scratch: inout DecisionScratch
    ) throws -> TokenDecision

    /// The ids that tell model number `model` of a recorded token; at least one.
    func spelling(of token: Int32, for model: Int) -> [Int32]
}

/// A position in a try at a problem: random numbers depend on this and the seed, nothing else.
public struct PositionKey: Sendable, Hashable {
    /// The problem, from `RandomStream.itemKey`.
    public var item: UInt64
    /// Which try at the problem, from 0.
    public var attempt: Int
    /// How many tokens of the try come before.
    public var position: Int

    /// Names a position.
    public init(item: UInt64, attempt: Int, position: Int) {
        self.item = item
        self.attempt = attempt
        self.position = position
    }
}

/// The named streams of random numbers that decoding draws from.
public enum DecodingStream {
    /// The teacher's proposals; draw number r is proposal number r.
    public static let teacher = "teacher"
    /// The student's own tokens.
    public static let student = "student"
}

/// Working memory of one decision: rows of probabilities as long as the vocabulary.
public struct DecisionScratch: Sendable {
    var sampler = Sampler()

    /// Starts empty; rows are allocated when first used.
    public init() {}
}
