import Basics
import Experiments
import Models
import Records

/// Where the examples of each optimizer step come from.
///
/// A source may read files, make examples up, or have the student write them: one that is handed the
/// model in training sees its weights as they are when a step is asked for. Steps are asked for in
/// order, each once; a run that was interrupted asks again from the step of its last checkpoint, and
/// must be given what it would have been given without the interruption.
public protocol BatchSource {
    /// Steps of the whole training.
    var stepCount: Int { get }
    /// Steps in which each example is seen once; all of them where none is seen again.
    var stepsPerEpoch: Int { get }

    /// What step `index` trains.
    ///
    /// - Throws: `Failure` when the examples cannot be made.
    func batch(step index: Int) throws -> StepBatch

    /// The same from a source that takes its time, and tells how far it has come.
    func batch(step index: Int, progress: @escaping (ProgressLine.Fields) -> Void) throws
        -> StepBatch

    /// What a checkpoint has to hold for the source to go on exactly, besides the number of the step;
    /// `null`, the default, for a source that needs nothing else.
    var state: JSON { get }

    /// Goes on from a state that `state` gave.
    ///
    /// - Throws: `Failure.badData` for a state that is none of this source's.
    func restore(_ state: JSON) throws
}

extension BatchSource {
    /// Most sources are done at once.
    public func batch(step index: Int, progress: @escaping (ProgressLine.Fields) -> Void) throws
        -> StepBatch
    {
        try batch(step: index)
    }
    /// Nothing: the number of the step says it all.
    public var state: JSON { .null }
    /// Nothing to go on from.
    public func restore(_ state: JSON) throws {}
}

/// The examples of one optimizer step.
public struct StepBatch: Sendable {
    /// The examples, cut into groups that go through the network together.
    public var microBatches: [[TrainingExample]]
    /// What the source reports about the step, by name, for the metrics.
    public var metrics: [(name: String, value: Double)]
    /// What the progress line shows of the step.
    public var fields: ProgressLine.Fields = []

    /// Describes a step.
    public init(_ microBatches: [[TrainingExample]], metrics: [(name: String, value: Double)] = [])
    {
        self.microBatches = microBatches
        self.metrics = metrics
    }

    /// All examples, in order.
    public var examples: [TrainingExample] { microBatches.flatMap(\.self) }
    /// Tokens that are trained: what the loss of the step is divided by.
    public var targetCount: Int { microBatches.joined().reduce(0) { $0 + $1.targetCount } }
    /// Tokens that pass through the network.
    public var tokenCount: Int { microBatches.joined().reduce(0) { $0 + $1.inputs.count } }
}

/// Examples that go through the network together, with their share of the step's loss.
public struct MicroBatch {
    /// The examples, laid end to end in `tokens`.
    public let examples: [TrainingExample]
    /// Target tokens of the whole step, so that its cutting into micro-batches changes nothing.
    public let stepTargetCount: Int

    /// The network's input.
    public var tokens: TokenBatch { TokenBatch(examples.map { Array($0.inputs) }) }
    /// What each row of the input predicts, one id a row, -1 where it is not trained.
    public var targets: [Int32] { examples.flatMap(\.targets) }
    /// The factor of each row's loss: its weight over the step's target tokens.
    public var coefficients: [Float] {
        examples.flatMap { $0.targetWeights.map { $0 / Float(stepTargetCount) } }
    }
}
