import Basics
import Tokenizers

/// How a model is shown its own answers to a question, to compare them step by step and name the best.
///
/// Source: RankPrompt, Hu et al. 2024, arXiv:2403.12373.
public struct RankSettings: Sendable, Equatable {
    /// Where the answers belong in the prompt.
    static let answersPlace = "{answers}"
    private static let (numberPlace, textPlace) = ("{number}", "{text}")

    /// What it is asked in place of a problem, with `{problem}` and `{answers}`.
    public var prompt = """
        {problem}

        Here are several answers to this question.

        {answers}Compare them step by step. Then name the best one: put its number within \\boxed{}.
        """
    /// How each answer is shown, with `{number}`, from 1, and `{text}`.
    public var answer = "Answer {number}:\n{text}\n\n"

    /// The text that stands for a problem, with all answers in their order.
    public func text(of problem: String, answers: [String]) -> String {
        let shown = answers.enumerated().map { index, text in
            answer.replacingOnce(Self.numberPlace, by: "\(index + 1)", Self.textPlace, by: text)
        }.joined()
        return prompt.replacingOnce(
            PromptTemplate.placeholder,
            by: problem,
            Self.answersPlace,
            by: shown
        )
    }
}

extension RankSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "prompt",
            \.prompt,
            .holding(PromptTemplate.placeholder, answersPlace),
            shown: "asks for a comparison and a number in a box",
            "What the model is asked; the number has to be stated as answers are."
        ),
        Key(
            "answer",
            \.answer,
            .holding(numberPlace, textPlace),
            shown: "Answer {number}: {text}, on lines of their own",
            "How each answer is shown."
        ),
    ]
}

extension ValueKind where Value == String {
    /// Text that holds two places once each.
    fileprivate static func holding(_ first: String, _ second: String) -> Self {
        ValueKind(
            "text that holds \(first) and \(second) once each",
            parse: { json in
                guard let text = json.string, text.ranges(of: first).count == 1,
                    text.ranges(of: second).count == 1
                else { return nil }
                return text
            },
            json: { .string($0) }
        )
    }
}

extension String {
    /// The text with two places filled, neither of which is looked for in what fills the other.
    fileprivate func replacingOnce(
        _ first: String,
        by one: String,
        _ second: String,
        by two: String
    ) -> String {
        guard let place = firstRange(of: first) else { return replacing(second, with: two) }
        return self[..<place.lowerBound].replacing(second, with: two) + one
            + self[place.upperBound...].replacing(second, with: two)
    }
}
