import Autograd
import Kernels
import Models

/// A model that continues token sequences, many at a time.
///
/// All that the decoding engine asks of a language model: tests put small tables of probabilities in
/// its place.
public protocol NextTokenModel: AnyObject {
    /// What it keeps of a sequence.
    associatedtype Cache: SequenceCache

    /// The number of rows of the output head that are tokens; rows above it are padding and are
    /// never sampled.
    var vocabularySize: Int { get }

    /// Makes the cache of an empty sequence.
    func makeCache() -> Cache

    /// Appends each input's tokens to its cache, all inputs in one pass, and computes logits.
    ///
    /// A row must not depend on the other inputs of the pass, nor on how its sequence was cut into
    /// passes: the engine promises equal results for every batch size.
    ///
    /// - Precondition: No two inputs share a cache, each cache was made by this model, and each
    ///   input has at least one token.
    /// - Returns: One buffer an input, `[logitRows, rowLength]` with `rowLength >= vocabularySize`:
    ///   the logits after each of its last `logitRows` tokens; nil where `logitRows` is 0. They stay
    ///   as they are for as long as they are held.
    func logits(_ inputs: [SequenceInput]) throws -> [Buffer<Float>?]
}

/// What a model keeps of the tokens of one sequence so far; a handle, so that passing it on copies
/// nothing.
public protocol SequenceCache: AnyObject {
    /// Makes a second cache with the same tokens in it; the two then grow apart.
    func fork() -> Self

    /// Forgets all tokens but the first `length`.
    func truncate(to length: Int)
}

/// The tokens that one sequence adds in one pass.
public struct SequenceInput {
    /// Token ids to append, at least one.
    public var tokens: [Int32]
    /// The sequence they are appended to.
    public var cache: any SequenceCache
    /// Of how many of the last tokens the logits are wanted; 0 while a prompt is being read.
    public var logitRows: Int

    /// Describes one sequence's part of a pass.
    public init(tokens: [Int32], cache: any SequenceCache, logitRows: Int = 1) {
        self.tokens = tokens
        self.cache = cache
        self.logitRows = logitRows
    }
}

extension KVCache: SequenceCache {}

extension LanguageModel: NextTokenModel {
    /// Logits behind the last tokens of each input, all inputs in one pass.
    public func logits(_ inputs: [SequenceInput]) throws -> [Buffer<Float>?] {
        let caches = inputs.map { input in
            guard let cache = input.cache as? KVCache else {
                preconditionFailure("LanguageModel.logits: a cache of another kind of model")
            }
            return cache
        }
        let batch = TokenBatch(inputs.map(\.tokens), caches: caches)
        let wanted = zip(inputs, batch.sequences).flatMap { input, rows in
            rows.suffix(input.logitRows)
        }
        let logits = transformer.logits(batch, wanted: wanted)
        var row = 0
        return inputs.map { input in
            guard input.logitRows > 0 else { return nil }
            defer { row += input.logitRows }
            return logits.rows(row..<row + input.logitRows).buffer
        }
    }
}
