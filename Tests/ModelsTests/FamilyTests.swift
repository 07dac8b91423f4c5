import Checkpoints
import Testing

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
        ]
        for (family, hasBias, hasNorm) in expected {
            let names = try Self.names(Self.configuration(family))
            #expect(names.contains(bias) == hasBias && names.contains(norm) == hasNorm)
            #expect(ModelFamily(rawValue: family.name) == family)
        }
        #expect(ModelFamily(rawValue: "mamba") == nil)
    }
}
