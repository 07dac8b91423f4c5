import Autograd
import Kernels
import Models

/// What training minimises.
///
/// An objective may hold a teacher. Neither model's logits ever exist whole: `Transformer.hidden`
/// gives the states that its head is applied to, and `Variable.headLoss` the logits of a few rows at
/// a time.
public protocol Objective {
    /// A micro-batch's share of the step's loss.
    ///
    /// The shares of a step's micro-batches add up to its loss, the mean over all its target tokens,
    /// so each is the sum over the rows of `batch.coefficients` · the row's loss.
    ///
    /// - Parameters:
    ///   - batch: The examples.
    ///   - model: The student.
    ///   - tape: Where the student's pass is recorded.
    /// - Returns: The share, recorded, and what else there is to report.
    /// - Throws: `Failure` when the loss cannot be had, from a teacher for example.
    func loss(of batch: MicroBatch, under model: Transformer<Float>, on tape: Tape<Float>) throws
        -> ObjectiveLoss
}

/// A loss, and what else is worth recording of it.
public struct ObjectiveLoss {
    /// The loss, shape `[1]`, recorded.
    public let loss: Variable<Float>
    /// Other quantities for the metrics, by name, the same names in the same order each time.
    ///
    /// Like losses, the shares of a step's micro-batches add up.
    public let metrics: [(name: String, value: Double)]

    /// A loss alone, or with quantities beside it.
    public init(_ loss: Variable<Float>, metrics: [(name: String, value: Double)] = []) {
        self.loss = loss
        self.metrics = metrics
    }
}
