import Autograd
import Kernels
import Models

/// Cross-entropy of the target tokens, -ln P(target): learning from texts.
public struct CrossEntropyObjective: Objective {
    /// The objective; it has no settings.
    public init() {}

    /// Σ over rows of coefficient · −ln P(target).
    public func loss(
        of batch: MicroBatch,
        under model: Transformer<Float>,
        on tape: Tape<Float>
    ) -> ObjectiveLoss {
        ObjectiveLoss(
            model.loss(
                batch.tokens,
                targets: batch.targets,
                coefficients: batch.coefficients,
                on: tape
            )
        )
    }
}
