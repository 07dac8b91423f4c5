import Autograd
import Basics
import Checkpoints
import Foundation
import Kernels
import Testing
import Tokenizers

@testable import Models

/// A small model as a folder, and what is wrong with it.
@Suite final class LoadingTests {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "loading-\(UUID().uuidString)").path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The tensors by name, as shape and numbers.
    typealias Weights = [String: (shape: [Int], values: [Float])]

    static let shape = ModelConfiguration(
        family: .llama,
        vocabularySize: 6,
        hiddenSize: 32,
        intermediateSize: 32,
        layerCount: 2,
        queryHeadCount: 2,
        keyValueHeadCount: 1,
        headDimension: 16
    )

    /// Writes the model with changed weights or a changed configuration.
    func write(
        _ name: String = "model",
        storage: NamedTensor.Storage = .float32,
        _ change: (inout Weights) -> Void = { _ in },
        configuration: (inout JSONObject) -> Void = { _ in }
    ) throws -> String {
        let random = RandomWeights<Float>(seed: 4, layerCount: 2, standardDeviation: 0.2)
        let network = try Transformer(LoadingTests.shape, weights: random)
        var weights: Weights = [:]
        for parameter in network.parameters {
            weights[parameter.name] = (parameter.value.shape, parameter.value.elements)
        }
        change(&weights)
        var json = LoadingTests.shape.json.object ?? JSONObject()
        configuration(&json)
        let tokenizer = try Tokenizer(words: ["a", "b", "c", "d"], endOfTurn: "$")
        let export = HuggingFaceExport(
            tensors: weights.sorted { $0.key < $1.key }.map {
                NamedTensor(
                    name: $0.key,
                    shape: $0.value.shape,
                    values: Buffer($0.value.values),
                    storage: storage
                )
            },
            configuration: .object(json),
            tokenizer: tokenizer.toJSON(),
            tokenizerConfiguration: tokenizer.configurationJSON
        )
        try export.write(to: "\(folder)/\(name)")
        return "\(folder)/\(name)"
    }

    func failure(_ body: () throws -> Void) -> Failure? {
        do {
            try body()
            return nil
        } catch { return error as? Failure }
    }

    static let embedding = "model.embed_tokens.weight"
    static let head = "lm_head.weight"

    @Test(
        arguments: [
            (embedding, 35, "[1, 3]"), ("model.layers.1.mlp.up_proj.weight", 0, "[0, 0]"),
            ("model.norm.weight", 31, "[31]"),
        ],
        [NamedTensor.Storage.float32, .bfloat16]
    )
    func weightsThatAreNotFiniteAreNamed(
        _ place: (name: String, index: Int, text: String),
        _ stored: NamedTensor.Storage
    ) throws {
        for value in [Float.nan, .infinity, -.infinity] {
            let path = try write(storage: stored) { $0[place.name]?.values[place.index] = value }
            for storage in WeightStorage.allCases {
                let found = failure { _ = try LanguageModel(path, storage: storage) }
                #expect(found?.kind.exitCode == 65 && found?.file == path)
                #expect(found?.place == "tensor '\(place.name)'")
                #expect(found?.message.contains("the number at \(place.text) is inf") == true)
            }
            // An export leaves nothing behind.
            let export = try HuggingFaceExport(of: ModelFiles.open(path))
            let found = failure { try export.write(to: "\(folder)/export") }
            #expect(found?.place == "tensor '\(place.name)'")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/export"))
        }
    }

    @Test func largeFiniteWeightsAreTaken() throws {
        let path = try write { $0[Self.embedding]?.values[0] = Float.greatestFiniteMagnitude }
        for storage in [WeightStorage.stored, .float32] {
            _ = try LanguageModel(path, storage: storage)
        }
    }

    @Test func aHeadOfItsOwnIsNeverLost() throws {
        func other(_ weights: inout Weights) {
            weights[Self.head] = weights[Self.embedding]
            weights[Self.head]?.values[70] += 0.5
        }
        func copy(_ weights: inout Weights) { weights[Self.head] = weights[Self.embedding] }
        func score(_ path: String) throws -> [Float] {
            try SequenceScoring(LanguageModel(path, storage: .stored)).score([0, 1, 2, 3])
                .logProbabilities
        }
        // The export that writes these leaves a tied head out: tied is said afterwards.
        func untied(_ json: inout JSONObject) { json["tie_word_embeddings"] = false }
        func tie(_ path: String) throws {
            var json = try TextFile.readJSON("\(path)/config.json").object ?? JSONObject()
            json["tie_word_embeddings"] = true
            try TextFile.write(JSON.object(json).pretty, to: "\(path)/config.json")
        }
        let tied = try score(write("tied"))
        let copied = try write("copy", copy, configuration: untied)
        #expect(try score(copied) == tied)
        try tie(copied)
        #expect(try score(copied) == tied)
        let owned = try write("own", other, configuration: untied)
        #expect(try score(owned) != tied)
        try tie(owned)
        for body in [
            { _ = try score(owned) }, { _ = try HuggingFaceExport(of: ModelFiles.open(owned)) },
        ] {
            let found = failure(body)
            #expect(found?.kind.exitCode == 65 && found?.place == "tensor 'lm_head.weight'")
            #expect(found?.message.contains("row 2 differs from the embedding's") == true)
        }
        let zeros = (shape: [1, 32], values: [Float](repeating: 0, count: 32))
        let wide = try write("wide", { $0[Self.head] = zeros }, configuration: untied)
        try tie(wide)
        #expect(failure { _ = try score(wide) }?.message.contains("its shape is [1, 32]") == true)
    }

    @Test(arguments: [
        ("num_hidden_layers", 3, "'num_hidden_layers': found 3; the tensors are those of 2 layers"),
        ("num_hidden_layers", 1, "'num_hidden_layers': found 1; the tensors are those of 2 layers"),
        ("num_hidden_layers", 1 << 24, "'num_hidden_layers': found 16777216; expected 1 to 4096"),
        ("num_attention_heads", 4, "found shape [32, 32]; expected [64, 32]"),
        ("intermediate_size", 1 << 20, "found shape [32, 32]; expected [1048576, 32]"),
        ("vocab_size", 1 << 24, "found shape [6, 32]; expected [16777216, 32]"),
        ("head_dim", 1 << 24, "'head_dim': found 16777216; expected 1 to 1048576"),
    ])
    func sizesAreComparedWithTheFile(_ key: String, _ value: Int, _ fragment: String) throws {
        let path = try write(configuration: { $0[key] = .integer(value) })
        let found = failure { _ = try LanguageModel(path, storage: .stored) }
        #expect(found?.kind.exitCode == 65 && found?.file == path)
        #expect(found?.description.contains(fragment) == true, "\(found?.description ?? "")")
    }

    // MARK: Adapters

    /// A checkpoint of fresh adapters on a model, which it names by a path.
    private func adapt(_ base: String, as named: String, _ name: String) throws -> String {
        let lora = LoRA(rank: 2, alpha: 4, targets: ["q_proj"])
        let model = try LanguageModel(adapting: base, lora, seed: 1)
        let digest = try #require(model.adaptation?.base.digest)
        let content = CheckpointContent(
            tensors: [],
            adapters: model.adapterTensors,
            configuration: model.configuration.json,
            tokenizer: model.tokenizer.toJSON(),
            metadata: [
                "adapter_config": AdapterBase(path: named, digest: digest).configuration(lora)
            ]
        )
        try HDF5Checkpoint.write(content, to: "\(folder)/\(name)")
        return "\(folder)/\(name)"
    }

    @Test func theBaseOfAdaptersIsFoundWhereItIsNow() throws {
        let base = try write("base")
        let other = try write("other") { $0["model.norm.weight"]?.values[0] = 7 }
        let elsewhere = "\(folder)/gone/base"
        let adapters = try adapt(base, as: elsewhere, "a.h5")
        let lost = failure { _ = try ModelFiles.open(adapters) }
        #expect(lost?.kind.exitCode == 66)
        #expect(lost?.description.contains("holds adapters of the model \(elsewhere)") == true)
        #expect(lost?.remedy?.contains("--base") == true)
        // By digest, whatever else is offered, and whatever stands where it was.
        for bases in [[base], [other, base], ["\(folder)/none", base]] {
            _ = try LanguageModel(adapters, storage: .stored, bases: bases)
            _ = try LanguageModel(adapters, storage: .float32, bases: bases)
        }
        try FileManager.default.createDirectory(
            atPath: "\(folder)/gone",
            withIntermediateDirectories: true
        )
        try FileManager.default.copyItem(atPath: other, toPath: elsewhere)
        _ = try LanguageModel(adapters, storage: .stored, bases: [base])
        let wrong = failure { _ = try ModelFiles.open(adapters, bases: [other]) }
        #expect(wrong?.kind.exitCode == 65)
        #expect(
            wrong?.message == "holds adapters of another model than \(elsewhere) or \(other) is now"
        )
        #expect(wrong?.remedy?.contains("SHA-256") == true)
    }
}
