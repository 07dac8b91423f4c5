import Checkpoints

extension ModelFamily {
    /// Llama 2 and 3, SmolLM2.
    public static let llama = ModelFamily(
        name: "llama",
        architecture: "LlamaForCausalLM",
        rotatesAdjacentRowsInGGUF: true
    )
}

extension ModelConfiguration {
    static let publishedLlamas: [(name: String, configuration: ModelConfiguration)] = [
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
        )
    ]
}
