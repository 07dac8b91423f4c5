import Basics
import ChatTemplates
import Foundation
import Records
import Testing
import Tokenizers

@testable import Experiments

/// Prompts by the model's own chat template.
@Suite struct ModelTemplateTests {
    private static let plain = """
        {% for m in messages %}<|im_start|>{{ m.role }}
        {{ m.content | trim }}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        {% if enable_thinking is false %}<think>

        </think>

        {% endif %}{% endif %}
        """

    private static func settings(_ template: String) throws -> PromptSettings {
        try experiment(more: "template: \(template)").template
    }

    private static func tokenizer(_ template: String?) throws -> Tokenizer {
        let fixture = PinnedStageTests.tests.deletingLastPathComponent()
            .appending(path: "TokenizersTests/Fixtures/qwen2.json").path(percentEncoded: false)
        var configuration = JSONObject([("eos_token", "<|im_end|>")])
        configuration["chat_template"] = template.map { .string($0) }
        return try Tokenizer(
            json: TextFile.readJSON(fixture),
            configuration: .object(configuration)
        )
    }

    private static func text(
        _ settings: PromptSettings,
        _ template: String? = plain,
        _ problem: String = "1+1?",
        after context: [ChatMessage] = []
    ) throws -> String {
        let tokenizer = try tokenizer(template)
        let ids = try settings.encode(problem: problem, after: context, with: tokenizer)
        return tokenizer.text(of: ids, skipSpecial: false)
    }

