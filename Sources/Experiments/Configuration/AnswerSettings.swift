import Basics
import Grading

/// How completions state their answers.
public struct AnswerSettings: Sendable, Equatable {
    /// Which statements count.
    public enum Style: String, Sendable, CaseIterable {
        /// A box, else a phrase such as "the answer is", else the last number; the trace filter
        /// accepts a box only.
        case math
        /// A balanced `\boxed{}` only.
        case boxed
        /// What follows the last `start`, up to `end`.
        case marker
    }

    /// Which statements count.
    public var style = Style.math
    /// Text before the answer, for style `marker`.
    public var start = "#"
    /// Text after the answer, for style `marker`; nil for the rest of the text.
    public var end: String?
}

extension AnswerSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "style",
            \.style,
            .word,
            "Where an answer is looked for: in the text as people state answers, in a box only, or "
                + "behind a marker; traces need the box in the first case too."
        ),
        Key("start", \.start, .text, "Text before the answer, for style marker."),
        Key(
            "end",
            \.end,
            .optional(.filled(), absent: .null),
            "Text after the answer, for style marker; without it the answer goes on to the end."
        ),
    ]

    func check(_ reader: ConfigurationReader) {
        guard style != .marker && (reader.has("start") || reader.has("end")) else { return }
        reader.report.add(
            reader.path("style"),
            "found '\(style.rawValue)' with a start or an end; expected marker"
        )
    }
}

extension Experiment {
    /// How samples state their answers; thinking models must have stopped thinking to answer.
    public var sampleStyle: AnswerStyle { style(strict: false) }

    /// How traces state their answers: strictly, so that no guess passes the filter.
    public var traceStyle: AnswerStyle { style(strict: true) }

    private func style(strict: Bool) -> AnswerStyle {
        var style: AnswerStyle =
            switch answers.style {
            case .math: strict ? .boxed : .math
            case .boxed: .boxed
            case .marker: .marked(answers.start, end: answers.end)
            }
        style.requiresReasoningEnd = template.isThinking
        return style
    }
}
