/// What a teacher reads in place of a student's sequence, and where it predicts the student's tokens.
///
/// The teacher reads its own prompt, and of the completion its counterpart of each token or the
/// token's spelling. What it thinks of a token of the student is what it says behind all before it.
public struct TeacherReading: Sendable, Equatable {
    /// The teacher's tokens: all that some token of the completion has before it.
    public let tokens: [Int32]
    /// For each token of the completion the place in `tokens` behind which it is predicted,
    /// `[completion.count]`.
    public let rows: [Int]

    /// Translates a sequence.
    ///
    /// - Precondition: The prompt is not empty.
    /// - Parameters:
    ///   - completion: The student's tokens.
    ///   - prompt: What the teacher reads before them, in its own tokens.
    ///   - vocabularies: Which tokens the two share.
    public init(
        of completion: some Sequence<Int32>,
        after prompt: [Int32],
        vocabularies: VocabularyMap
    ) {
        precondition(!prompt.isEmpty, "TeacherReading: the prompt is empty")
        var tokens = prompt
        var rows: [Int] = []
        var last: [Int32] = []
        for token in completion {
            tokens += last
            rows.append(tokens.count - 1)
            last = vocabularies.teacherTokens(for: token)
        }
        (self.tokens, self.rows) = (tokens, rows)
    }
}