    @Test(arguments: ["model", "{preset: model}"]) func rendersTheModelsTemplate(_ yaml: String)
        throws
    {
        #expect(
            try Self.text(Self.settings(yaml)) == """
                <|im_start|>user
                1+1?<|im_end|>
                <|im_start|>assistant
                <think>

                </think>


                """
        )
        let thinking = try Self.settings("{preset: model, thinking: true}")
        #expect(try Self.text(thinking).hasSuffix("<|im_start|>assistant\n"))
    }

    @Test func takesSystemMessagesExamplesAndTurns() throws {
        let settings = try Self.settings(
            """
            {preset: model, thinking: true, system: Be brief., \
            examples: [{problem: "2+2?", response: "4"}]}
            """
        )
        let start = "<|im_start|>system\nBe brief.<|im_end|>\n"
        let example = """
            <|im_start|>user
            2+2?<|im_end|>
            <|im_start|>assistant
            4<|im_end|>

            """
        let question = "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n"
        #expect(try Self.text(settings) == start + example + question)
        // A problem's own system message stands in place of the settings'.
        let problem = try Problem(
            json: [
                "id": "a", "answer": "2",
                "messages": [
                    ["role": "system", "content": "Own."], ["role": "user", "content": "Hi"],
                    ["role": "assistant", "content": "Ho"], ["role": "user", "content": "1+1?"],
                ],
            ]
        )
        #expect(problem.problem == "1+1?")
        let found = try Self.text(settings, problem.problem, after: problem.context)
        let turns = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo<|im_end|>\n"
        #expect(
            found == "<|im_start|>system\nOwn.<|im_end|>\n" + example + turns + question,
            "\(found)"
        )
        // Training sees the same prompt.
        var selected = SelectedTrace(id: "a", problem: "1+1?", answer: "2", text: "2")
        selected.context = problem.context
        let again = try SelectedTrace(json: selected.json)
        #expect(again.context == problem.context)
        let tokenizer = try Self.tokenizer(Self.plain)
        let trained = try settings.example(again, with: tokenizer)
        #expect(tokenizer.text(of: trained.ids, skipSpecial: false) == found + "2<|im_end|>")
        // Other presets have no place for turns.
        #expect(throws: Failure.self) {
            try Self.settings("chatml").encode(
                problem: "x",
                after: problem.context,
                with: tokenizer
            )
        }
    }

    private static func text(
        _ settings: PromptSettings,
        _ problem: String,
        after context: [ChatMessage]
    ) throws -> String {
        try text(settings, plain, problem, after: context)
    }

    /// What a message spells is text, though the template trims and moves it.
    @Test func messagesAreText() throws {
        let tokenizer = try Self.tokenizer(Self.plain)
        let settings = try Self.settings("{preset: model, system: 'Say <|im_end|>.'}")
        let ids = try settings.encode(problem: " <|im_end|><|im_start|> ", with: tokenizer)
        #expect(ids.count { $0 == tokenizer.id(of: "<|im_end|>") } == 2)
        #expect(ids.count { $0 == tokenizer.id(of: "<|im_start|>") } == 3)
        let text = tokenizer.text(of: ids, skipSpecial: false)
        #expect(text.contains("user\n<|im_end|><|im_start|><|im_end|>\n"))
    }

    @Test func turnsEndAsTheTemplateHasIt() throws {
        let settings = try Self.settings("model")
        func end(_ template: String) throws -> String {
            let tokenizer = try Self.tokenizer(template)
            let id = try settings.endOfTurnID(in: tokenizer)
            #expect(
                try settings.marks { tokenizer }.endOfTurn
                    == tokenizer.text(of: [id], skipSpecial: false)
            )
            return tokenizer.text(of: [id], skipSpecial: false)
        }
        #expect(try end(Self.plain) == "<|im_end|>")
        let other = "{% for m in messages %}{{ m.content }} <|endoftext|>{% endfor %}"
        #expect(try end(other) == "<|endoftext|>")
        // Where it writes none, the end of texts.
        #expect(try end("{% for m in messages %}{{ m.content }}{% endfor %}") == "<|im_end|>")
        let own = try Self.settings("{preset: model, endOfTurn: <|endoftext|>}")
        let tokenizer = try Self.tokenizer(Self.plain)
        #expect(try own.endOfTurnID(in: tokenizer) == tokenizer.id(of: "<|endoftext|>"))
    }

    @Test func saysWhatIsWrong() throws {
        func message(_ settings: String, _ template: String?) throws -> String {
            do {
                _ = try Self.text(Self.settings(settings), template)
                return "nothing"
            } catch let failure as Failure { return failure.description }
        }
        let opens = "{{ messages[0].content }}<|im_start|>assistant\n<think>\n"
        #expect(try message("model", opens).contains("Set template.thinking to true"))
        #expect(try message("{preset: model, thinking: true}", opens) == "nothing")
        let none = try message("model", nil)
        #expect(
            none
                == "the model's chat template: there is none\nName one of the presets in template.preset."
        )
        let unknown = try message("model", "a\n{% include 'x' %}")
        #expect(unknown == "the model's chat template, line 2: unknown statement 'include'")
        for wrong in [
            "{preset: model, prompt: 'Q: {problem}'}", "{examples: [{problem: a, response: b}]}",
            "{preset: plain, date: 2025-01-01}", "{preset: model, date: 2025-02-30}",
            "{preset: model, examples: [{problem: a}]}", "mine",
        ] {
            #expect(throws: Failure.self, "\(wrong)") { try Self.settings(wrong) }
        }
    }

    /// An experiment without a word about it has each model's own, or ChatML.
    @Test func isTheDefault() throws {
        #expect(try experiment().template.preset == .chatml, "models of the miniature world")
        let text = experimentText(models: "models: {student: {path: m}, teacher: {path: t}}")
        let settings = try Experiment(text: text, file: "x").template
        #expect(settings.isOfModel)
        #expect(try Self.text(settings) == Self.text(Self.settings("model")))
        let tokenizer = try Self.tokenizer(nil)
        #expect(try Self.text(settings, nil) == Self.text(Self.settings("chatml"), nil))
        #expect(try settings.endOfTurnID(in: tokenizer) == tokenizer.id(of: "<|im_end|>"))
        #expect(try settings.marks { tokenizer }.opening.hasSuffix("<|im_start|>assistant\n"))
        // Keys without a preset go with ChatML, as before there were others.
        #expect(try Self.settings("{system: x}").preset == .chatml)
    }

    @Test func stagesAreNamedByWhatIsSaid() throws {
        let yaml = [
            "model", "chatml", "{preset: model, system: x}", "{preset: model, thinking: true}",
            "{preset: model, date: 2025-01-01}",
            "{preset: model, examples: [{problem: a, response: b}]}",
        ]
        let names = try yaml.map { try Self.settings($0).json.compact }
        #expect(Set(names).count == names.count)
        #expect(names[0] == #"{"preset":"model","endOfTurn":"","thinking":false}"#)
        #expect(names[1].hasPrefix(#"{"prompt":"#) && !names[1].contains("date"))
    }
}
