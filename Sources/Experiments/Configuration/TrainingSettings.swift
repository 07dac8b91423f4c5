import Checkpoints
import Records
import Decoding
import Basics
import Models

/// AdamW with decoupled decay, linear warmup, cosine decay and clipping by the global norm.
public struct OptimizerSettings: Sendable, Equatable {
    /// Peak learning rate.
    public var learningRate: Double
    /// Learning rate at the last step.
    public var finalLearningRate: Double
    /// Share of the steps over which the rate rises from 0.
    public var warmupFraction: Double
    /// Decoupled weight decay.
    public var weightDecay: Double
    /// Decay of the first moment.
    public var beta1: Double
    /// Decay of the second moment.
    public var beta2: Double
    /// Added to the root of the second moment.
    public var epsilon: Double
    /// Largest global norm of the gradient; 0 does not clip.
    public var clip: Double
    /// The type of the moments, in memory and in checkpoints.
    public var moments: NamedTensor.Storage

    /// Reads the keys that `training` and `pretraining` share; the defaults are the s1 recipe's.
    init(_ reader: ConfigurationReader, learningRate: Double) {
        let any = 0...Double.infinity
        self.learningRate = reader.number("learningRate", default: learningRate, in: any)
        finalLearningRate = reader.number("finalLearningRate", default: 0, in: any)
        warmupFraction = reader.number("warmupFraction", default: 0.05, in: 0...1)
        weightDecay = reader.number("weightDecay", default: 1e-4, in: any)
        beta1 = reader.number("beta1", default: 0.9, in: 0...0.999999)
        beta2 = reader.number("beta2", default: 0.95, in: 0...0.999999)
        epsilon = reader.number("epsilon", default: 1e-8, in: 1e-30...1)
        clip = reader.number("clip", default: 1, in: any)
        moments = reader.choice("moments", default: NamedTensor.Storage.float32) ?? .float32
    }

    /// The members as they enter keys and manifests.
    var json: JSON {
        var members = JSONObject([
            ("learningRate", .number(learningRate)),
            ("finalLearningRate", .number(finalLearningRate)),
            ("warmupFraction", .number(warmupFraction)), ("weightDecay", .number(weightDecay)),
            ("beta1", .number(beta1)), ("beta2", .number(beta2)), ("epsilon", .number(epsilon)),
            ("clip", .number(clip)),
        ])
        // Left out where it is the default: keys of stages made before it existed stay valid.
        if moments != .float32 { members["moments"] = .string(moments.rawValue) }
        return .object(members)
    }
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
    public var optimizer: OptimizerSettings
    /// Sequences of an optimizer step.
    public var batch: Int
    /// How often each trace is seen.
    public var epochs: Int
    /// Most tokens of a training sequence.
    public var maxLength: Int
    /// What becomes of longer ones.
    public var overlong: OverlongPolicy
    /// Most tokens of a micro-batch.
    public var microBatchTokens: Int
    /// What is computed again in the backward pass.
    public var recompute: Recompute
    /// Steps between checkpoints; 0 writes one at the end of each epoch.
    public var saveEvery: Int
    /// Checkpoints that stay when training has ended, the latest ones before its end.
    public var keepCheckpoints: Int
    /// The adapters that are trained instead of all weights; nil trains all.
    public var lora: LoRA?

    init(_ reader: ConfigurationReader) {
        optimizer = OptimizerSettings(reader, learningRate: 1e-5)
        batch = reader.integer("batch", default: 16, in: 1...1_000_000)
        epochs = reader.integer("epochs", default: 5, in: 1...1_000_000)
        maxLength = reader.integer("maxLength", default: 8192, in: 2...ConfigurationReader.most)
        overlong = reader.choice("overlong", default: OverlongPolicy.drop) ?? .drop
        microBatchTokens = reader.integer(
            "microBatchTokens",
            default: 8192,
            in: 1...ConfigurationReader.most
        )
        recompute = reader.choice("recompute", default: Recompute.auto) ?? .auto
        saveEvery = reader.integer("saveEvery", default: 0, in: 0...Int.max)
        keepCheckpoints = reader.integer("keepCheckpoints", default: 0, in: 0...1024)
        lora = reader.map("lora").map { LoRA($0) }
        reader.finish()
    }

    /// Checkpoints kept while training goes on: two, or as many as are to stay.
    public static func checkpointsWhileTraining(keeping count: Int) -> Int {
        count > 0 ? count : 2
    }

    /// The members that the trained weights depend on, to the last bit.
    var json: JSON {
        var members = JSONObject([
            ("optimizer", optimizer.json), ("batch", .integer(batch)), ("epochs", .integer(epochs)),
            ("maxLength", .integer(maxLength)), ("overlong", .string(overlong.rawValue)),
            ("microBatchTokens", .integer(microBatchTokens)),
        ])
        if let lora {
            members["lora"] = [
                "rank": .integer(lora.rank), "alpha": .number(lora.alpha),
                "targets": .array(lora.targets.map { .string($0) }),
            ]
        }
        return .object(members)
    }
}

extension LoRA {
    /// Reads the keys of `training.lora`.
    ///
    /// By default every linear map is adapted: Dettmers et al. 2023 (QLoRA, arXiv:2305.14314),
    /// section 4, need that to reach full fine-tuning.
    init(_ reader: ConfigurationReader) {
        let rank = reader.integer("rank", default: 16, in: 1...4096)
        let targets = reader.words("targets", default: LoRA.maps, from: LoRA.maps)
        self.init(
            rank: rank,
            alpha: reader.number("alpha", default: Double(2 * rank), in: 1e-6...1e6),
            targets: LoRA.maps.filter(targets.contains)
        )
        reader.finish()
    }
}

/// How a model is sampled and scored on the benchmarks.
public struct EvaluationSettings: Sendable, Equatable {
    /// k: samples of each question.
    public var samples: Int
    /// How they are drawn.
    public var sampling: SamplingParameters
    /// Most tokens of a sample.
    public var maxNewTokens: Int
    /// Sequences decoded at once; changes speed and memory, never the samples.
    public var batch: Int
    /// How the student's matrices are kept, the same for every arm: a trained student is in
    /// float32, and decodes several times faster in eight bits.
    public var storage: WeightStorage

    init(_ reader: ConfigurationReader) {
        samples = reader.integer("samples", default: 1, in: 1...65535)
        sampling = SamplingParameters(
            reader,
            default: SamplingParameters(temperature: 0.7, topP: 0.95)
        )
        maxNewTokens = reader.integer(
            "maxNewTokens",
            default: 8192,
            in: 1...ConfigurationReader.most
        )
        batch = reader.integer("batch", default: 16, in: 1...65536)
        storage = reader.choice("storage", default: WeightStorage.stored) ?? .stored
        reader.finish()
    }

    /// The members that the samples depend on.
    var json: JSON {
        [
            "samples": .integer(samples), "sampling": sampling.json,
            "maxNewTokens": .integer(maxNewTokens), "storage": .string(storage.rawValue),
        ]
    }
}
