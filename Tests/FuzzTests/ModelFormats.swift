import Basics
import Checkpoints
import Foundation
import Models
import TestSupport
import Tokenizers

/// GGUF files: loaded, used, and now and then exported and read back.
struct GGUFSubject: FuzzSubject {
    let folder: String
    let mutator = ByteMutator(seeds: GGUFSeed.all)

    func input(_ random: inout SplitMix) -> [UInt8] { mutator.next(&random) }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        let path = "\(folder)/model.gguf"
        try Data(input).write(to: URL(filePath: path))
        let model = try LanguageModel(path, storage: random.pick([.stored, .float32, .q8_0]))
        try TinyModel.use(model, &random)
        guard random.isOne(in: 8) else { return }
        try ExportCheck.run(path, to: "\(folder)/export")
    }
}

/// Whether a model that loads is the same model after its export.
enum ExportCheck {
    static func run(_ path: String, to folder: String) throws {
        let model = try LanguageModel(path, storage: .float32)
        var export = try HuggingFaceExport(of: ModelFiles.open(path))
        export.tokenizer = model.tokenizer.toJSON()
        export.tokenizerConfiguration = model.tokenizer.configurationJSON
        try export.write(to: folder)
        let again: LanguageModel
        do { again = try LanguageModel(folder, storage: .float32) } catch let failure as Failure {
            throw FuzzFault("the export cannot be read: \(failure)")
        }
        let ids = [0, model.vocabularySize - 1].map { Int32($0) }
        let (old, new) = (logits(model, ids), logits(again, ids))
        guard old == new else { throw FuzzFault("the export has other logits") }
    }

    private static func logits(_ model: LanguageModel, _ ids: [Int32]) -> [UInt32] {
        model.transformer.logits(TokenBatch([ids]), wanted: [1]).elements
            .map { $0.isNaN ? .max : $0.bitPattern }
    }
}

/// A folder in which one file is damaged, the others being whole.
struct FolderSubject: FuzzSubject {
    /// The files that are damaged, and how.
    private let files: [(name: String, mutator: any FileMutator)]
    private let whole: [String: [UInt8]]
    private let folder: String
    private var name = ""

    /// Writes the folder; `names` are the files in it that are damaged.
    init(_ family: ModelConfiguration.Family, _ folder: String, damaging names: [String]) throws {
        self.folder = "\(folder)/model"
        try TinyModel.writeFolder(family, to: self.folder)
        var whole: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder) {
            whole[name] = [UInt8](try TextFile.read("\(self.folder)/\(name)"))
        }
        self.whole = whole
        files = names.map { name in
            let bytes = whole[name] ?? []
            guard name.hasSuffix(".json") else { return (name, SafetensorsMutator(bytes)) }
            let words = [
                "\"llama\"", "\"qwen2\"", "\"linear\"", "\"yarn\"", "\"llama3\"", "16777216",
            ]
            let scaled = String(decoding: bytes, as: UTF8.self).replacing(
                "\"rope_scaling\": null",
                with: """
                    "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "beta_fast": 32,
                    "original_max_position_embeddings": 16, "low_freq_factor": 1.0}
                    """
            )
            return (
                name, TextMutator([String(decoding: bytes, as: UTF8.self), scaled], words: words)
            )
        }
    }

    mutating func input(_ random: inout SplitMix) -> [UInt8] {
        let file = random.pick(files)
        name = file.name
        return file.mutator.next(&random)
    }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        let path = "\(folder)/\(name)"
        try Data(input).write(to: URL(filePath: path))
        defer { try? Data(whole[name] ?? []).write(to: URL(filePath: path)) }
        let model = try LanguageModel(folder, storage: random.pick([.stored, .float32]))
        try TinyModel.use(model, &random)
        guard random.isOne(in: 8) else { return }
        try ExportCheck.run(folder, to: "\(folder)-export")
    }
}

/// Makes damaged copies of a file.
protocol FileMutator: Sendable {
    func next(_ random: inout SplitMix) -> [UInt8]
}

extension TextMutator: FileMutator {}
extension ByteMutator: FileMutator {}

/// Damages the header of a safetensors file, mostly with a length that still fits, or its numbers.
struct SafetensorsMutator: FileMutator {
    private let header: TextMutator
    private let headerBytes: [UInt8]
    private let numbers: [UInt8]
    private let raw: ByteMutator

    init(_ file: [UInt8]) {
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        headerBytes = Array(file[8..<8 + length])
        header = TextMutator(
            [String(decoding: headerBytes, as: UTF8.self)],
            words: ["\"F16\"", "\"BF16\"", "\"F64\"", "\"I8\"", "[0,0]", "[9223372036854775807,2]"]
        )
        numbers = Array(file[(8 + length)...])
        raw = ByteMutator(seeds: [
            MarkedBytes(
                file,
                marks: [.init(offset: 0, width: 8), .init(offset: 8 + length, width: 0)]
            )
        ])
    }

    func next(_ random: inout SplitMix) -> [UInt8] {
        if random.isOne(in: 4) { return raw.next(&random) }
        let text = header.next(&random)
        var file = MarkedBytes()
        file.append(UInt64(text.count))
        file.append(text)
        file.append(numbers)
        return file.bytes
    }
}

/// tokenizer.json, with and without a tokenizer_config.json.
struct TokenizerSubject: FuzzSubject {
    private let mutator: TextMutator
    private let configurations: TextMutator

    init() throws {
        let tokenizer = try Tokenizer(json: TinyModel.tokenizerJSON)
        // A vocabulary of few words, so that changes meet what is special about it.
        let small = """
            {"added_tokens": [{"id": 4, "content": "<|im_end|>", "special": true},
            {"id": 5, "content": "a b", "special": false, "normalized": true}],
            "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel",
            "add_prefix_space": false, "use_regex": true},
            "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "ignore_merges": true,
            "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3}, "merges": [["a", "b"]]}}
            """
        mutator = TextMutator(
            [String(decoding: tokenizer.toJSON(), as: UTF8.self), small, small, small],
            words: [
                "\"ByteLevel\"", "\"Split\"", "\"Digits\"", "\"Sequence\"", "\"NFC\"",
                "\"Metaspace\"",
                "\"Ġ\"", "\"a b\"", "\"Ġ a\"", "[\"a\", \"b\"]", "\"Ċ\"", "\"\\u00ff\"",
            ]
        )
        configurations = TextMutator([tokenizer.configurationJSON.compact])
        try TinyModel.use(Tokenizer(json: Data(small.utf8)))
    }

    func input(_ random: inout SplitMix) -> [UInt8] { mutator.next(&random) }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        let configuration =
            random.isOne(in: 4) ? try JSON(parsing: Data(configurations.next(&random))) : nil
        try TinyModel.use(try Tokenizer(json: Data(input), configuration: configuration))
    }
}
