import Checkpoints

extension ModelFamily {
    /// Qwen2 and Qwen2.5: biases on the query, key and value projections.
    public static let qwen2 = ModelFamily(
        name: "qwen2",
        architecture: "Qwen2ForCausalLM",
        hasAttentionBias: true
    )
}

extension ModelConfiguration {
    static let publishedQwen2: [(name: String, configuration: ModelConfiguration)] = [
        (
            "qwen2.5-0.5b",
            ModelConfiguration(
                family: .qwen2,
                vocabularySize: 151_936,
                hiddenSize: 896,
                intermediateSize: 4864,
                layerCount: 24,
                queryHeadCount: 14,
                keyValueHeadCount: 2,
                headDimension: 64,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen2.5-1.5b",
            ModelConfiguration(
                family: .qwen2,
                vocabularySize: 151_936,
                hiddenSize: 1536,
                intermediateSize: 8960,
                layerCount: 28,
                queryHeadCount: 12,
                keyValueHeadCount: 2,
                headDimension: 128,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen2.5-7b",
            ModelConfiguration(
                family: .qwen2,
                vocabularySize: 152_064,
                hiddenSize: 3584,
                intermediateSize: 18944,
                layerCount: 28,
                queryHeadCount: 28,
                keyValueHeadCount: 4,
                headDimension: 128,
                ropeTheta: 1e6,
                tiesWordEmbeddings: false
            )
        ),
    ]
}
