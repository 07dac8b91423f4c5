import Autograd
import Experiments

/// What one training run does: on what, for what, and where it tells of it.
public struct TrainingPlan {
    /// Where the examples of each step come from.
    public let batches: any BatchSource
    /// What is minimised.
    public let objective: any Objective
    /// What hears of every step.
    public let sinks: [OpenMetricsSink]
    /// What the matrix products are computed with.
    public let products: ProductSettings
    /// Optimizer and schedule.
    public let optimizer: OptimizerSettings
    /// Steps between checkpoints.
    public let saveEvery: Int
    /// Checkpoints that stay when training has ended.
    public let keepCheckpoints: Int
    /// Numbers of steps after which the weights are kept, to be scored.
    public let scoredSteps: Set<Int>
    /// What the run is called on the progress line.
    public let label: String

    /// Describes a run.
    public init(
        batches: any BatchSource,
        objective: any Objective = CrossEntropyObjective(),
        sinks: [OpenMetricsSink],
        products: ProductSettings = ProductSettings(),
        optimizer: OptimizerSettings,
        saveEvery: Int,
        keepCheckpoints: Int,
        scoredSteps: [Int] = [],
        label: String
    ) {
        self.batches = batches
        self.objective = objective
        self.sinks = sinks
        self.products = products
        self.optimizer = optimizer
        self.saveEvery = saveEvery
        self.keepCheckpoints = keepCheckpoints
        self.scoredSteps = Set(scoredSteps)
        self.label = label
    }

    /// Checkpoints kept while training: never none, as training goes on from them.
    var checkpointsWhileTraining: Int {
        TrainingSettings.checkpointsWhileTraining(keeping: keepCheckpoints)
    }

    var schedule: CosineSchedule {
        CosineSchedule(
            peak: optimizer.learningRate,
            final: optimizer.finalLearningRate,
            warmupSteps: Int(
                (optimizer.warmupFraction * Double(batches.stepCount)).rounded(.up)
            ),
            totalSteps: batches.stepCount
        )
    }

    var adamW: AdamW<Float>.Configuration {
        .init(
            beta1: optimizer.beta1,
            beta2: optimizer.beta2,
            epsilon: optimizer.epsilon,
            weightDecay: optimizer.weightDecay,
            maximumGradientNorm: optimizer.clip > 0 ? optimizer.clip : .infinity,
            bfloat16Moments: optimizer.moments == .bfloat16
        )
    }
}
