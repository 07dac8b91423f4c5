import Basics
import Records
import Testing
import Tokenizers

@testable import Experiments

/// Traces as other trainers read them.
@Suite struct TrainerFormatTests {
    static func tokenizer() throws -> Tokenizer {
        let fixture = PinnedStageTests.tests.deletingLastPathComponent()
            .appending(path: "TokenizersTests/Fixtures/qwen2.json").path(percentEncoded: false)
        return try Tokenizer(json: TextFile.readJSON(fixture))
    }

    static let trace = SelectedTrace(id: "p", problem: "1+2?", answer: "3", text: "It is 3.")

    static func export(
        _ format: TrainerFormat,
        of trace: SelectedTrace = trace,
        _ change: (inout PromptSettings) -> Void = { _ in }
    ) throws -> JSON {
        var settings = PromptSettings()
        settings.system = "Think."
        change(&settings)
        return try settings.exported(trace, as: format, with: tokenizer())
    }

    @Test func formatsSayTheSame() throws {
        let prompt =
            "<|im_start|>system\nThink.<|im_end|>\n<|im_start|>user\n1+2?<|im_end|>\n"
            + "<|im_start|>assistant\n"
        let split = try Self.export(.promptCompletion)
        #expect(split["prompt"]?.string == prompt)
        #expect(split["completion"]?.string == "It is 3.<|im_end|>")
        #expect(try Self.export(.text)["text"]?.string == prompt + "It is 3.<|im_end|>")
        let messages = try Self.export(.messages)["messages"]?.array ?? []
        #expect(messages.map { $0["role"]?.string } == ["system", "user", "assistant"])
        #expect(messages.map { $0["content"]?.string } == ["Think.", "1+2?", "It is 3."])
    }

    /// The tokens of prompt and completion are those that our own training has.
    @Test func theTextHasTheTokensOfTraining() throws {
        let (settings, tokenizer) = (PromptSettings(), try Self.tokenizer())
        let line = try settings.exported(Self.trace, as: .text, with: tokenizer)
        let text = try #require(line["text"]?.string)
        let example = try settings.example(Self.trace, with: tokenizer)
        #expect(try tokenizer.encode(text, specialTokens: .parse) == example.ids)
    }

    @Test func thinkingOpensTheMessage() throws {
        var trace = Self.trace
        trace.text = "1, 2.\n</think>\n3"
        let line = try Self.export(.messages, of: trace) {
            $0.preset = .qwen3Thinking
            $0.isThinking = true
        }
        #expect(line["messages"]?.array?.last?["content"]?.string == "<think>\n1, 2.\n</think>\n3")
    }

    @Test func whatAFormatCannotTellIsRefused() throws {
        var part = Self.trace
        part.isComplete = false
        #expect(failureText { _ = try Self.export(.messages, of: part) }.contains("beginning"))
        #expect(try Self.export(.promptCompletion, of: part)["completion"]?.string == "It is 3.")
        let masked = SelectedTrace(
            id: "p",
            problem: "1+2?",
            answer: "3",
            text: "ab",
            ids: [1, 2],
            weights: [1, 0]
        )
        for format in TrainerFormat.allCases {
            let text = failureText { _ = try Self.export(format, of: masked) }
            #expect(text.hasPrefix("78") && text.contains("some tokens only"))
        }
        #expect(
            failureText { _ = try Self.export(.messages) { $0.prompt = "Q: {problem}" } }
                .contains("template.prompt")
        )
    }
}
