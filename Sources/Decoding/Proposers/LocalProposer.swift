import Models

/// A language model on this machine as proposer: it gives the logits of every token.
public final class LocalProposer: Proposer {
    private let reader: ModelReader

    /// Proposes with a model.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - promptRowsPerPass: The most prompt tokens read in one pass, over all prompts.
    public init(
        _ model: any NextTokenModel,
        promptRowsPerPass: Int = LanguageModel.rowsPerPass
    ) {
        reader = ModelReader(model, promptRowsPerPass: promptRowsPerPass)
    }

    /// As many as the model's head has rows.
    public var vocabularySize: Int? { reader.model.vocabularySize }

    /// Whether the model has read the whole prompt.
    public func isReady(_ prompt: PromptContext) -> Bool { reader.hasRead(prompt) }

    /// One row of logits for each sequence, all sequences and a piece of the prompts in one pass.
    public func propose(
        for sequences: [SequenceContext],
        atMost count: Int,
        reading prompts: [PromptContext]
    ) throws -> [[Prediction]] {
        try reader.rows(sequences.map { ($0, 1) }, reading: prompts).map {
            $0.map(Prediction.logits)
        }
    }
}
