import Basics
import Decoding
import Models

/// How a model is sampled and scored on the benchmarks.
public struct EvaluationSettings: Sendable, Equatable {
    /// k: samples of each question.
    public var samples = 1
    /// How they are drawn.
    public var sampling = SamplingParameters.paper
    /// Most tokens of a sample.
    public var maxNewTokens = 8192
    /// Sequences decoded at once; changes speed and memory, never the samples.
    public var batch = 16
    /// How the student's matrices are kept, the same for every arm: a trained student is in
    /// float32, and decodes several times faster in eight bits.
    public var storage = WeightStorage.stored
    /// How the model names the best of its own samples of a question; nil where it is not asked.
    public var rank: RankSettings?
    /// Steps of training after which students are scored too; nil for none.
    public var atSteps: ScoredSteps?
}

extension EvaluationSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("samples", \.samples, .whole(1...65535), "k, samples of each question."),
        .keys(of: \.sampling, as: "sampling"),
        Key("maxNewTokens", \.maxNewTokens, .whole(1...mostTokens), "Most tokens of a sample."),
        Key("batch", \.batch, .whole(1...65536), influence: .nothing, "Sequences decoded at once."),
        Key(
            "storage",
            \.storage,
            .word,
            "How every student's matrices are kept: as in its file, in eight bits, or in float32."
        ),
        .map(
            "rank",
            \.rank,
            from: RankSettings(),
            "Has the model compare its own different answers to a question, one more completion each, and "
                + "grades the one it names; an empty map takes the defaults."
        ),
        // The samples at a step depend on the step alone, those of the trained student on none.
        Key(
            "atSteps",
            \.atSteps,
            .optional(.steps),
            influence: .indirect,
            "Steps after which students are scored on the way, or an interval of steps; training keeps "
                + "their weights, 4 bytes each."
        ),
    ]
}
