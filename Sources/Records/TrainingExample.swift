import Basics

/// What to do with an example that is longer than the training length.
public enum OverlongPolicy: String, Sendable, CaseIterable {
    /// Keep its first tokens: the end of the trace, answer included, is lost.
    case truncate
    /// Leave it out.
    case drop
    /// Stop.
    case error
}

/// A token sequence and which of its tokens are trained.
public struct TrainingExample: Sendable, Equatable {
    /// The problem's id.
    public var id: String
    /// Prompt, completion and end-of-turn token.
    public var ids: [Int32]
    /// How much each token's loss counts, `[ids.count]`.
    ///
    /// 0 for the prompt, otherwise 1 unless the trace has weights of its own.
    public var weights: [Float]
    /// How many of the tokens are the prompt.
    public var promptCount: Int

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

    /// Which tokens are trained, `[ids.count]`.
    public var targetMask: [Bool] { weights.map { $0 > 0 } }

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

/// Examples that fit the training length, and what became of those that did not.
public struct TrainingSet: Sendable {
    /// The examples, in the order given.
    public private(set) var examples: [TrainingExample] = []
    /// How many lost their end.
    public private(set) var truncatedCount = 0
    /// How many were left out, including those of which no token is trained, such as those whose
    /// prompt alone fills the length.
    public private(set) var droppedCount = 0

    /// Applies the length limit.
    ///
    /// `maxLength` counts the prompt and the end-of-turn token too.
    ///
    /// - Throws: `Failure.badData` naming the example under `.error`, and one that names no place when
    ///   nothing is left.
    public init(_ all: [TrainingExample], maxLength: Int, overlong: OverlongPolicy) throws {
        var maskedCount = 0
        for var example in all {
            guard example.targetCount > 0 else {
                maskedCount += 1
                droppedCount += 1
                continue
            }
            if example.ids.count > maxLength {
                switch overlong {
                case .error:
                    throw Failure(
                        .badData,
                        at: "'\(example.id)'",
                        "has \(example.ids.count) tokens; expected at most \(maxLength)",
                        remedy: "Raise training.maxLength, or set training.overlong to drop or "
                            + "truncate."
                    )
                case .drop:
                    droppedCount += 1
                    continue
                case .truncate:
                    example.ids.removeLast(example.ids.count - maxLength)
                    example.weights.removeLast(example.weights.count - maxLength)
                    // A step of such examples alone would move the weights by momentum only.
                    guard example.targetCount > 0 else {
                        droppedCount += 1
                        continue
                    }
                    truncatedCount += 1
                }
            }
            examples.append(example)
        }
        guard !examples.isEmpty else {
            throw Self.nothing(all.count, masked: maskedCount, maxLength: maxLength, overlong)
        }
    }

    /// Why nothing is left of `count` examples.
    private static func nothing(
        _ count: Int,
        masked: Int,
        maxLength: Int,
        _ overlong: OverlongPolicy
    ) -> Failure {
        guard count > 0 else {
            return Failure(
                .badData,
                "holds no trace, so there is nothing to train on",
                remedy: "Generate more tries, or loosen the trace filter (selection)."
            )
        }
        let long = count - masked
        let reasons = [
            masked > 0 ? "\(masked) have no token to train on, since all are masked" : nil,
            long > 0
                ? overlong == .drop
                    ? "\(long) are longer than \(maxLength) tokens"
                    : "the prompts of \(long) alone fill \(maxLength) tokens" : nil,
        ].compactMap(\.self)
        let remedies = [
            masked > 0 ? "lower selection.maskBelow" : nil,
            long > 0 ? "raise training.maxLength" : nil,
        ].compactMap(\.self)
        let remedy = remedies.joined(separator: ", and ")
        return Failure(
            .badData,
            "no example is left to train on: of \(count) \(reasons.joined(separator: ", "))",
            remedy: remedy.prefix(1).uppercased() + remedy.dropFirst() + "."
        )
    }
}
