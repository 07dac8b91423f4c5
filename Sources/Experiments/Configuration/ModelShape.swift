import Files

/// The sizes of a transformer of one of the supported families.
public struct ModelShape: Sendable, Equatable {
    /// A family of architectures.
    public enum Family: String, Sendable, CaseIterable {
        /// Llama.
        case llama
        /// Qwen2 and Qwen2.5: biases on queries, keys and values.
        case qwen2
        /// Qwen3: norms on queries and keys.
        case qwen3
    }

    /// The family.
    public var family: Family
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Number of layers.
    public var layerCount: Int
    /// Number of query heads.
    public var headCount: Int
    /// Number of key and value heads.
    public var keyValueHeadCount: Int
    /// Width of a head.
    public var headDimension: Int
    /// Width of the feed-forward block.
    public var intermediateSize: Int
    /// Rows of the embedding.
    public var vocabularySize: Int
    /// Whether the output head is the embedding.
    public var tiesEmbeddings: Bool
    /// Base of the rotary angles.
    public var ropeTheta: Double
    /// Added to the mean square in norms.
    public var normEpsilon: Double

    /// Describes a shape.
    public init(
        family: Family,
        hiddenSize: Int,
        layerCount: Int,
        headCount: Int,
        keyValueHeadCount: Int,
        headDimension: Int,
        intermediateSize: Int,
        vocabularySize: Int,
        tiesEmbeddings: Bool = true,
        ropeTheta: Double = 10000,
        normEpsilon: Double = 1e-6
    ) {
        self.family = family
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension
        self.intermediateSize = intermediateSize
        self.vocabularySize = vocabularySize
        self.tiesEmbeddings = tiesEmbeddings
        self.ropeTheta = ropeTheta
        self.normEpsilon = normEpsilon
    }

    /// Shapes of published models, by name.
    public static let published: [(name: String, shape: ModelShape)] = [
        (
            "smollm2-135m",
            ModelShape(
                family: .llama,
                hiddenSize: 576,
                layerCount: 30,
                headCount: 9,
                keyValueHeadCount: 3,
                headDimension: 64,
                intermediateSize: 1536,
                vocabularySize: 49152,
                ropeTheta: 100_000,
                normEpsilon: 1e-5
            )
        ),
        (
            "qwen2.5-0.5b",
            ModelShape(
                family: .qwen2,
                hiddenSize: 896,
                layerCount: 24,
                headCount: 14,
                keyValueHeadCount: 2,
                headDimension: 64,
                intermediateSize: 4864,
                vocabularySize: 151_936,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen2.5-1.5b",
            ModelShape(
                family: .qwen2,
                hiddenSize: 1536,
                layerCount: 28,
                headCount: 12,
                keyValueHeadCount: 2,
                headDimension: 128,
                intermediateSize: 8960,
                vocabularySize: 151_936,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen2.5-7b",
            ModelShape(
                family: .qwen2,
                hiddenSize: 3584,
                layerCount: 28,
                headCount: 28,
                keyValueHeadCount: 4,
                headDimension: 128,
                intermediateSize: 18944,
                vocabularySize: 152_064,
                tiesEmbeddings: false,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen3-0.6b",
            ModelShape(
                family: .qwen3,
                hiddenSize: 1024,
                layerCount: 28,
                headCount: 16,
                keyValueHeadCount: 8,
                headDimension: 128,
                intermediateSize: 3072,
                vocabularySize: 151_936,
                ropeTheta: 1e6
            )
        ),
        (
            "qwen3-1.7b",
            ModelShape(
                family: .qwen3,
                hiddenSize: 2048,
                layerCount: 28,
                headCount: 16,
                keyValueHeadCount: 8,
                headDimension: 128,
                intermediateSize: 6144,
                vocabularySize: 151_936,
                ropeTheta: 1e6
            )
        ),
    ]

    /// The shape of a published model, or nil for an unknown name.
    public static func named(_ name: String) -> ModelShape? {
        published.first { $0.name == name }?.shape
    }

    /// The number of weights.
    public var parameterCount: Int {
        let queries = headCount * headDimension
        let keys = keyValueHeadCount * headDimension
        var layer = hiddenSize * (2 * queries + 2 * keys) + 3 * hiddenSize * intermediateSize
        layer += 2 * hiddenSize
        if family == .qwen2 { layer += queries + 2 * keys }
        if family == .qwen3 { layer += 2 * headDimension }
        let embeddings = vocabularySize * hiddenSize * (tiesEmbeddings ? 1 : 2)
        return layerCount * layer + embeddings + hiddenSize
    }

    /// The numbers that one token keeps in the cache of keys and values.
    public var cachedValuesPerToken: Int { 2 * layerCount * keyValueHeadCount * headDimension }

    /// Reads the shape of a model trained from scratch.
    init(_ reader: ConfigurationReader, vocabularySize: Int) {
        let any = 1...1_000_000
        family = reader.choice("family", default: Family.qwen3) ?? .qwen3
        hiddenSize = reader.integer("hiddenSize", in: any)
        layerCount = reader.integer("layers", in: any)
        headCount = reader.integer("heads", in: any)
        keyValueHeadCount = reader.integer("keyValueHeads", default: headCount, in: any)
        headDimension = reader.integer(
            "headDimension",
            default: max(2, hiddenSize / headCount),
            in: 2...1_000_000
        )
        intermediateSize = reader.integer("intermediateSize", default: 3 * hiddenSize, in: any)
        tiesEmbeddings = reader.bool("tieEmbeddings", default: true)
        ropeTheta = reader.number("ropeTheta", default: 10000, in: 1...1e12)
        normEpsilon = reader.number("normEpsilon", default: 1e-6, in: 1e-12...1)
        self.vocabularySize = vocabularySize
        if headCount % keyValueHeadCount != 0 {
            reader.report.add(
                reader.path("keyValueHeads"),
                "found \(keyValueHeadCount); expected a divisor of heads, \(headCount)"
            )
        }
        if headDimension % 2 != 0 {
            reader.report.add(
                reader.path("headDimension"),
                "found \(headDimension); expected an even number"
            )
        }
    }

    /// The members as they enter keys and manifests.
    var json: JSON {
        [
            "family": .string(family.rawValue), "hiddenSize": .integer(hiddenSize),
            "layers": .integer(layerCount), "heads": .integer(headCount),
            "keyValueHeads": .integer(keyValueHeadCount),
            "headDimension": .integer(headDimension),
            "intermediateSize": .integer(intermediateSize),
            "vocabularySize": .integer(vocabularySize), "tieEmbeddings": .bool(tiesEmbeddings),
            "ropeTheta": .number(ropeTheta), "normEpsilon": .number(normEpsilon),
        ]
    }
}
