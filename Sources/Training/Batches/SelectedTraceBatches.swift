import Records

/// Selected traces, each seen once an epoch, in another order each time.
public struct SelectedTraceBatches: BatchSource {
    private let examples: [TrainingExample]
    /// Which of the traces each step trains.
    let schedule: BatchSchedule

    /// Plans steps over examples; the settings are those of `BatchSchedule`.
    ///
    /// - Precondition: At least one example; sizes are positive.
    public init(
        _ examples: [TrainingExample],
        batchSize: Int,
        epochs: Int,
        microBatchTokens: Int,
        seed: UInt64
    ) {
        self.examples = examples
        schedule = BatchSchedule(
            lengths: examples.map(\.ids.count),
            batchSize: batchSize,
            epochs: epochs,
            microBatchTokens: microBatchTokens,
            seed: seed
        )
    }

    /// Steps of all epochs.
    public var stepCount: Int { schedule.stepCount }
    /// Steps of one epoch.
    public var stepsPerEpoch: Int { schedule.stepsPerEpoch }

    /// The traces that the schedule gives the step, longest first.
    public func batch(step index: Int) -> StepBatch {
        StepBatch(schedule.microBatches(step: index).map { $0.map { examples[$0] } })
    }
}
