import Checkpoints

extension ModelFamily {
    /// Qwen3: RMSNorm on each head's queries and keys, no biases.
    public static let qwen3 = ModelFamily(
        name: "qwen3",
        architecture: "Qwen3ForCausalLM",
        names: {
            var names = TensorNames()
            names.queryNorm = .init("self_attn.q_norm", gguf: "attn_q_norm")
            names.keyNorm = .init("self_attn.k_norm", gguf: "attn_k_norm")
            return names
        }()
    )
}

extension ModelConfiguration {
    static let publishedQwen3: [(name: String, configuration: ModelConfiguration)] = [
        (
            "qwen3-0.6b",
            ModelConfiguration(
                family: .qwen3,
                vocabularySize: 151_936,
                hiddenSize: 1024,
                intermediateSize: 3072,
                layerCount: 28,
                queryHeadCount: 16,
                keyValueHeadCount: 8,
                headDimension: 128,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen3-1.7b",
            ModelConfiguration(
                family: .qwen3,
                vocabularySize: 151_936,
                hiddenSize: 2048,
                intermediateSize: 6144,
                layerCount: 28,
                queryHeadCount: 16,
                keyValueHeadCount: 8,
                headDimension: 128,
                ropeTheta: 1e6
            )
        ),
    ]
}
