import Basics
import Checkpoints
import Records

/// AdamW with decoupled decay, linear warmup, cosine decay and clipping by the global norm.
public struct OptimizerSettings: Sendable, Equatable {
    /// Peak learning rate.
    public var learningRate: Double
    /// Learning rate at the last step.
    public var finalLearningRate = 0.0
    /// Share of the steps over which the rate rises from 0.
    public var warmupFraction = 0.05
    /// Decoupled weight decay.
    public var weightDecay = 1e-4
    /// Decay of the first moment.
    public var beta1 = 0.9
    /// Decay of the second moment.
    public var beta2 = 0.95
    /// Added to the root of the second moment.
    public var epsilon = 1e-8
    /// Largest global norm of the gradient; 0 does not clip.
    public var clip = 1.0
    /// The type of the moments, in memory and in checkpoints.
    public var moments = NamedTensor.Storage.float32

    /// The s1 recipe with a learning rate.
    init(learningRate: Double) { self.learningRate = learningRate }
}

extension OptimizerSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("learningRate", \.learningRate, .number(0...Double.infinity), "Peak learning rate."),
        Key(
            "finalLearningRate",
            \.finalLearningRate,
            .number(0...Double.infinity),
            "Learning rate at the last step, reached along a cosine."
        ),
        Key(
            "warmupFraction",
            \.warmupFraction,
            .number(0...1),
            "Share of the steps over which the rate rises from 0."
        ),
        Key("weightDecay", \.weightDecay, .number(0...Double.infinity), "Decoupled weight decay."),
        Key("beta1", \.beta1, .number(0...0.999999), "Decay of AdamW's first moment."),
        Key("beta2", \.beta2, .number(0...0.999999), "Decay of AdamW's second moment."),
        Key("epsilon", \.epsilon, .number(1e-30...1), "Added to the root of the second moment."),
        Key(
            "clip",
            \.clip,
            .number(0...Double.infinity),
            "Largest global norm of the gradient; 0 does not clip."
        ),
        Key(
            "moments",
            \.moments,
            .word.leftOut(at: .float32),
            shown: "float32",
            "The type of the moments; bfloat16 takes a quarter less memory and is rounded by chance."
        ),
    ]
}

/// How a student is fine-tuned.
public struct TrainingSettings: Sendable, Equatable {
    /// What the backward pass computes again, to save memory; results are the same to the bit.
    public enum Recompute: String, Sendable, CaseIterable {
        /// As little as memory allows; see `MemoryEstimate.choosing`.
        case auto
        /// Only what costs nothing.
        case none
        /// The feed-forward block too.
        case feedForward
        /// All but each layer's input.
        case layers
    }

    /// The optimizer and its schedule.
    public var optimizer = OptimizerSettings(learningRate: 1e-5)
    /// Sequences of an optimizer step.
    public var batch = 16
    /// How often each trace is seen.
    public var epochs = 5
    /// Most tokens of a training sequence.
    public var maxLength = 8192
    /// What becomes of longer ones.
    public var overlong = OverlongPolicy.drop
    /// Most tokens of a micro-batch.
    public var microBatchTokens = 8192
    /// What the matrix products are computed with.
    public var products = ProductSettings()
    /// What is computed again in the backward pass.
    public var recompute = Recompute.auto
    /// Steps between checkpoints; 0 writes one at the end of each epoch.
    public var saveEvery = 0
    /// Checkpoints that stay when training has ended, the latest ones before its end.
    public var keepCheckpoints = 0
    /// The adapters that are trained instead of all weights; nil trains all.
    public var lora: LoRA?
    /// What is learned.
    public var objective = ObjectiveSettings()
    /// The seed of the one training that all seeds of the experiment share; nil where each has its own.
    public var seed: UInt64?
    /// Trains answers at once beside the traces; nil trains the traces alone.
    public var multiTask: MultiTask?

    /// Adapters of which no key is given.
    static let standardAdapters = LoRA(rank: 16, alpha: 32, targets: LoRA.maps)

    /// Checkpoints kept while training goes on: two, or as many as are to stay.
    public static func checkpointsWhileTraining(keeping count: Int) -> Int {
        count > 0 ? count : 2
    }
}

extension TrainingSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        .keys(of: \.optimizer, as: "optimizer"),
        Key("batch", \.batch, .whole(1...1_000_000), "Sequences of an optimizer step."),
        Key("epochs", \.epochs, .whole(1...1_000_000), "How often each trace is seen."),
        Key(
            "maxLength",
            \.maxLength,
            .whole(2...mostTokens),
            "Most tokens of a training sequence."
        ),
        Key(
            "overlong",
            \.overlong,
            .word,
            "Whether longer traces are left out, cut, or a mistake."
        ),
        Key(
            "microBatchTokens",
            \.microBatchTokens,
            .whole(1...mostTokens),
            "Most tokens that go through the model at once: memory, and the last bits of the weights."
        ),
        Key(
            "precision",
            \.products.precision,
            .word.leftOut(at: .float32),
            shown: "float32",
            "The operands of matrix products; auto takes bfloat16 where it is measured to be faster."
        ),
        Key(
            "products",
            \.products.products,
            .word.leftOut(at: .ordered),
            shown: "ordered",
            "Who computes them: kernels with the same bits everywhere, or OpenBLAS."
        ),
        Key(
            "recompute",
            \.recompute,
            .word,
            influence: .nothing,
            "What the backward pass computes again to save memory."
        ),
        Key(
            "saveEvery",
            \.saveEvery,
            .whole(0...Int.max),
            influence: .nothing,
            "Steps between checkpoints; 0 writes one at the end of each epoch."
        ),
        Key(
            "keepCheckpoints",
            \.keepCheckpoints,
            .whole(0...1024),
            influence: .nothing,
            "Checkpoints that stay when training has ended."
        ),
        .map(
            "lora",
            \.lora,
            from: standardAdapters,
            "Trains low-rank adapters on the student as it is stored instead of all its weights."
        ),
        .keys(of: \.objective),
        Key(
            "seed",
            \.seed,
            .optional(.seed),
            influence: .indirect,
            "The seed of one training that all seeds share; without it each trains its own student."
        ),
        .map(
            "multiTask",
            \.multiTask,
            from: MultiTask(),
            "Trains the answer at once beside each trace, under a prompt of its own."
        ),
    ]
}

extension TrainingSettings {
    func check(_ reader: ConfigurationReader) {
        if multiTask != nil, objective.usedTargets != nil {
            reader.report.add(
                reader.path("multiTask"),
                "trains answers that teacherTargets do not hold; expected one of the two"
            )
        }
        guard products.products == .openblas, products.precision != .float32 else { return }
        reader.report.add(
            reader.path("precision"),
            "found \(products.precision.rawValue); OpenBLAS computes in float32 only"
        )
    }
}

// By default every linear map is adapted: Dettmers et al. 2023 (QLoRA, arXiv:2305.14314), section 4,
// need that to reach full fine-tuning.
extension LoRA: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("rank", \.rank, .whole(1...4096), "r, the rank of every update."),
        Key("targets", \.targets, .words(of: LoRA.maps), shown: "all of them", "The adapted maps."),
        Key(
            "alpha",
            \.alpha,
            .number(1e-6...1e6),
            default: { Double(2 * $0.rank) },
            shown: "2 x rank",
            "Updates are scaled by alpha / rank."
        ),
    ]
}
