import Records
import Basics
import Tokenizers

/// How a problem is put to a model, and how its turn ends.
public struct PromptSettings: Sendable, Equatable {
    /// Ready-made templates.
    public enum Preset: String, Sendable, CaseIterable {
        /// The problem and nothing else.
        case plain
        /// System, user and assistant turns between `<|im_start|>` and `<|im_end|>`.
        case chatml
        /// ChatML without a system turn unless one is given; the assistant's turn opens with
        /// `<think>`.
        case qwen3Thinking = "qwen3-thinking"
    }

    /// The prompt, with `{problem}` where the problem belongs.
    public var prompt: String
    /// The token that ends the assistant's turn.
    public var endOfTurn: String
    /// Whether the model thinks: its completion closes the thinking with one `</think>`.
    public var isThinking: Bool

    init(prompt: String, endOfTurn: String, isThinking: Bool) {
        self.prompt = prompt
        self.endOfTurn = endOfTurn
        self.isThinking = isThinking
    }

    init(preset: Preset, system: String?) {
        var template: PromptTemplate =
            switch preset {
            case .plain: .plain
            case .chatml: .chatML
            case .qwen3Thinking: .qwen3Thinking
            }
        template.system = system
        self.init(
            prompt: template.render(problem: "{problem}"),
            endOfTurn: template.endOfTurn ?? "$",
            isThinking: preset == .qwen3Thinking
        )
    }

    init(_ reader: ConfigurationReader) {
        let preset = reader.choice("preset", default: Preset.chatml) ?? .chatml
        self.init(preset: preset, system: reader.optional("system", "text", \.filled))
        prompt =
            reader.optional("prompt", "text that holds {problem} once") { value in
                value.string.flatMap { $0.ranges(of: "{problem}").count == 1 ? $0 : nil }
            } ?? prompt
        endOfTurn = reader.optional("endOfTurn", "a token", \.filled) ?? endOfTurn
        isThinking = reader.bool("thinking", default: isThinking)
        reader.finish()
    }

    /// What the template says around a trace.
    public var marks: TraceMarks {
        let behind = prompt.ranges(of: "{problem}").last.map { prompt[$0.upperBound...] } ?? ""
        return TraceMarks(
            opening: String(behind),
            endOfTurn: endOfTurn,
            isThinking: isThinking
        )
    }

    /// The template as tokenizers take it.
    public var template: PromptTemplate {
        PromptTemplate(userTurn: prompt, endOfTurn: endOfTurn)
    }

    /// The members that everything generated depends on.
    var json: JSON {
        [
            "prompt": .string(prompt), "endOfTurn": .string(endOfTurn),
            "thinking": .bool(isThinking),
        ]
    }
}

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
    public var style: Style
    /// Text before the answer, for style `marker`.
    public var start: String
    /// Text after the answer, for style `marker`; nil for the rest of the text.
    public var end: String?

    init(_ reader: ConfigurationReader) {
        style = reader.choice("style", default: Style.math) ?? .math
        start = reader.string("start", default: "#")
        end = reader.optional("end", "text", \.filled)
        if style != .marker && (reader.has("start") || reader.has("end")) {
            reader.report.add(
                reader.path("style"),
                "found '\(style.rawValue)' with a start or an end; expected marker"
            )
        }
        reader.finish()
    }

    /// The members that verdicts depend on.
    var json: JSON {
        [
            "style": .string(style.rawValue), "start": .string(start),
            "end": end.map { .string($0) } ?? .null,
        ]
    }
}
