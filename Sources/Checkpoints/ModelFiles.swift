import Basics
import Foundation
import Tokenizers

/// A model on disk in any of the forms that the programs accept, opened but not read.
public struct ModelFiles: Sendable {
    /// Where the tokenizer comes from.
    public enum Tokenizer: Sendable {
        /// The text of a tokenizer.json.
        case json(Data)
        /// The metadata of a GGUF file.
        case gguf(GGUFVocabulary)
    }

    /// The file or folder.
    public var path: String
    /// The family that its configuration names.
    public var family: ModelFamily
    /// The weights, under their published names.
    public var source: any TensorSource
    /// The configuration in the form of Hugging Face's config.json.
    public var configuration: JSON
    /// generation_config.json, where there is one.
    public var generationConfiguration: JSON?
    /// The tokenizer, where there is one.
    public var tokenizer: Tokenizer?
    /// tokenizer_config.json, where there is one, with the chat template in it.
    public var tokenizerConfiguration: JSON?

    /// Opens a `.gguf` file, a checkpoint, or a Hugging Face folder, told apart by what is there.
    ///
    /// - Parameters:
    ///   - path: The file or folder.
    ///   - families: Those that it may be of.
    ///   - bases: Where the base of adapters may be now, besides where their checkpoint says.
    /// - Returns: The model, its tensors not read yet.
    /// - Throws: `Failure.missingInput` when nothing is there, `Failure.badData` when it is none of
    ///   these, is damaged, or is of an architecture that is not known.
    public static func open(
        _ path: String,
        families: [ModelFamily],
        bases: [String] = []
    ) throws -> ModelFiles {
        try open(path, families, acceptsAdapters: true, bases: bases)
    }

    /// Opens a model that may, or may not, be adapters of another.
    static func open(
        _ path: String,
        _ families: [ModelFamily],
        acceptsAdapters: Bool,
        bases: [String] = []
    ) throws -> ModelFiles {
        func gguf() throws -> ModelFiles { try ModelFiles.gguf(path, families) }
        func checkpoint(_ path: String) throws -> ModelFiles {
            let checkpoint = try HDF5Checkpoint(path)
            guard acceptsAdapters || checkpoint.adapters.isEmpty else {
                throw AdapterBase.nested(path)
            }
            return try ModelFiles.checkpoint(checkpoint, families, bases: bases)
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(
                .missingInput,
                file: path,
                "no such file or folder",
                remedy: "A model is a .gguf file, a .h5 checkpoint, or a Hugging Face folder."
            )
        }
        if isFolder.boolValue { return try folder(path, families) }
        let file = try MappedFile(path)
        let (isGGUF, isCheckpoint) = withExtendedLifetime(file) {
            (file.bytes.starts(with: "GGUF".utf8), CheckpointSeal.isPresent(file.bytes))
        }
        if isGGUF { return try gguf() }
        if isCheckpoint { return try checkpoint(path) }
        // Neither begins as it should: the reader named by the ending says what is wrong.
        if path.hasSuffix(".gguf") { return try gguf() }
        if path.hasSuffix(".h5") { return try checkpoint(path) }
        throw Failure(
            .badData,
            file: path,
            "is no model; expected a .gguf file, a .h5 checkpoint, or a Hugging Face folder",
            remedy: path.hasSuffix(".safetensors")
                ? "Give the folder that holds this file and config.json." : nil
        )
    }

    private static func gguf(_ path: String, _ families: [ModelFamily]) throws -> ModelFiles {
        let file = try GGUFFile(path, families: families)
        let vocabulary = try file.vocabulary()
        return ModelFiles(
            path: path,
            family: file.family,
            source: file,
            configuration: try file.configuration(),
            tokenizer: vocabulary.map { .gguf($0) }
        )
    }

    private static func checkpoint(
        _ checkpoint: HDF5Checkpoint,
        _ families: [ModelFamily],
        bases: [String]
    ) throws -> ModelFiles {
        ModelFiles(
            path: checkpoint.path,
            family: try family(checkpoint.configuration, families, in: checkpoint.path),
            source: try adapted(checkpoint, families, bases: bases) ?? checkpoint,
            configuration: checkpoint.configuration,
            generationConfiguration: checkpoint.metadata["generation_config"],
            tokenizer: checkpoint.tokenizer.map { .json($0) },
            tokenizerConfiguration: checkpoint.metadata["tokenizer_config"]
        )
    }

    /// The tensors of a checkpoint that holds adapters only; nil for one that holds a model.
    private static func adapted(
        _ checkpoint: HDF5Checkpoint,
        _ families: [ModelFamily],
        bases: [String]
    ) throws -> AdaptedTensors? {
        guard !checkpoint.adapters.isEmpty else { return nil }
        let json = checkpoint.metadata["adapter_config"] ?? .null
        let (lora, reference): (LoRA, AdapterBase)
        do {
            (lora, reference) = (try LoRA(json), try AdapterBase(json))
        } catch let failure as Failure { throw failure.inFile(checkpoint.path) }
        let base = try reference.open(for: checkpoint.path, families, places: bases)
        return try AdaptedTensors(
            checkpoint.adapters.map { name, info in
                NamedTensor(name: name, shape: info.shape) { try checkpoint.adapter(name) }
            },
            path: checkpoint.path,
            base: base.source,
            lora: lora
        )
    }

    private static func folder(_ path: String, _ families: [ModelFamily]) throws -> ModelFiles {
        func optional<T>(_ name: String, _ read: (String) throws -> T) throws -> T? {
            let file = "\(path)/\(name)"
            return FileManager.default.fileExists(atPath: file) ? try read(file) : nil
        }
        let configuration = try TextFile.readJSON("\(path)/config.json")
        let family = try family(configuration, families, in: "\(path)/config.json")
        return ModelFiles(
            path: path,
            family: family,
            source: try Safetensors(path),
            configuration: configuration,
            generationConfiguration: try optional("generation_config.json", TextFile.readJSON),
            tokenizer: try optional("tokenizer.json", TextFile.read).map { .json($0) },
            tokenizerConfiguration: try tokenizerConfiguration(in: path)
        )
    }

    /// The tokenizer_config.json of a Hugging Face folder, with the chat template in it; nil where
    /// there is neither.
    ///
    /// - Throws: `Failure` naming the file that cannot be read.
    public static func tokenizerConfiguration(in folder: String) throws -> JSON? {
        let files = FileManager.default
        let main = "\(folder)/tokenizer_config.json"
        var configuration = files.fileExists(atPath: main) ? try TextFile.readJSON(main) : nil
        // Newer folders keep the template in a separate file, which goes before the other.
        let separate = "\(folder)/chat_template.jinja"
        if files.fileExists(atPath: separate) {
            var members = configuration?.object ?? JSONObject()
            let template = try TextFile.read(separate)
            members["chat_template"] = .string(String(decoding: template, as: UTF8.self))
            configuration = .object(members)
        }
        return configuration
    }

    private static func family(
        _ configuration: JSON,
        _ families: [ModelFamily],
        in path: String
    ) throws -> ModelFamily {
        let found = configuration["model_type"]
        return try ModelFamily.named(
            found?.string,
            found: found?.kindName,
            among: families,
            in: path,
            at: "'model_type'"
        )
    }

    /// How many decoder layers the tensors' names speak of.
    public var layerCount: Int {
        let prefix = "\(family.names.layers.published)."
        return source.tensors.keys.lazy.filter { $0.hasPrefix(prefix) }
            .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
            .max().map { $0 < Int.max ? $0 + 1 : $0 } ?? 0
    }
}
