import Basics
import Models
import Records

/// A model trained from random weights on lessons of the chain world.
public struct ScratchModel: Sendable, Equatable {
    /// Its sizes; the vocabulary is the chain world's.
    public var shape = ModelConfiguration(
        family: .qwen3,
        vocabularySize: ChainWorld.words.count,
        hiddenSize: 1,
        intermediateSize: 1,
        layerCount: 1,
        queryHeadCount: 1,
        keyValueHeadCount: 1,
        headDimension: 2
    )
    /// Standard deviation of the initial weights.
    public var initializerRange = 0.02
    /// Whether all seeds use one model, trained with seed 0.
    public var isSharedAcrossSeeds = false
    /// Share of the lessons in the reflective style, 0 to 1; the others are terse.
    public var reflectiveShare = 0.0
    /// Numbers of operations in the lessons.
    public var operations = Array(ChainWorld.operationRange)
    /// Optimizer steps.
    public var steps = 1
    /// Lessons a step.
    public var batch = 64
    /// The optimizer and its schedule.
    public var optimizer = OptimizerSettings(learningRate: 2e-3)

    /// The seed that the weights and the lessons are drawn from, in a run with the given seed.
    public func seed(run: UInt64) -> UInt64 { isSharedAcrossSeeds ? 0 : run }

    /// The lessons of a run.
    public func curriculum(run: UInt64) -> ChainWorld.Curriculum {
        ChainWorld.Curriculum(
            reflectiveShare: reflectiveShare,
            operations: operations,
            seed: seed(run: run)
        )
    }
}

extension ScratchModel: ConfigurationSection {
    static let keys: [Key<Self>] = [
        .keys(of: \.shape, as: "shape"),
        Key(
            "initializerRange",
            \.initializerRange,
            .number(1e-6...10),
            "Standard deviation of the initial weights."
        ),
        Key(
            "sharedAcrossSeeds",
            \.isSharedAcrossSeeds,
            .truth,
            influence: .indirect,
            "Whether all seeds use one model, trained with seed 0."
        ),
        .map(
            "pretraining",
            required: "a map such as {steps: 450}",
            pretraining,
            "How it is trained."
        ),
        .derived("chainWorld") { _ in .integer(ChainWorld.version) },
    ]

    private static let pretraining: [Key<Self>] = [
        Key(
            "reflectiveShare",
            \.reflectiveShare,
            .number(0...1),
            "Share of the lessons in the reflective style; the others are terse."
        ),
        Key(
            "operations",
            \.operations,
            .wholes(ChainWorld.operationRange),
            "Numbers of operations in the lessons."
        ),
        Key("steps", \.steps, .whole(1...100_000_000), isRequired: true, "Optimizer steps."),
        Key("batch", \.batch, .whole(1...1_048_576), "Lessons a step."),
        .keys(of: \.optimizer, as: "optimizer"),
    ]
}

extension ModelConfiguration: ConfigurationSection {
    private static let sizes = 1...1_000_000

    static let keys: [Key<Self>] = [
        Key("family", \.family, .word, "The published family that it is built like."),
        Key("hiddenSize", \.hiddenSize, .whole(sizes), isRequired: true, "Width of the network."),
        Key("layers", \.layerCount, .whole(sizes), isRequired: true, "Number of layers."),
        Key("heads", \.queryHeadCount, .whole(sizes), isRequired: true, "Number of query heads."),
        Key(
            "keyValueHeads",
            \.keyValueHeadCount,
            .whole(sizes),
            default: \.queryHeadCount,
            shown: "heads",
            "Number of key-value heads, a divisor of heads."
        ),
        Key(
            "headDimension",
            \.headDimension,
            .whole(2...sizes.upperBound),
            default: { max(2, $0.hiddenSize / $0.queryHeadCount) },
            shown: "hiddenSize / heads",
            "Elements of a head, an even number."
        ),
        Key(
            "intermediateSize",
            \.intermediateSize,
            .whole(sizes),
            default: { 3 * $0.hiddenSize },
            shown: "3 x hiddenSize",
            "Width of the feed-forward blocks."
        ),
        .derived("vocabularySize") { .integer($0.vocabularySize) },
        Key("tieEmbeddings", \.tiesWordEmbeddings, .truth, "Whether the head is the embedding."),
        Key("ropeTheta", \.ropeTheta, .number(1...1e12), "Base of the rotary frequencies."),
        Key(
            "normEpsilon",
            \.rmsNormEpsilon,
            .number(1e-12...1),
            "Added to the mean square in every norm."
        ),
    ]

    func check(_ reader: ConfigurationReader) {
        let (heads, shared) = (queryHeadCount, keyValueHeadCount)
        if heads % shared != 0 {
            reader.report.add(
                reader.path("keyValueHeads"),
                "found \(shared); expected a divisor of heads, \(heads)"
            )
        }
        if headDimension % 2 != 0 {
            reader.report.add(
                reader.path("headDimension"),
                "found \(headDimension); expected an even number"
            )
        }
        guard heads % shared == 0, headDimension % 2 == 0 else { return }
        do { try validate() } catch {
            // Each number has its limits above; these are of a network as a whole.
            reader.report.add(reader.path("heads"), "\(error)")
        }
    }
}
