import Basics
import Foundation

/// A model as a folder that transformers, vLLM and llama.cpp's converter load.
public struct HuggingFaceExport: Sendable {
    /// The model's tensors; a tied output head is left out, as the published files leave it out.
    public var tensors: [NamedTensor]
    /// config.json.
    public var configuration: JSON
    /// generation_config.json; made from the ids in `configuration` when nil.
    public var generationConfiguration: JSON?
    /// tokenizer.json, byte for byte.
    public var tokenizer: Data?
    /// tokenizer_config.json; made from `configuration` and `tokenizer` when nil.
    public var tokenizerConfiguration: JSON?

    /// The published name of the output head's weight.
    private var head = TensorNames().head.weight
    /// Whether the head is the embedding where `configuration` does not say so.
    private var tiesWordEmbeddings = false

    /// Describes an export.
    public init(
        tensors: [NamedTensor],
        configuration: JSON,
        generationConfiguration: JSON? = nil,
        tokenizer: Data? = nil,
        tokenizerConfiguration: JSON? = nil
    ) {
        self.tensors = tensors
        self.configuration = configuration
        self.generationConfiguration = generationConfiguration
        self.tokenizer = tokenizer
        self.tokenizerConfiguration = tokenizerConfiguration
    }

    /// All that a checkpoint or another model on disk holds, its tensors read one at a time.
    ///
    /// A tokenizer that exists only as GGUF metadata is not part of it: set `tokenizer`.
    /// - Throws: `Failure.badData` for a head that the configuration would leave out although it is
    ///   not the embedding.
    public init(of model: ModelFiles, storage: NamedTensor.Storage = .float32) throws {
        try model.checkTiedHead()
        self.init(
            tensors: try model.source.tensors.keys.sorted()
                .map { try model.source.named($0, storage: storage) },
            configuration: model.configuration,
            generationConfiguration: model.generationConfiguration,
            tokenizerConfiguration: model.tokenizerConfiguration
        )
        if case .json(let text) = model.tokenizer { tokenizer = text }
        head = model.family.names.head.weight
        tiesWordEmbeddings = model.family.tiesWordEmbeddings
    }

    private static let fileNames = [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    ]

    /// Writes the folder beside, flushes it to the device, and renames it.
    ///
    /// An earlier export of this name is replaced; a folder that holds anything else is refused.
    /// - Throws: `Failure.disk`, the earlier export being untouched; what a tensor's `load` throws.
    public func write(to folder: String) throws {
        let target = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        let exists = try HuggingFaceExport.holdsExport(target)
        let parent = URL(filePath: target).deletingLastPathComponent().path(percentEncoded: false)
        let name = URL(filePath: target).lastPathComponent
        AtomicFile.sweep(parent) { $0 == name || $0 == "\(name).former" }
        // Locked while it is written, so that nobody takes it for a leftover.
        try TextFile.createFolder(parent)
        let locked = try TemporaryFile(for: target, isFolder: true)
        let temporary = locked.path
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        try SafetensorsWriter.write(writtenTensors, to: "\(temporary)/model.safetensors")
        try TextFile.write(writtenConfiguration.pretty, to: "\(temporary)/config.json")
        try TextFile.write(
            (generationConfiguration ?? defaultGenerationConfiguration).pretty,
            to: "\(temporary)/generation_config.json"
        )
        if let tokenizer {
            try TextFile.write(tokenizer, to: "\(temporary)/tokenizer.json")
            try TextFile.write(
                (tokenizerConfiguration ?? defaultTokenizerConfiguration).pretty,
                to: "\(temporary)/tokenizer_config.json"
            )
        }
        guard exists else { return try OutputFile.rename(temporary, to: target) }
        let kept = try TemporaryFile(for: "\(target).former", isFolder: true)
        let former = kept.path
        try OutputFile.rename(target, to: former)
        do { try OutputFile.rename(temporary, to: target) } catch {
            try? OutputFile.rename(former, to: target)
            throw error
        }
        try? FileManager.default.removeItem(atPath: former)
        withExtendedLifetime((locked, kept)) {}
    }

    /// Whether there is an earlier export to be replaced.
    private static func holdsExport(_ folder: String) throws -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            return false
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if isFolder.boolValue, let other = names.sorted().first(where: { !fileNames.contains($0) })
        {
            throw Failure(
                .disk,
                file: folder,
                "holds '\(other)'; expected an empty folder or an earlier export",
                remedy: "Export to another folder."
            )
        }
        guard isFolder.boolValue else {
            throw Failure(.disk, file: folder, "is a file; expected a folder or nothing")
        }
        return true
    }

    private var isTied: Bool {
        configuration["tie_word_embeddings"]?.bool ?? tiesWordEmbeddings
    }

    private var writtenTensors: [NamedTensor] {
        isTied ? tensors.filter { $0.name != head } : tensors
    }

    /// The configuration with the type of its numbers, under the old key and the new one.
    private var writtenConfiguration: JSON {
        guard var object = configuration.object, let first = tensors.first else {
            return configuration
        }
        object["torch_dtype"] = .string(first.storage.rawValue)
        object["dtype"] = .string(first.storage.rawValue)
        return .object(object)
    }

    private var defaultGenerationConfiguration: JSON {
        let keys = ["bos_token_id", "eos_token_id", "pad_token_id"]
        return .object(
            JSONObject(
                keys.compactMap { key in configuration[key].map { (key: key, value: $0) } }
            )
        )
    }

    private var defaultTokenizerConfiguration: JSON {
        var object = JSONObject([("tokenizer_class", "PreTrainedTokenizerFast")])
        object["model_max_length"] = configuration["max_position_embeddings"]
        object["clean_up_tokenization_spaces"] = false
        let added = tokenizer.flatMap { try? JSON(parsing: $0) }?["added_tokens"]?.array ?? []
        for name in ["bos", "eos", "pad"] {
            let id = configuration["\(name)_token_id"]
            guard let id = id?.integer ?? id?.array?.first?.integer else { continue }
            let token = added.first { $0["id"]?.integer == id }
            object["\(name)_token"] = token?["content"]
        }
        return .object(object)
    }
}
