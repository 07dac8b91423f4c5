/// A token sequence and which of its tokens are trained.
public struct TrainingExample: Sendable, Equatable {
    /// The problem's id.
    public var id: String
    /// Prompt, completion and end-of-turn token.
    public var ids: [Int32]
    /// How much each token's loss counts, `[ids.count]`.
    ///
    /// 0 for the prompt, otherwise 1 unless the trace brings weights.
    public var weights: [Float]
    /// How many of the tokens are the prompt.
    public var promptCount: Int
    /// The probability that each token of the completion was drawn with, for a rollout of a model;
    /// nil for a text from elsewhere.
    public var drawnProbabilities: [Float]?
    /// What a teacher reads in place of the prompt, in its own tokens; nil for the same tokens.
    public var teacherPrompt: [Int32]?

    /// Joins a prompt and a completion; only the completion is trained.
    ///
    /// The end-of-turn token is appended, and trained, when a complete completion lacks it.
    /// `weights` has one entry a token of the completion; nil counts all equally.
    ///
    /// - Precondition: The prompt is not empty.
    public init(
        id: String,
        prompt: [Int32],
        completion: [Int32],
        weights: [Float]? = nil,
        isComplete: Bool = true,
        endOfTurn: Int32
    ) {
        precondition(!prompt.isEmpty, "TrainingExample: '\(id)' has an empty prompt")
        precondition(
            weights == nil || weights?.count == completion.count,
            "TrainingExample: \(weights?.count ?? 0) weights for \(completion.count) tokens"
        )
        self.id = id
        promptCount = prompt.count
        ids = prompt + completion
        self.weights =
            [Float](repeating: 0, count: prompt.count)
            + (weights ?? [Float](repeating: 1, count: completion.count))
        if isComplete && completion.last != endOfTurn {
            ids.append(endOfTurn)
            self.weights.append(1)
        }
    }

    /// How many tokens are trained: what the loss of a step is divided by.
    public var targetCount: Int { weights.count { $0 > 0 } }

    /// The model's input: every token but the last, `[ids.count - 1]`.
    public var inputs: ArraySlice<Int32> { ids.dropLast() }

    /// What each input position predicts, `[ids.count - 1]`: the next token, or -1 where it is not
    /// trained.
    public var targets: [Int32] {
        ids.indices.dropFirst().map { weights[$0] > 0 ? ids[$0] : -1 }
    }

    /// The weight of each target, `[ids.count - 1]`.
    public var targetWeights: ArraySlice<Float> { weights.dropFirst() }
}
