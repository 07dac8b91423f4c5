import Checkpoints

extension ModelFamily {
    /// Mistral: attention within a sliding window, which later models set to null.
    ///
    /// Its GGUF files are of the architecture llama.
    public static let mistral = ModelFamily(
        name: "mistral",
        architecture: "MistralForCausalLM",
        slidingWindow: .read(unlessStated: 4096)
    )
}

extension ModelConfiguration {
    static let publishedMistral: [(name: String, configuration: ModelConfiguration)] = [
        (
            "mistral-7b-v0.3",
            ModelConfiguration(
                family: .mistral,
                vocabularySize: 32768,
                hiddenSize: 4096,
                intermediateSize: 14336,
                layerCount: 32,
                queryHeadCount: 32,
                keyValueHeadCount: 8,
                headDimension: 128,
                rmsNormEpsilon: 1e-5,
                ropeTheta: 1e6,
                tiesWordEmbeddings: false
            )
        )
    ]
}
