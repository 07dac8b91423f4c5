import Basics
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

    /// What the second model proposes at one position: a pure function of its logits and the key.
    ///
    /// - Parameters:
    ///   - logits: The second model's row, without padding.
    ///   - key: The position, which decides the random numbers.
    /// - Returns: The proposal; nil for a rule of one model.
    /// - Throws: `Failure` when the logits are not finite numbers.
    func proposal(logits: Buffer<Float>, key: PositionKey) throws -> Proposal?

    /// Chooses the token at one position: a pure function of its arguments.
    ///
    /// - Parameters:
    ///   - logits: The first model's row, without padding.
    ///   - proposal: What the second model proposed for the same position.
    ///   - key: The position, which decides the random numbers.
    /// - Returns: The token and its record.
    /// - Throws: `Failure` when the logits are not finite numbers.
    func decide(logits: Buffer<Float>, proposal: Proposal?, key: PositionKey) throws
        -> TokenDecision

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

/// What a teacher says about one position, before the student has been asked.
public struct Proposal: Sendable {
    /// The teacher's logits, for the probability of any of its tokens.
    let row: LogitSummary
    /// What proposals are drawn from: teacher ids that the student has too; may be empty.
    let distribution: TokenDistribution
    /// The first token proposed, as the student numbers it; nil if there is none.
    ///
    /// Most positions end with it, so a draft goes on from it before the student has agreed.
    public let token: Int32?
}

extension NextTokenRule {
    /// Nothing: a rule of one model needs no proposals.
    public func proposal(logits: Buffer<Float>, key: PositionKey) throws -> Proposal? { nil }
}
