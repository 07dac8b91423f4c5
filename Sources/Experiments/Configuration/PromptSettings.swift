import Basics
import ChatTemplates
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
        /// Each model's own chat template.
        case model

        /// The template with a system message; `plain` has no place for one, and what a model's own
        /// says is known with the model only.
        func template(system: String?) -> PromptTemplate {
            switch self {
            case .plain, .model: .plain
            case .chatml: .chatML(system: system)
            case .qwen3Thinking: .qwen3Thinking(system: system)
            }
        }

        /// The end of the assistant's turn; without one of its own the chain world's, and of a
        /// model's own template what that writes, for which nothing stands here.
        var endOfTurn: String {
            self == .model ? "" : template(system: nil).endOfTurn ?? ChainWorld.endOfTurn
        }
    }

    /// A question with the answer that the model is shown before its own.
    public struct Example: Sendable, Equatable {
        /// The user's turn.
        public var problem: String
        /// The assistant's.
        public var response: String
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
    /// Turns before every problem's own, for a model's own template.
    public var examples: [Example] = []
    /// What a model's own template takes for today.
    public var date = TemplateDate.standard
    /// Whether ChatML stands in for the template of a model that has none.
    private(set) var fallsBack = false

    /// What an experiment that says nothing about it has: each model's own template, and ChatML for
    /// models without one.
    static var standard: PromptSettings {
        var settings = PromptSettings()
        settings.preset = .model
        settings.endOfTurn = Preset.model.endOfTurn
        settings.fallsBack = true
        return settings
    }

    /// The settings for a model, whose own template may be the default's stand-in.
    func settled(for tokenizer: Tokenizer) -> PromptSettings {
        fallsBack && tokenizer.chatTemplate == nil ? PromptSettings() : self
    }

    /// Whether each model gets problems as its own chat template has it.
    public var isOfModel: Bool { preset == .model }

    /// The template as tokenizers take it, unless it is each model's own.
    public var template: PromptTemplate {
        var template = preset.template(system: system)
        if let prompt { template = PromptTemplate(text: prompt) }
        template.endOfTurn = endOfTurn
        return template
    }

    /// Whether a reader of the prompt's text alone would take a part of the system message for the
    /// template's: for the problem's place, or for a special token, whose names stand in brackets.
    private var hasAmbiguousMessage: Bool {
        guard prompt == nil, preset != .plain, preset != .model, let system else { return false }
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
        // where that text alone could mean another prompt; a model's own template is part of the
        // model.
        .derived("prompt") { settings in
            settings.isOfModel
                ? nil : .string(settings.template.render(problem: PromptTemplate.placeholder))
        },
        .derived("preset") { settings in settings.isOfModel ? "model" : nil },
        .derived("system") { settings in
            settings.isOfModel || settings.hasAmbiguousMessage
                ? settings.system.map { .string($0) } : nil
        },
        Key(
            "examples",
            \.examples,
            .examples.leftOut(at: []),
            shown: "none",
            "Questions with answers that stand before every problem; for preset model."
        ),
        Key(
            "date",
            \.date,
            .date.leftOut(at: .standard),
            shown: "2024-07-26",
            "What a model's own template takes for today; for preset model."
        ),
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
            "Whether completions think first, and close that with </think>; a model's own template "
                + "gets it as enable_thinking."
        ),
    ]

    func check(_ reader: ConfigurationReader) {
        if isOfModel {
            guard prompt != nil else { return }
            reader.report.add(reader.path("prompt"), "does not go with preset model")
        } else {
            for (key, isGiven) in [("examples", !examples.isEmpty), ("date", date != .standard)]
            where isGiven {
                reader.report.add(reader.path(key), "needs preset model, the model's own template")
            }
        }
    }
}

extension ValueKind where Value == [PromptSettings.Example] {
    /// Maps of a problem and a response.
    fileprivate static var examples: Self {
        .list(
            "maps of problem and response",
            of: ValueKind<PromptSettings.Example>(
                "a map of problem and response",
                parse: { json in
                    guard let object = json.object, object.members.count == 2,
                        let problem = json["problem"]?.filled,
                        let response = json["response"]?.filled
                    else { return nil }
                    return PromptSettings.Example(problem: problem, response: response)
                },
                json: { ["problem": .string($0.problem), "response": .string($0.response)] }
            ),
            mayBeEmpty: true,
            most: longestList
        )
    }
}

extension ValueKind where Value == TemplateDate {
    /// A day such as 2024-07-26.
    fileprivate static var date: Self {
        ValueKind(
            "a day such as 2024-07-26",
            parse: { json in json.string.flatMap { TemplateDate($0) } },
            json: { .string($0.description) }
        )
    }
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
