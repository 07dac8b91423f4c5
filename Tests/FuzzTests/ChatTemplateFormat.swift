import ChatTemplates
import Foundation
import TestSupport

/// Chat templates: a damaged one is refused, or renders a conversation with every word of it told
/// from its own.
struct ChatTemplateSubject: FuzzSubject {
    private let mutator: TextMutator

    init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "ChatTemplatesTests/Fixtures/templates")
        let files = try FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        let seeds = try files.sorted { $0.path < $1.path }.map { file in
            try String(contentsOf: file, encoding: .utf8)
        }
        mutator = TextMutator(
            seeds,
            words: [
                "{%", "%}", "{{", "}}", "{#", "#}", "-%}", "{%-", "for", "in", "if", "else", "elif",
                "endif", "endfor", "set", "endset", "macro", "endmacro", "namespace", "loop", "is",
                "not", "defined", "messages", "message", "content", "range(99999)", "* 99999", "~",
                "+", "**", "//", "%", "[::-1]", "|", "tojson", "join", "map", "select", "replace",
                "indent", "split", "sort", "filter", "endfilter", "generation", "with", "raw",
                "break", "continue", "none", "=", "==", "<", "(", ")", ".",
            ]
        )
    }

    func input(_ random: inout SplitMix) -> [UInt8] { mutator.next(&random) }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        let template = try ChatTemplate(String(decoding: input, as: UTF8.self))
        let words = ["\u{E000}alpha", "\u{E000}Beta gamma", "\u{E000}1"]
        let messages = zip(
            random.pick([["system", "user"], ["user", "assistant", "user"]]),
            words
        )
        .map { ChatMessage(role: $0, content: $1) }
        var options = ChatTemplate.Options()
        options.addsGenerationPrompt = random.isOne(in: 2)
        options.enablesThinking = random.pick([nil, true, false])
        options.bosToken = random.isOne(in: 2) ? "<s>" : nil
        options.eosToken = "</s>"
        // The first character of each message is one that no template has.
        for span in try template.render(messages, options) where !span.isFromMessage {
            guard !span.text.contains("\u{E000}") else {
                throw FuzzFault("a message's words are taken for the template's")
            }
        }
    }
}
