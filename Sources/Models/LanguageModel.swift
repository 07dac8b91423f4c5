import Autograd
import Basics
import Checkpoints
import Foundation
import Kernels
import Tokenizers

/// A transformer with its tokenizer, as loaded from disk or made from scratch.
public final class LanguageModel {
    /// How many rows of a long text go through the model in one pass, unless told otherwise.
    ///
    /// A choice of speed and memory: results do not depend on it.
    public static let rowsPerPass = 256

    /// What the model is called in messages: its path, or a name.
    public let name: String
    /// The network.
    public let transformer: Transformer<Float>
    /// The tokenizer it was trained with.
    public let tokenizer: Tokenizer
    /// What fresh adapters were added to; nil for a model that is trained whole, or not at all.
    public let adaptation: (lora: LoRA, base: AdapterBase)?
    /// The tensors of the frozen model under fresh adapters; nil without those.
    private let frozen: (any TensorSource)?

    /// Sizes and constants of the network.
    public var configuration: ModelConfiguration { transformer.configuration }

    /// Ids that are real tokens; the head's rows above them are padding.
    public var vocabularySize: Int {
        min(tokenizer.vocabularySize, configuration.vocabularySize)
    }

    /// Joins a network and a tokenizer.
    public convenience init(name: String, transformer: Transformer<Float>, tokenizer: Tokenizer) {
        self.init(name, transformer, tokenizer, adaptation: nil, frozen: nil)
    }

    private init(
        _ name: String,
        _ transformer: Transformer<Float>,
        _ tokenizer: Tokenizer,
        adaptation: (lora: LoRA, base: AdapterBase)?,
        frozen: (any TensorSource)?
    ) {
        self.name = name
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.adaptation = adaptation
        self.frozen = frozen
    }

    /// Loads a `.gguf` file, a Hugging Face folder or one of our `.h5` checkpoints.
    ///
    /// A checkpoint of adapters is loaded with its base: stored, the base stays as it is and the
    /// adapters beside it; otherwise they are merged.
    ///
    /// - Parameters:
    ///   - path: The file or folder.
    ///   - storage: Whether matrices stay as stored (for decoding and scoring), are widened to
    ///     float32 (for training), or rounded to eight bits (for fast decoding of wider ones).
    ///   - bases: Where the base of adapters may be now, besides where their checkpoint says.
    /// - Throws: `Failure` naming the file, the tensor or key, what was found and expected.
    public convenience init(_ path: String, storage: WeightStorage, bases: [String] = []) throws {
        try self.init(ModelFiles.open(path, bases: bases), storage: storage)
    }

    /// Loads an opened model; see `init(_:storage:bases:)`.
    ///
    /// - Parameters:
    ///   - files: The model.
    ///   - storage: How matrices are kept.
    ///   - packsStored: Whether stored matrices also get the layout of fast decoding.
    /// - Throws: As `init(_:storage:bases:)`.
    public convenience init(
        _ files: ModelFiles,
        storage: WeightStorage,
        packsStored: Bool = true
    ) throws {
        guard storage == .stored, let adapted = files.source as? AdaptedTensors else {
            try self.init(files, files.source, storage: storage, packsStored: packsStored) { $0 }
            return
        }
        try self.init(files, adapted.base, storage: .stored, packsStored: packsStored) { weights in
            AdaptedWeights(weights, adapted.lora) { name, shape in
                Tensor(try adapted.finiteAdapter(name), shape: shape)
            }
        }
    }

    /// Loads a model whose weights stay as stored and frozen, and adds adapters to be trained.
    ///
    /// - Parameters:
    ///   - path: The file or folder.
    ///   - lora: Size and place of the adapters.
    ///   - seed: What they are drawn from.
    /// - Throws: As `init(_:storage:)`; `Failure.badData` for a checkpoint of adapters.
    public convenience init(adapting path: String, _ lora: LoRA, seed: UInt64) throws {
        let files = try ModelFiles.open(path)
        guard !(files.source is AdaptedTensors) else { throw AdapterBase.nested(path) }
        let base = AdapterBase(path: path, digest: try files.source.digest())
        try self.init(
            files,
            files.source,
            storage: .stored,
            packsStored: false,
            adaptation: (lora, base)
        ) { AdaptedWeights($0, lora, seed: seed) }
    }

    private convenience init<Weights: WeightProvider<Float>>(
        _ files: ModelFiles,
        _ source: any TensorSource,
        storage: WeightStorage,
        packsStored: Bool,
        adaptation: (lora: LoRA, base: AdapterBase)? = nil,
        _ provide: (FileWeights) -> Weights
    ) throws {
        do {
            let configuration = try ModelConfiguration(of: files)
            let weights = FileWeights(source, storage: storage)
            let transformer = try Transformer(
                configuration,
                weights: provide(weights),
                packsStored: packsStored
            )
            try weights.checkNothingLeft(configuration)
            self.init(
                files.path,
                transformer,
                try Tokenizer(of: files),
                adaptation: adaptation,
                frozen: adaptation == nil ? nil : source
            )
        } catch let failure as Failure {
            throw failure.inFile(files.path)
        }
    }

    /// Refuses tokens that the model has no embedding of, and more of them than it can read.
    ///
    /// - Throws: `Failure.badData` naming the model and the token; what `checkLength` throws.
    public func check(_ ids: [Int32]) throws {
        try checkLength(ids.count, remedy: "Give shorter texts.")
        let count = configuration.vocabularySize
        guard let id = ids.first(where: { $0 < 0 || Int($0) >= count }) else { return }
        throw Failure(
            .badData,
            file: name,
            "its tokenizer has token \(id); the model's end at \(count - 1)",
            remedy: "Use the tokenizer that was published with the model."
        )
    }

