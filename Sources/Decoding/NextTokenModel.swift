import Kernels

/// A model that continues token sequences, many at a time.
///
/// What the decoding engine asks of a language model, and all that it asks: tests put small tables
/// of probabilities in its place.
public protocol NextTokenModel: AnyObject {
    /// Keys and values of the tokens of one sequence so far; a handle, so that passing it on copies
    /// nothing.
    associatedtype Cache

    /// The number of rows of the output head that are tokens; rows above it are padding and are
    /// never sampled.
    var vocabularySize: Int { get }

    /// Makes the cache of an empty sequence.
    func makeCache() -> Cache

    /// Makes a second cache with the same tokens in it; the two then grow apart.
    func fork(_ cache: Cache) -> Cache

    /// Forgets all tokens of a cache but the first `length`.
    func truncate(_ cache: Cache, to length: Int)

    /// Appends each input's tokens to its cache, all inputs in one pass, and computes logits.
    ///
    /// A row must not depend on the other inputs of the pass, nor on how its sequence was cut into
    /// passes: the engine promises equal results for every batch size.
    ///
    /// - Precondition: No two inputs share a cache, and each has at least one token.
    /// - Returns: One buffer an input, `[logitRows, rowLength]` with `rowLength >= vocabularySize`:
    ///   the logits after each of its last `logitRows` tokens; nil where `logitRows` is 0. They stay
    ///   as they are for as long as they are held.
    func logits(_ inputs: [SequenceInput<Cache>]) throws -> [Buffer<Float>?]
}

/// The tokens that one sequence adds in one pass.
public struct SequenceInput<Cache> {
    /// Token ids to append, at least one.
    public var tokens: [Int32]
    /// The sequence they are appended to.
    public var cache: Cache
    /// Of how many of the last tokens the logits are wanted; 0 while a prompt is being read.
    public var logitRows: Int

    /// Describes one sequence's part of a pass.
    public init(tokens: [Int32], cache: Cache, logitRows: Int = 1) {
        self.tokens = tokens
        self.cache = cache
        self.logitRows = logitRows
    }
}
