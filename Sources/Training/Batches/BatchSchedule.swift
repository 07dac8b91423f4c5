import Basics

/// Which examples each optimizer step trains, and how the step is cut into micro-batches.
///
/// Every epoch has another order, drawn from the seed; the last step of an epoch takes what is
/// left. Inside a step the longest examples come first, so that a step that does not fit fails at
/// once. The order is the same for every micro-batch size, and a step needs nothing but its number.
public struct BatchSchedule: Sendable {
    /// Tokens of each example.
    public let lengths: [Int]
    /// Sequences of an optimizer step.
    public let batchSize: Int
    /// How often each example is seen.
    public let epochs: Int
    /// Most tokens of a micro-batch; a longer example is one by itself.
    public let microBatchTokens: Int
    private let stream: RandomStream

    /// Plans training on examples of the given lengths.
    ///
    /// - Precondition: At least one example; sizes are positive.
    public init(
        lengths: [Int],
        batchSize: Int,
        epochs: Int,
        microBatchTokens: Int,
        seed: UInt64
    ) {
        precondition(
            !lengths.isEmpty && batchSize > 0 && epochs > 0 && microBatchTokens > 0,
            "BatchSchedule: \(lengths.count) examples, batch \(batchSize), \(epochs) epochs, "
                + "\(microBatchTokens) tokens a micro-batch"
        )
        self.lengths = lengths
        self.batchSize = batchSize
        self.epochs = epochs
        self.microBatchTokens = microBatchTokens
        stream = RandomStream(seed: seed, name: "shuffle")
    }

    /// Steps of one epoch.
    public var stepsPerEpoch: Int { (lengths.count + batchSize - 1) / batchSize }
    /// Steps of the whole training.
    public var stepCount: Int { stepsPerEpoch * epochs }

    /// The order of the examples in an epoch.
    public func order(epoch: Int) -> [Int] {
        stream.permutation(count: lengths.count, item: UInt64(epoch))
    }

    /// What one step trains: indices of examples, longest first, cut into micro-batches.
    ///
    /// - Precondition: `step` is in `0..<stepCount`.
    public func microBatches(step: Int) -> [[Int]] {
        precondition((0..<stepCount).contains(step), "BatchSchedule: step \(step) of \(stepCount)")
        let start = step % stepsPerEpoch * batchSize
        let members = order(epoch: step / stepsPerEpoch)[
            start..<min(start + batchSize, lengths.count)
        ]
        // The index breaks ties, so that the order depends on the lengths and the seed alone.
        let sorted = members.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
        return Self.microBatches(sorted, lengths: lengths, tokens: microBatchTokens)
    }

    /// Most tokens of any micro-batch of the training.
    public var largestMicroBatch: Int {
        (0..<stepCount).reduce(0) { most, step in
            microBatches(step: step).reduce(most) { max($0, $1.reduce(0) { $0 + lengths[$1] }) }
        }
    }

    /// Cuts examples, in order, into runs of at most `tokens` tokens.
    public static func microBatches(_ order: [Int], lengths: [Int], tokens: Int) -> [[Int]] {
        var batches: [[Int]] = []
        var used = 0
        for index in order {
            if batches.isEmpty || used + lengths[index] > tokens {
                batches.append([])
                used = 0
            }
            batches[batches.count - 1].append(index)
            used += lengths[index]
        }
        return batches
    }
}
