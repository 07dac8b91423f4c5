import Basics
import Kernels
import Records

/// A way to choose the next token from what a model, and perhaps a proposer, say about it.
///
/// One engine serves every rule: plain sampling needs no proposer, reverse speculative decoding does.
public protocol NextTokenRule: Sendable {
    /// The part of the model that chooses.
    ///
    /// The student's token ids are recorded, also where it is the proposer of a teacher that chooses; a
    /// model alone has its own recorded.
    var source: TokenSource { get }

    /// How many ids the tokenizer of that model defines; the model must have as many.
    var vocabularySize: Int { get }

    /// How many ids the tokenizer of the proposer defines; nil for a rule that needs no proposer.
    var proposerVocabularySize: Int? { get }

    /// Turns what the proposer says about one position into a proposal: a pure function.
    ///
    /// - Parameters:
    ///   - prediction: What the proposer says.
    ///   - key: The position, which decides the random numbers.
    /// - Returns: The proposal; nil for a rule that needs none.
    /// - Throws: `Failure` when the prediction has numbers that are none.
    func proposal(_ prediction: Prediction, key: PositionKey) throws -> Proposal?

    /// Chooses the token at one position: a pure function of its arguments.
    ///
    /// - Parameters:
    ///   - logits: The model's row; rows of padding may follow.
    ///   - proposal: What the proposer proposed for the same position.
    ///   - key: The position, which decides the random numbers.
    /// - Returns: The token and its record.
    /// - Throws: `Failure` when the logits are not finite numbers.
    func decide(logits: Buffer<Float>, proposal: Proposal?, key: PositionKey) throws
        -> TokenDecision

    /// The ids that tell the proposer of a recorded token; at least one.
    func proposerTokens(for token: Int32) -> [Int32]

    /// The ids that tell the model of a recorded token; at least one.
    func modelTokens(for token: Int32) -> [Int32]
}

extension NextTokenRule {
    /// None is needed.
    public var proposerVocabularySize: Int? { nil }

    /// Nothing: a rule of one model needs no proposals.
    public func proposal(_ prediction: Prediction, key: PositionKey) throws -> Proposal? { nil }

    /// The token itself.
    public func proposerTokens(for token: Int32) -> [Int32] { [token] }

    /// The token itself.
    public func modelTokens(for token: Int32) -> [Int32] { [token] }

    /// Whether ids are recorded as the proposer numbers them.
    var recordsProposer: Bool { source == .teacher && proposerVocabularySize != nil }
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
    /// The teacher's tokens; draw number r is proposal number r.
    public static let teacher = "teacher"
    /// The student's own tokens.
    public static let student = "student"
    /// What a student writes while it is trained.
    public static let rollout = "rollout"
}

extension RandomStream {
    /// Draw number `draw` at a position, in [0, 1).
    func uniform(at key: PositionKey, draw: Int = 0) -> Double {
        uniform(item: key.item, attempt: key.attempt, position: key.position, draw: draw)
    }
}

/// What is proposed at one position, before the model that chooses has been asked.
public struct Proposal: Sendable {
    /// What the proposer said.
    let source: ProposalSource
    /// What proposals are drawn from: ids of the proposer that the other side has too; may be empty.
    let distribution: TokenDistribution
    /// The first token proposed, as it is recorded; nil if there is none.
    ///
    /// Most positions end with it, so a draft goes on from it before it has been accepted.
    public let token: Int32?
}
