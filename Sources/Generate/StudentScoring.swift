import Datasets
import Experiments
import Files
import Kernels
import Models

/// Scores texts that the student did not write: P_S of every token, without a tape.
struct StudentScoring {
    /// The student.
    let model: LanguageModel
    /// Rows in one pass; bounds the memory for logits.
    static let rowsPerPass = 128

    /// The student's probability of each completion token after what comes before it.
    ///
    /// Raw softmax over real tokens, as in generation.
    /// - Precondition: The prompt is not empty.
    /// - Returns: `[completion.count]`.
    func probabilities(of completion: [Int32], after prompt: [Int32]) -> [Float] {
        precondition(!prompt.isEmpty, "StudentScoring: the prompt is empty")
        let tokens = prompt + completion
        let cache = model.makeCache()
        let row = Buffer<Float>(count: model.vocabularySize)
        var result: [Float] = []
        for start in stride(from: 0, to: tokens.count - 1, by: Self.rowsPerPass) {
            let rows = start..<min(start + Self.rowsPerPass, tokens.count - 1)
            // The row of a token predicts the one after it.
            let wanted = rows.filter { $0 + 1 >= prompt.count }
            let logits = model.transformer.logits(
                TokenBatch([Array(tokens[rows])], caches: [cache]),
                wanted: wanted.map { $0 - start }
            )
            for (index, position) in wanted.enumerated() {
                let first = index * model.configuration.vocabularySize
                Kernels.probabilities(
                    logits.buffer[first..<first + model.vocabularySize],
                    temperature: 1,
                    into: row
                )
                result.append(row[Int(tokens[position + 1])])
            }
        }
        return result
    }

    /// Tokens and scores of an external trace, up to `maxLength` tokens of prompt and trace.
    ///
    /// - Returns: Nil where the prompt alone fills the length.
    /// - Throws: `Failure` when the vocabulary cannot spell it.
    func score(_ trace: SelectedTrace, template: PromptSettings, maxLength: Int) throws
        -> ArmAnalysis.ScoredTrace?
    {
        let prompt = try template.encode(problem: trace.problem, with: model.tokenizer)
        let room = maxLength - prompt.count
        guard room > 0 else { return nil }
        let whole =
            try trace.ids ?? template.encode(completion: trace.text, with: model.tokenizer)
        let ids = Array(whole.prefix(room))
        return ArmAnalysis.ScoredTrace(
            ids: ids,
            source: ids.map { _ in .teacher },
            studentProbability: probabilities(of: ids, after: prompt),
            teacherProbability: ids.map { _ in .nan }
        )
    }
}
