/// How an experiment's completions state their answers, as data.
///
/// Rules are tried in order on the text after the reasoning; the first that finds something wins.
/// `math` suits published benchmarks; `boxed` is the strict style of the trace filter.
public struct AnswerStyle: Sendable, Equatable {
    /// Which kinds of statement are looked for, most trusted first.
    public var rules: [ExtractionRule]
    /// The experiment's own marker; needed by rule `.marker`, otherwise unused.
    public var marker: AnswerMarker?
    /// Text that ends the reasoning; only what follows its last occurrence is searched.
    public var reasoningEnd: String
    /// Whether a completion without `reasoningEnd` states no answer (for thinking models).
    public var requiresReasoningEnd: Bool

    /// Describes a style.
    public init(
        rules: [ExtractionRule] = [.boxed, .tagged, .phrase, .conclusion, .lastNumber],
        marker: AnswerMarker? = nil,
        reasoningEnd: String = "</think>",
        requiresReasoningEnd: Bool = false
    ) {
        self.rules = rules
        self.marker = marker
        self.reasoningEnd = reasoningEnd
        self.requiresReasoningEnd = requiresReasoningEnd
    }

    /// A box, else a tag or mark, else a phrase such as "the answer is", else the number of the conclusion,
    /// else the last number.
    public static let math = AnswerStyle()

    /// Only a balanced `\boxed{}`.
    public static let boxed = AnswerStyle(rules: [.boxed])

    /// This style for a reference answer: where that is the letter of a choice, the last letter takes
    /// the place of the last number.
    public func adapted(to gold: String) -> AnswerStyle {
        guard rules.contains(.lastNumber), Answer(gold, budget: WorkBudget()).isOnlyChoice else {
            return self
        }
        var copy = self
        copy.rules = rules.compactMap {
            $0 == .conclusion ? nil : $0 == .lastNumber ? .lastLetter : $0
        }
        return copy
    }

    /// Only what stands between the last `start` and the next `end` (or the end of the text).
    public static func marked(_ start: String, end: String? = nil) -> AnswerStyle {
        AnswerStyle(rules: [.marker], marker: AnswerMarker(start: start, end: end))
    }
}

/// A rule that finds an answer in a completion; the raw value is what per-sample files store.
public enum ExtractionRule: String, Sendable, Equatable, CaseIterable {
    /// The last balanced `\boxed{...}` or `\fbox{...}`, or `\boxed 5`.
    case boxed
    /// What is in the last `<answer>` tag, or follows `####` on the last line.
    case tagged
    /// What follows the last "answer is" or "answer:".
    case phrase
    /// What follows the last occurrence of the style's own marker.
    case marker
    /// The number that the closing sentence gives ("So she has 5 apples left"): a guess, to be counted
    /// apart from stated answers.
    case conclusion
    /// The last number of the text: a guess, to be counted apart from stated answers.
    case lastNumber
    /// The last letter of a choice that stands alone, such as `(C)`: a guess as well.
    case lastLetter

    /// Whether it takes what may not have been meant as the answer.
    public var isGuess: Bool { self == .lastNumber || self == .lastLetter || self == .conclusion }
}

/// An experiment's own way to mark an answer, such as `#3$`.
public struct AnswerMarker: Sendable, Equatable {
    /// Text that opens the answer; the last occurrence counts.
    public var start: String
    /// Text that closes the answer; without it the answer runs to the end of the text.
    public var end: String?

    /// Describes a marker.
    public init(start: String, end: String? = nil) {
        self.start = start
        self.end = end
    }
}

/// An answer found in a completion.
public struct ExtractedAnswer: Sendable, Equatable {
    /// The answer as written, without its box, marker or surrounding space.
    public var text: String
    /// The rule that found it.
    public var rule: ExtractionRule

    /// Pairs an answer with the rule that found it.
    public init(text: String, rule: ExtractionRule) {
        self.text = text
        self.rule = rule
    }
}
