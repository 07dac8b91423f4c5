import Autograd
import Kernels
import Models

/// Learning a teacher's next-token distributions along the examples, with or without the examples'
/// own tokens.
public struct DivergenceObjective: Objective {
    private let loss: DistributionLoss
    private let teacher: any TeacherDistributions

    /// Learns from a teacher.
    public init(_ loss: DistributionLoss, from teacher: any TeacherDistributions) {
        self.loss = loss
        self.teacher = teacher
    }

    /// Σ over rows of coefficient · (w · divergence + (1 - w) · cross-entropy); the two by themselves
    /// are reported where both have a weight.
    public func loss(
        of batch: MicroBatch,
        under model: Transformer<Float>,
        on tape: Tape<Float>
    ) throws -> ObjectiveLoss {
        let distributions = try teacher.distributions(along: batch)
        let (total, parts) = Variable.headDivergence(
            loss,
            hidden: model.hidden(batch.tokens, on: tape),
            head: model.head(on: tape),
            targets: batch.targets,
            coefficients: batch.coefficients,
            teacher: distributions
        )
        guard loss.weight < 1 else { return ObjectiveLoss(total) }
        return ObjectiveLoss(
            total,
            metrics: [
                ("divergence", parts.divergence), ("cross_entropy", parts.crossEntropy),
            ]
        )
    }
}
