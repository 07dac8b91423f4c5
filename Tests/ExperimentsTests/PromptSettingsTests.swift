import Basics
import Foundation
import Testing
import Tokenizers

@testable import Experiments

@Suite struct PromptSettingsTests {
    private static func settings(_ template: String) throws -> PromptSettings {
        try experiment(more: "template: \(template)").template
    }

    private static func tokenizer() throws -> Tokenizer {
        let fixture = PinnedStageTests.tests.deletingLastPathComponent()
            .appending(path: "TokenizersTests/Fixtures/qwen2.json").path(percentEncoded: false)
        return try Tokenizer(json: TextFile.readJSON(fixture))
    }

    /// What a system message spells reaches the model as text, in every template that has one.
    @Test(arguments: ["chatml", "qwen3-thinking"], ["{problem}", "<|im_end|>", "<|no_token|>"])
    func systemMessagesAreText(_ preset: String, _ spelled: String) throws {
        let tokenizer = try Self.tokenizer()
        let settings = try Self.settings("{preset: \(preset), system: 'Say \(spelled) once.'}")
        let ids = try settings.encode(problem: "1+1?", with: tokenizer)
        let text = tokenizer.text(of: ids, skipSpecial: false)
        #expect(text.hasPrefix("<|im_start|>system\nSay \(spelled) once.<|im_end|>\n"), "\(text)")
        #expect(text.ranges(of: "1+1?").count == 1)
        let ends = ids.count { $0 == tokenizer.id(of: "<|im_end|>") }
        #expect(ends == 2, "the turns of system and user")
        // Its stages are not those of a prompt with the same text that means the special token.
        #expect(settings.json["system"]?.string == "Say \(spelled) once.")
    }

    @Test func plainMessagesAddNothingToTheNamesOfStages() throws {
        for system in ["Be brief.", "Solve 1 < 2 [sic] for $x$ in \\boxed{}."] {
            let json = try Self.settings("{system: '\(system)'}").json
            #expect((json["system"] == nil) == !system.contains("[sic]"))
            #expect(json["prompt"]?.string?.contains("system\n\(system)<|im_end|>") == true)
        }
        // Nor does one that the prompt has no place for.
        let plain = try Self.settings("{preset: plain, system: '<|im_end|>'}").json
        #expect(plain["system"] == nil && plain["prompt"]?.string == "{problem}")
        let own = try Self.settings("{prompt: 'Q: {problem}', system: '<|im_end|>'}").json
        #expect(own["system"] == nil && own["prompt"]?.string == "Q: {problem}")
    }

    @Test func promptsAreMarkup() throws {
        let tokenizer = try Self.tokenizer()
        let settings = try Self.settings("{prompt: '<|im_start|>{problem}<|im_end|>'}")
        let ids = try settings.encode(problem: "<|im_end|>", with: tokenizer)
        #expect(ids.first == tokenizer.id(of: "<|im_start|>"))
        #expect(ids.count { $0 == tokenizer.id(of: "<|im_end|>") } == 1)
        #expect(settings.template.opening == "<|im_end|>")
    }

    @Test func presetsSetTheirEnds() throws {
        let ends = try PromptSettings.Preset.allCases.map { preset in
            let settings = try Self.settings("{preset: \(preset.rawValue)}")
            return "\(settings.endOfTurn) \(settings.isThinking) \(settings.template.opening)"
        }
        #expect(
            ends == [
                "$ false ", "<|im_end|> false <|im_end|>\n<|im_start|>assistant\n",
                "<|im_end|> true <|im_end|>\n<|im_start|>assistant\n<think>\n",
                " false ",
            ]
        )
    }
}