    /// Refuses sequences that would leave the model's sliding window, outside of which full attention
    /// is not what the model was published with.
    ///
    /// - Parameters:
    ///   - tokens: The longest that a sequence may become.
    ///   - remedy: What shortens sequences.
    /// - Throws: `Failure.configuration` naming the model and both lengths.
    public func checkLength(_ tokens: Int, remedy: String) throws {
        guard let longest = configuration.longestSequence, tokens > longest else { return }
        throw Failure(
            .configuration,
            file: name,
            "attends to \(longest) tokens at a time, and there may be \(tokens); attention that "
                + "slides along longer sequences is not implemented",
            remedy: remedy
        )
    }

    /// A frozen copy of the model as it is now, its matrices rounded to eight bits and its adapters
    /// merged: what loading a checkpoint of it with the storage `q8_0` would give.
    ///
    /// - Throws: `Failure.configuration` where rows are not whole blocks; `Failure.badData` for numbers
    ///   that are not finite.
    public func roundedToEightBits() throws -> LanguageModel {
        func copies(_ tensors: [NamedTensor]) -> [NamedTensor] {
            tensors.map { tensor in
                NamedTensor(name: tensor.name, shape: tensor.shape) {
                    let values = try tensor.load()
                    let copy = Buffer<Float>(count: values.count)
                    copy.copy(from: values)
                    return copy
                }
            }
        }
        let source: any TensorSource
        if let adaptation, let frozen {
            source = try AdaptedTensors(
                copies(adapterTensors),
                path: name,
                base: frozen,
                lora: adaptation.lora
            )
        } else {
            source = TensorsInMemory(copies(checkpointTensors), path: name)
        }
        return LanguageModel(
            name: name,
            transformer: try Transformer(
                configuration,
                weights: FileWeights(source, storage: .q8_0)
            ),
            tokenizer: tokenizer
        )
    }

    /// An empty cache for one sequence.
    public func makeCache() -> KVCache { KVCache(configuration) }

    /// The weights that a checkpoint holds: all, or none where only adapters are trained.
    public var checkpointTensors: [NamedTensor] {
        adaptation == nil ? transformer.parameters.map(NamedTensor.init) : []
    }

    /// The adapters that a checkpoint holds.
    public var adapterTensors: [NamedTensor] { transformer.adapters.map(NamedTensor.init) }
}

extension NamedTensor {
    fileprivate init(_ parameter: Parameter<Float>) {
        let value = parameter.value
        self.init(name: parameter.name, shape: value.shape, values: value.buffer)
    }
}

extension ModelConfiguration {
    /// The configuration of a model on disk, after comparing it with what the files hold.
    ///
    /// - Throws: `Failure.badData` naming the file, the key and its value, or the tensor.
    public init(of files: ModelFiles) throws {
        do {
            try self.init(files.configuration)
            let held = files.layerCount
            guard layerCount == held else {
                throw Failure(
                    .badData,
                    at: "'num_hidden_layers'",
                    "found \(layerCount); the tensors are those of \(held) layers",
                    remedy: "Use the configuration that belongs to these weights."
                )
            }
            try files.checkTiedHead()
        } catch var failure as Failure {
            // GGUF files have other keys.
            if let place = failure.place { failure.place = files.source.place(ofKey: place) }
            throw failure.inFile(files.path)
        }
    }
}

extension Tokenizer {
    /// The tokenizer that comes with a model.
    ///
    /// - Throws: `Failure.badData` when there is none, or it is of a kind that is not implemented.
    public init(of files: ModelFiles) throws {
        switch files.tokenizer {
        case .json(let data):
            try self.init(json: data, configuration: files.tokenizerConfiguration)
        case .gguf(let vocabulary): try self.init(gguf: vocabulary)
        case nil:
            throw Failure(
                .badData,
                file: files.path,
                "has no tokenizer; expected a tokenizer.json beside it"
            )
        }
    }

    /// Reads the tokenizer of a model without its weights, or a tokenizer.json by itself.
    ///
    /// - Throws: `Failure` naming the file.
    public init(at path: String) throws {
        let inside = "\(path)/tokenizer.json"
        if path.hasSuffix(".json") || FileManager.default.fileExists(atPath: inside) {
            try self.init(json: path.hasSuffix(".json") ? path : inside)
            return
        }
        let files = try ModelFiles.open(path)
        do { try self.init(of: files) } catch let failure as Failure { throw failure.inFile(path) }
    }

    private init(json path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        let configuration = try ModelFiles.tokenizerConfiguration(in: folder)
        do {
            try self.init(json: TextFile.read(path), configuration: configuration)
        } catch let failure as Failure {
            throw failure.inFile(path)
        }
    }

    /// SHA-256 of all tokens, in hexadecimal: equal for two tokenizers whose ids mean the same.
    public var vocabularyDigest: String {
        var hash = SHA256()
        for id in 0..<Int32(vocabularySize) {
            let bytes = tokenBytes(id)
            hash.update("\(isSpecial(id) ? "special" : "token") \(bytes.count) ")
            hash.update(Data(bytes))
        }
        return hash.hex()
    }

    /// Whether every id means the same bytes here and there.
    public func hasSameVocabulary(as other: Tokenizer) -> Bool {
        vocabularySize == other.vocabularySize
            && (0..<Int32(vocabularySize)).allSatisfy { id in
                isSpecial(id) == other.isSpecial(id) && tokenBytes(id) == other.tokenBytes(id)
            }
    }
}
