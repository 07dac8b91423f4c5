import Autograd
import Kernels
import Models

/// What the forward and backward passes of one step found.
struct StepGradients {
    /// The step's loss.
    private(set) var loss = 0.0
    /// What the objective reports besides.
    private(set) var metrics: [(name: String, value: Double)] = []
    /// Seconds of the forward passes.
    private(set) var forwardSeconds = 0.0
    /// Seconds of the backward passes.
    private(set) var backwardSeconds = 0.0

    /// Adds up the gradients of a step in the model's parameters, micro-batch by micro-batch.
    ///
    /// - Parameters:
    ///   - objective: What is minimised.
    ///   - model: The student.
    ///   - batch: The step's examples.
    ///   - arithmetic: What the matrix products are computed with.
    ///   - profile: Where the time of each operation is added up, if wanted.
    ///   - progress: Hears, after each micro-batch, how many of the step's tokens are done.
    /// - Throws: What the objective throws.
    init(
        of objective: any Objective,
        under model: Transformer<Float>,
        on batch: StepBatch,
        arithmetic: ProductArithmetic,
        profile: OperationProfile? = nil,
        progress: (_ done: Int) -> Void = { _ in }
    ) throws {
        let targetCount = batch.targetCount
        var done = 0
        for examples in batch.microBatches {
            let start = ContinuousClock.now
            let part = try objective.loss(
                of: MicroBatch(examples: examples, stepTargetCount: targetCount),
                under: model,
                on: Tape(profile: profile, arithmetic: arithmetic)
            )
            let middle = ContinuousClock.now
            part.loss.backward()
            forwardSeconds += (middle - start) / .seconds(1)
            backwardSeconds += (ContinuousClock.now - middle) / .seconds(1)
            loss += Double(part.loss.value.item)
            if metrics.isEmpty {
                metrics = part.metrics
            } else {
                for (index, metric) in part.metrics.enumerated() {
                    metrics[index].value += metric.value
                }
            }
            done += examples.reduce(0) { $0 + $1.inputs.count }
            progress(done)
        }
    }
}
