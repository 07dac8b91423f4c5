import Autograd
import Checkpoints
import Files
import Foundation
import Kernels
import Tokenizers

/// A transformer with its tokenizer, as loaded from disk or made from scratch.
public final class LanguageModel {
    /// What the model is called in messages: its path, or a name.
    public let name: String
    /// The network.
    public let transformer: Transformer<Float>
    /// The tokenizer it was trained with.
    public let tokenizer: Tokenizer

    /// Sizes and constants of the network.
    public var configuration: ModelConfiguration { transformer.configuration }

    /// Ids that are real tokens; the head's rows above them are padding.
    public var vocabularySize: Int {
        min(tokenizer.vocabularySize, configuration.vocabularySize)
    }

    /// Joins a network and a tokenizer.
    public init(name: String, transformer: Transformer<Float>, tokenizer: Tokenizer) {
        self.name = name
        self.transformer = transformer
        self.tokenizer = tokenizer
    }

    /// Loads a `.gguf` file, a Hugging Face folder or one of our `.h5` checkpoints.
    ///
    /// - Parameters:
    ///   - path: The file or folder.
    ///   - storage: Whether matrices stay as stored (for decoding and scoring) or are widened to
    ///     float32 (for training).
    /// - Throws: `Failure` naming the file, the tensor or key, what was found and expected.
    public convenience init(_ path: String, storage: WeightStorage) throws {
        let files = try ModelFiles.open(path)
        do {
            let configuration = try ModelConfiguration(files.configuration)
            let weights = FileWeights(files.source, storage: storage)
            let transformer = try Transformer(configuration, weights: weights)
            try weights.checkNothingLeft(tiesHead: configuration.tiesWordEmbeddings)
            self.init(
                name: path,
                transformer: transformer,
                tokenizer: try Tokenizer(of: files)
            )
        } catch let failure as Failure {
            throw failure.inFile(path)
        }
    }

    /// An empty cache for one sequence.
    public func makeCache() -> KVCache { KVCache(configuration) }

    /// Everything a checkpoint holds of the model: weights, configuration and tokenizer.
    public var checkpointTensors: [NamedTensor] {
        transformer.parameters.map {
            NamedTensor(name: $0.name, shape: $0.value.shape, values: $0.value.buffer)
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
        case .gguf(let vocabulary):
            guard vocabulary.model == "gpt2" else {
                throw Failure(
                    .badData,
                    file: files.path,
                    at: "'tokenizer.ggml.model'",
                    "'\(vocabulary.model)' is not implemented; expected gpt2 (byte-level BPE)"
                )
            }
            try self.init(
                gguf: GGUFVocabulary(
                    tokens: vocabulary.tokens,
                    types: vocabulary.types,
                    merges: vocabulary.merges,
                    pre: vocabulary.preTokenizer ?? "default",
                    bosID: vocabulary.beginningID,
                    eosID: vocabulary.endID,
                    padID: vocabulary.paddingID,
                    eotID: vocabulary.endOfTurnID,
                    addBOS: vocabulary.addsBeginning,
                    chatTemplate: vocabulary.chatTemplate
                )
            )
        case nil:
            throw Failure(
                .badData,
                file: files.path,
                "has no tokenizer; expected a tokenizer.json beside it"
            )
        }
    }
}
