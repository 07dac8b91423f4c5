import Checkpoints
import Models

/// What a stage will roughly take: computed from sizes alone, before anything runs.
///
/// Times assume the speeds below, and completions of half the permitted length. They are meant to
/// tell minutes from days.
public struct Estimate: Sendable, Equatable {
    /// Wall time in seconds.
    public var seconds = 0.0
    /// Peak memory in bytes.
    public var memoryBytes = 0
    /// Size of the outputs in bytes.
    public var diskBytes = 0
    /// What is on disk besides while the stage runs, in bytes: checkpoints.
    public var transientDiskBytes = 0

    /// Floating-point operations a second in training, two cores with AVX-512.
    static let trainingRate = 150e9
    /// Bytes of weights that a decoding step reads a second, on the same machine.
    static let weightBytesPerSecond = 38e9
    /// Floating-point operations a second of decoding with weights in plain numbers.
    static let decodingRate = 130e9
    /// The same with quantised weights, whose products are taken in int8.
    static let quantisedDecodingRate = 700e9

    /// Seconds of one pass of a model over `rows` tokens: its weights are read once, and each meets
    /// every row.
    static func passSeconds(parameters: Int, storedBytes: Int?, rows: Int) -> Double {
        let bytes = storedBytes ?? 2 * parameters
        let rate = bytes < 2 * parameters ? quantisedDecodingRate : decodingRate
        return Double(bytes) / weightBytesPerSecond + 2 * Double(parameters * rows) / rate
    }

    /// Decoding `sequences` completions with some models at once.
    ///
    /// Weights as stored, two bytes each where the file is not there yet; every place of the batch
    /// is taken but for the last step; a float32 cache for every sequence of the batch.
    static func decoding(
        sequences: Int,
        maxNewTokens: Int,
        batch: Int,
        models: [(shape: ModelConfiguration, storedBytes: Int?)],
        bytesPerToken: Int
    ) -> Estimate {
        let tokens = Double(sequences) * Double(maxNewTokens) / 2
        let rows = max(1, min(batch, sequences))
        var estimate = Estimate(diskBytes: Int(min(tokens * Double(bytesPerToken), 0x1p50)))
        for (shape, stored) in models {
            let count = shape.parameterCount
            estimate.seconds +=
                passSeconds(parameters: count, storedBytes: stored, rows: rows) * tokens
                / Double(rows)
            estimate.memoryBytes += stored ?? 2 * count
            estimate.memoryBytes +=
                4 * min(batch, sequences) * maxNewTokens * shape.cachedValuesPerToken
        }
        return estimate
    }

    /// Training on `tokens` tokens in all.
    ///
    /// Six operations a weight and token; memory by `MemoryEstimate`; a checkpoint holds weight and
    /// moments; `keptWeights` are kept on the way to be scored. Where only adapters are trained, the
    /// files hold those, and gradients of the weights are not computed.
    static func training(
        tokens: Double,
        microBatchTokens: Int,
        recompute: TrainingSettings.Recompute,
        moments: NamedTensor.Storage,
        keptCheckpoints: Int,
        keptWeights: Int = 0,
        shape: ModelConfiguration,
        adapting: MemoryEstimate.Adapting? = nil,
        rolloutBytes: Int = 0
    ) -> Estimate {
        let count = adapting?.lora.parameterCount(shape) ?? shape.parameterCount
        var memory = recompute.estimate(
            shape,
            rows: microBatchTokens,
            moments: moments,
            adapting: adapting
        )
        memory.rolloutBytes = rolloutBytes
        return Estimate(
            seconds: (adapting == nil ? 6 : 4) * Double(shape.parameterCount) * tokens
                / trainingRate,
            memoryBytes: memory.totalBytes,
            diskBytes: 4 * count * (1 + keptWeights),
            // The one that is being written comes on top of those kept.
            transientDiskBytes: (4 + 2 * moments.bytesPerValue) * count * (keptCheckpoints + 1)
        )
    }
}
