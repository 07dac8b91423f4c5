import Checkpoints

extension ModelFamily {
    /// SmolLM3: every fourth layer is not rotated.
    public static let smollm3 = ModelFamily(
        name: "smollm3",
        architecture: "SmolLM3ForCausalLM",
        rotatesAdjacentRowsInGGUF: true,
        ropeTheta: 2e6,
        tiesWordEmbeddings: true,
        unrotatedLayerInterval: 4
    )
}

extension ModelConfiguration {
    static let publishedSmolLM3: [(name: String, configuration: ModelConfiguration)] = [
        (
            "smollm3-3b",
            ModelConfiguration(
                family: .smollm3,
                vocabularySize: 128_256,
                hiddenSize: 2048,
                intermediateSize: 11008,
                layerCount: 36,
                queryHeadCount: 16,
                keyValueHeadCount: 4,
                headDimension: 128,
                ropeTheta: 5e6,
                maximumPositions: 65_536
            )
        )
    ]
}
