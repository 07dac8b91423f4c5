import ArgumentParser
import Checkpoints
import Files
import Foundation
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
        let tokenizer = try Self.tokenizer(model)
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

    /// Reads a tokenizer alone, where the model's form allows it without its weights.
    ///
    /// - Throws: `Failure` naming the file.
    static func tokenizer(_ path: String) throws -> Tokenizer {
        if path.hasSuffix(".json") { return try tokenizer(json: path) }
        let inside = "\(path)/tokenizer.json"
        if FileManager.default.fileExists(atPath: inside) { return try tokenizer(json: inside) }
        let files = try ModelFiles.open(path)
        do { return try Tokenizer(of: files) } catch let failure as Failure {
            throw failure.inFile(path)
        }
    }

    private static func tokenizer(json path: String) throws -> Tokenizer {
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        let beside = "\(folder)/tokenizer_config.json"
        let configuration =
            FileManager.default.fileExists(atPath: beside) ? try TextFile.readJSON(beside) : nil
        do {
            return try Tokenizer(json: TextFile.read(path), configuration: configuration)
        } catch let failure as Failure {
            throw failure.inFile(path)
        }
    }
}
