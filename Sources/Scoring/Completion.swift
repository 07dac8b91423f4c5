import Basics
import Decoding
import Kernels
import Models

/// Continues one sequence and hands out its bytes token by token.
///
/// The engine delivers whole sequences; a person at a terminal wants to read along. The tokens are
/// those that the engine would make for an item of the same name.
public struct Completion {
    /// The item that random numbers are keyed by.
    static let item = "sample"

    private let model: LanguageModel
    private let rule: PlainSampling

    /// Prepares to draw from a model.
    public init(_ model: LanguageModel, _ parameters: SamplingParameters, seed: UInt64) {
        self.model = model
        rule = PlainSampling(parameters, vocabularySize: model.vocabularySize, seed: seed)
    }

    /// Makes tokens until one ends the turn or the limit is reached.
    ///
    /// - Precondition: The prompt is not empty.
    /// - Returns: The tokens, the ending one included.
    /// - Throws: What the model and `write` throw, and `Failure` for logits that are not numbers.
    @discardableResult
    public func run(
        _ prompt: [Int32],
        maxTokens: Int,
        write: ([UInt8]) throws -> Void
    ) throws -> [Int32] {
        try model.check(prompt)
        let cache = model.makeCache()
        var pending = prompt[...]
        while pending.count > LanguageModel.rowsPerPass {
            let chunk = Array(pending.prefix(LanguageModel.rowsPerPass))
            pending = pending.dropFirst(chunk.count)
            _ = try model.logits([SequenceInput(tokens: chunk, cache: cache, logitRows: 0)])
        }
        var tokens: [Int32] = []
        while tokens.count < maxTokens {
            let input = SequenceInput(tokens: Array(pending), cache: cache)
            guard let row = try model.logits([input])[0] else {
                preconditionFailure("Completion: no logits")
            }
            let decision = try rule.decide(
                logits: row,
                proposal: nil,
                key: PositionKey(
                    item: RandomStream.itemKey(Self.item),
                    attempt: 0,
                    position: tokens.count
                )
            )
            tokens.append(decision.token)
            if model.tokenizer.endOfTurnIDs.contains(decision.token) { break }
            try write(model.tokenizer.tokenBytes(decision.token))
            pending = [decision.token]
        }
        return tokens
    }
}
