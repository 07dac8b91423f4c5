extension ModelConfiguration {
    /// Published models by name, for estimates and benchmarks without their files.
    public static let published: [(name: String, configuration: ModelConfiguration)] = [
        (
            "smollm2-135m",
            ModelConfiguration(
                family: .llama,
                vocabularySize: 49152,
                hiddenSize: 576,
                intermediateSize: 1536,
                layerCount: 30,
                queryHeadCount: 9,
                keyValueHeadCount: 3,
                headDimension: 64,
                rmsNormEpsilon: 1e-5,
                ropeTheta: 100_000
            )
        ),
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

    /// The configuration of a published model; nil for an unknown name.
    public static func named(_ name: String) -> ModelConfiguration? {
        published.first { $0.name == name }?.configuration
    }
}
