import Basics
import Checkpoints
import Testing
import Tokenizers

@testable import Models

/// What a family's file declares, against the networks made of it.
@Suite struct FamilyTests {
    static func configuration(_ family: ModelFamily, tied: Bool = false) -> ModelConfiguration {
        ModelConfiguration(
            family: family,
            vocabularySize: 6,
            hiddenSize: 8,
            intermediateSize: 16,
            layerCount: 2,
            queryHeadCount: 2,
            keyValueHeadCount: 1,
            headDimension: 4,
            tiesWordEmbeddings: tied
        )
    }

    static func names(_ configuration: ModelConfiguration) throws -> [String] {
        let weights = RandomWeights<Float>(seed: 1, layerCount: 2)
        return try Transformer(configuration, weights: weights).parameters.map(\.name)
    }

    @Test(arguments: ModelFamily.allCases) func everyTensorHasANameInGGUFFiles(
        _ family: ModelFamily
    ) throws {
        let names = family.names
        var published = Set(
            [names.embedding, names.norm, names.head].compactMap {
                names.published(gguf: "\($0.gguf).weight")
            }
        )
        for layer in 0..<2 {
            for part in names.layerParts {
                for kind in ["weight", "bias"] {
                    let name = names.published(gguf: "blk.\(layer).\(part.gguf).\(kind)")
                    if let name { published.insert(name) }
                }
            }
        }
        let found = try Self.names(Self.configuration(family))
        #expect(Set(found).isSubset(of: published) && found.count > 20)
    }

    @Test(arguments: ModelFamily.allCases) func countsAndEntriesAreThoseOfTheNetwork(
        _ family: ModelFamily
    ) throws {
        for tied in [false, true] {
            let c = Self.configuration(family, tied: tied)
            let weights = RandomWeights<Float>(seed: 1, layerCount: 2)
            let network = try Transformer(c, weights: weights)
            let count = network.parameters.reduce(0) { $0 + $1.value.count }
            #expect(c.parameterCount == count)
            #expect(try ModelConfiguration(c.json) == c)
            #expect(c.json["model_type"]?.string == family.name)
        }
    }

    @Test func familiesDifferAsPublished() throws {
        let bias = "model.layers.1.self_attn.q_proj.bias"
        let norm = "model.layers.1.self_attn.q_norm.weight"
        let expected: [(ModelFamily, bias: Bool, norm: Bool)] = [
            (.llama, false, false), (.qwen2, true, false), (.qwen3, false, true),
            (.smollm3, false, false), (.mistral, false, false),
        ]
        for (family, hasBias, hasNorm) in expected {
            let names = try Self.names(Self.configuration(family))
            #expect(names.contains(bias) == hasBias && names.contains(norm) == hasNorm)
            #expect(ModelFamily(rawValue: family.name) == family)
        }
        #expect(ModelFamily(rawValue: "mamba") == nil)
    }

    /// Every fourth layer of SmolLM3 is not rotated, unless the file says which.
    @Test func layersWithoutRotationAreReadAsTransformersReadsThem() throws {
        func unrotated(_ members: String) throws -> [Int] {
            let text = """
                {"model_type": "smollm3", "vocab_size": 10, "hidden_size": 8,
                "intermediate_size": 16, "num_hidden_layers": 5, "num_attention_heads": 2,
                "rms_norm_eps": 1e-6\(members)}
                """
            let read = try ModelConfiguration(JSON(parsing: text))
            #expect(read.tiesWordEmbeddings)
            #expect(try ModelConfiguration(read.json) == read)
            return (0..<5).filter { !read.isRotated(layer: $0) }
        }
        #expect(try unrotated("") == [3])
        #expect(try unrotated(", \"no_rope_layer_interval\": 2") == [1, 3])
        #expect(try unrotated(", \"no_rope_layers\": [0, 1, 1, 1, 1, 0]") == [0])
        #expect(try unrotated(", \"no_rope_layers\": [1, 1, 1, 0, 1]") == [3])
        for wrong in ["[1, 0]", "[1, 1, 1, 2, 1]", "[1, 1, 1, true, 1]"] {
            let failure = #expect(throws: Failure.self) {
                try unrotated(", \"no_rope_layers\": \(wrong)")
            }
            #expect(failure?.place == "'no_rope_layers'")
        }
    }

    /// Within its sliding window Mistral's attention is full; beyond it we refuse.
    @Test func sequencesStayWithinTheSlidingWindow() throws {
        func longest(_ type: String, _ members: String) throws -> Int? {
            let text = """
                {"model_type": "\(type)", "vocab_size": 5, "hidden_size": 8,
                "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
                "rms_norm_eps": 1e-6\(members)}
                """
            let read = try ModelConfiguration(JSON(parsing: text))
            #expect(try ModelConfiguration(read.json) == read)
            return read.longestSequence
        }
        #expect(try longest("mistral", "") == 4096)
        #expect(try longest("mistral", ", \"sliding_window\": null") == nil)
        #expect(try longest("mistral", ", \"sliding_window\": 96") == 96)
        #expect(try longest("llama", ", \"sliding_window\": 96") == nil)
        #expect(throws: Failure.self) { try longest("mistral", ", \"sliding_window\": 0") }

        var small = Self.configuration(.mistral)
        small.slidingWindow = 3
        let model = LanguageModel(
            name: "small",
            transformer: try Transformer(
                small,
                weights: RandomWeights<Float>(seed: 1, layerCount: 2)
            ),
            tokenizer: try Tokenizer(words: ["a", "b"], endOfTurn: "$")
        )
        try model.check([0, 1, 2])
        let failure = #expect(throws: Failure.self) { try model.check([0, 1, 2, 0]) }
        #expect(failure?.kind == .configuration)
        #expect("\(failure?.description ?? "")".contains("attends to 3 tokens at a time"))
    }
}
