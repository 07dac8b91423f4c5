import ArgumentParser
import Basics
import Experiments
import Models
import Tokenizers

/// `tokenize`: what a model's tokenizer makes of texts.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turns texts into token ids and back.",
        discussion: """
            Reads JSON lines {"text"} on standard input and writes {"ids", "decoded"}. Special \
            tokens spelled out in a text become tokens; none is added before or after it.
            """
    )

    @Option(
        help: ArgumentHelp(
            "A .gguf file, a Hugging Face folder, an .h5 checkpoint or a tokenizer.json.",
            valueName: "path"
        )
    ) var model: String

    func run() throws {
        let tokenizer = try Tokenizer(at: model)
        let lines = try JSONLines.read(StandardInput.path("-")) {
            try Self.tokenized($0, tokenizer)
        }
        try StandardOutput.write(lines: lines)
    }

    /// The ids of a record's text, and the text of those ids.
    ///
    /// - Throws: `Failure.badData` without a text, or where the vocabulary cannot spell it.
    static func tokenized(_ record: JSON, _ tokenizer: Tokenizer) throws -> JSON {
        let ids = try tokenizer.encode(try record.string("text"), specialTokens: .parse)
        return [
            "ids": .integers(ids),
            "decoded": .string(tokenizer.text(of: ids, skipSpecial: false)),
        ]
    }
}
