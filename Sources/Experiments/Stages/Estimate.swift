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

    /// Floating-point operations a second in training, two cores with AVX-512.
    static let trainingRate = 150e9
    /// Floating-point operations a second in decoding at a batch of about 16, on the same machine.
    static let decodingRate = 75e9

    /// Decoding `sequences` completions with some models at once.
    ///
    /// Two operations a weight and token; weights as stored, two bytes each where the file is not
    /// there yet; a float32 cache for every sequence of the batch.
    static func decoding(
        sequences: Int,
        maxNewTokens: Int,
        batch: Int,
        models: [(shape: ModelConfiguration, storedBytes: Int?)],
        bytesPerToken: Int
    ) -> Estimate {
        let tokens = Double(sequences) * Double(maxNewTokens) / 2
        var estimate = Estimate(diskBytes: Int(tokens) * bytesPerToken)
        for (shape, stored) in models {
            let count = shape.parameterCount
            estimate.seconds += 2 * Double(count) * tokens / decodingRate
            estimate.memoryBytes += stored ?? 2 * count
            estimate.memoryBytes +=
                4 * min(batch, sequences) * maxNewTokens * shape.cachedValuesPerToken
        }
        return estimate
    }

    /// Training on `tokens` tokens in all.
    ///
    /// Six operations a weight and token; weight, gradient and two moments in float32; activations
    /// of one micro-batch; a checkpoint holds weight and moments. Where only adapters are trained,
    /// that is true of them, and the weights stay as stored; their gradients are not computed.
    static func training(
        tokens: Double,
        microBatchTokens: Int,
        recompute: Bool,
        keptCheckpoints: Int,
        shape: ModelConfiguration,
        adapted: (count: Int, storedBytes: Int)? = nil
    ) -> Estimate {
        let count = adapted?.count ?? shape.parameterCount
        // Inputs of the block's products and norms: about six rows of the residual stream, three of
        // the feed-forward block, and queries, keys, values and output of the attention.
        let heads = 2 * (shape.queryHeadCount + shape.keyValueHeadCount) * shape.headDimension
        let layer = 6 * shape.hiddenSize + 3 * shape.intermediateSize + heads
        let kept =
            recompute ? shape.layerCount * shape.hiddenSize + layer : shape.layerCount * layer
        return Estimate(
            seconds: (adapted == nil ? 6 : 4) * Double(shape.parameterCount) * tokens
                / trainingRate,
            memoryBytes: 16 * count + (adapted?.storedBytes ?? 0) + 4 * microBatchTokens * kept,
            diskBytes: 12 * count * (keptCheckpoints + 1) + 4 * count
        )
    }
}
