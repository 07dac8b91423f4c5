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
    /// - Throws: `Failure.badData` naming the example under `.error`; `NothingToTrainOn` when nothing
    ///   is left.
    public init(_ all: [TrainingExample], maxLength: Int, overlong: OverlongPolicy) throws {
        for var example in all {
            guard example.targetCount > 0 else {
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
            throw NothingToTrainOn(all, maxLength: maxLength, overlong: overlong)
        }
    }
}

/// The traces of an arm are there, and none of them can be trained on.
public struct NothingToTrainOn: Error, CustomStringConvertible {
    /// Traces that are longer than training allows.
    let longCount: Int
    /// The others: no token of theirs is trained, as all are masked.
    let maskedCount: Int
    private let maxLength: Int
    private let overlong: OverlongPolicy

    init(_ examples: [TrainingExample], maxLength: Int, overlong: OverlongPolicy) {
        longCount = examples.count { $0.ids.count > maxLength }
        maskedCount = examples.count - longCount
        self.maxLength = maxLength
        self.overlong = overlong
    }

    /// Why, in words that follow the name of an arm; manifests and reports state it.
    public var reason: String {
        let limit = "longer than training.maxLength (\(maxLength) tokens)"
        let masked = "no token that is trained on"
        return switch (longCount, maskedCount) {
        case (0, 0): "none of its traces was selected"
        case (_, 0): "all of its traces (\(longCount)) are \(limit)"
        case (0, _): "all of its traces (\(maskedCount)) have \(masked)"
        case (_, _): "\(longCount) of its traces are \(limit), \(maskedCount) have \(masked)"
        }
    }

    /// The same standing alone, with what can be done about it on a second line.
    public var description: String {
        let count = longCount + maskedCount
        guard count > 0 else {
            return "holds no trace, so there is nothing to train on\n"
                + "Generate more tries, or loosen the trace filter (selection)."
        }
        var (reasons, remedies): ([String], [String]) = ([], [])
        if maskedCount > 0 {
            reasons.append("\(maskedCount) have no token to train on, since all are masked")
            remedies.append("lower selection.maskBelow")
        }
        if longCount > 0 {
            reasons.append(
                overlong == .drop
                    ? "\(longCount) are longer than \(maxLength) tokens"
                    : "the prompts of \(longCount) alone fill \(maxLength) tokens"
            )
            remedies.append("raise training.maxLength")
        }
        let remedy = remedies.joined(separator: ", and ")
        return "no example is left to train on: of \(count) \(reasons.joined(separator: ", "))\n"
            + remedy.prefix(1).uppercased() + remedy.dropFirst() + "."
    }
}
