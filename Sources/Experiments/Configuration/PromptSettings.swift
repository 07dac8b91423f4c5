import Basics
import Records
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

        /// The template with a system message; `plain` has no place for one.
        func template(system: String?) -> PromptTemplate {
            switch self {
            case .plain: .plain
            case .chatml: .chatML(system: system)
            case .qwen3Thinking: .qwen3Thinking(system: system)
            }
        }

        /// The end of the assistant's turn; without one of its own the chain world's.
        var endOfTurn: String { template(system: nil).endOfTurn ?? ChainWorld.endOfTurn }
    }

    /// Where the parts come from that are not given here.
    public var preset = Preset.chatml
    /// The system message, which the model gets as it is written; nil for none.
    public var system: String?
    /// A prompt in place of the preset's, with `{problem}` where the problem belongs; nil for the
    /// preset's.
    public var prompt: String?
    /// The token that ends the assistant's turn.
    public var endOfTurn = Preset.chatml.endOfTurn
    /// Whether the model thinks: its completion closes the thinking with one `</think>`.
    public var isThinking = false

    /// The template as tokenizers take it.
    public var template: PromptTemplate {
        var template = preset.template(system: system)
        if let prompt { template = PromptTemplate(text: prompt) }
        template.endOfTurn = endOfTurn
        return template
    }

    /// What the template says around a trace.
    public var marks: TraceMarks {
        TraceMarks(opening: template.opening, endOfTurn: endOfTurn, isThinking: isThinking)
    }

    /// Whether a reader of the prompt's text alone would take a part of the system message for the
    /// template's: for the problem's place, or for a special token, whose names stand in brackets.
    private var hasAmbiguousMessage: Bool {
        guard prompt == nil, preset != .plain, let system else { return false }
        return system.contains(PromptTemplate.placeholder) || system.contains(endOfTurn)
            || system.contains(/<[^<>\s]+>|\[[^\[\]\s]+\]/)
    }
}

extension PromptSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("preset", \.preset, .word, influence: .indirect, "The turns around the problem."),
        Key(
            "system",
            \.system,
            .optional(.filled()),
            influence: .indirect,
            "The system message, which the model gets as it is written."
        ),
        Key(
            "prompt",
            \.prompt,
            .prompt,
            influence: .indirect,
            shown: "by preset and system",
            "The whole prompt, special tokens included, in place of preset and system message."
        ),
        // Stages are named by the prompt's text, wherever it comes from, and by the system message
        // where that text alone could mean another prompt.
        .derived("prompt") { settings in
            .string(settings.template.render(problem: PromptTemplate.placeholder))
        },
        .derived("system") { settings in
            settings.hasAmbiguousMessage ? settings.system.map { .string($0) } : nil
        },
        Key(
            "endOfTurn",
            \.endOfTurn,
            .filled("a token"),
            default: \.preset.endOfTurn,
            shown: "by preset",
            "The special token that ends the assistant's turn."
        ),
        Key(
            "thinking",
            \.isThinking,
            .truth,
            default: { $0.preset == .qwen3Thinking },
            shown: "by preset",
            "Whether completions think first, and close that with </think>."
        ),
    ]
}

extension ValueKind where Value == String? {
    fileprivate static var prompt: Self {
        ValueKind(
            "text that holds \(PromptTemplate.placeholder) once",
            parse: { json in
                let count = json.string?.ranges(of: PromptTemplate.placeholder).count
                return count == 1 ? .some(json.string) : nil
            },
            json: { $0.map { .string($0) } }
        )
    }
}
