import Autograd
import Basics
import Kernels

/// An operation under a gradient check: shapes of its inputs, and the operation.
public struct OperationCase: Sendable, CustomStringConvertible {
    /// Name in failure messages.
    public let name: String
    let shapes: [[Int]]
    let positive: Bool
    let body: @Sendable ([Variable<Double>]) -> Variable<Double>

    /// A case; `positive` draws inputs from [0.5, 2.5] instead of a normal distribution.
    public init(
        _ name: String,
        _ shapes: [[Int]],
        positive: Bool = false,
        _ body: @escaping @Sendable ([Variable<Double>]) -> Variable<Double>
    ) {
        self.name = name
        self.shapes = shapes
        self.positive = positive
        self.body = body
    }

    /// Name and shapes.
    public var description: String { "\(name) \(shapes)" }
}

/// Compares an operation's pullback with central differences, element by element.
///
/// The output is contracted with a random vector: a plain sum would pass a softmax pullback that
/// returns zeros. Differences of step h = 6e-6 · max(1, |x|) carry an error of about 1e-10.
///
/// - Returns: The largest |analytic − numeric| / max(1, |numeric|); NaN if any is NaN.
public func worstGradientError(_ operation: OperationCase, seed: UInt64) -> Double {
    let stream = RandomStream(seed: seed, name: operation.name)
    let inputs = operation.shapes.enumerated().map { index, shape in
        Tensor<Double>(
            (0..<shape.reduce(1, *)).map { position in
                operation.positive
                    ? 0.5 + 2
                        * stream.uniform(
                            item: UInt64(index),
                            attempt: 0,
                            position: position,
                            draw: 0
                        )
                    : stream.normal(item: UInt64(index), attempt: 0, position: position, draw: 0)
            },
            shape: shape
        )
    }
    let tape = Tape<Double>()
    let leaves = inputs.map(tape.variable)
    let output = operation.body(leaves)
    let upstream = Tensor<Double>.normal(
        output.shape,
        standardDeviation: 1,
        stream: stream,
        item: 1 << 32
    )
    tape.backward(from: output, upstream: upstream)

    func contracted() -> Double {
        let value = operation.body(inputs.map { Variable($0) }).value
        return zip(value.elements, upstream.elements).reduce(0) { $0 + $1.0 * $1.1 }
    }
    var worst = 0.0
    for (input, leaf) in zip(inputs, leaves) {
        let analytic =
            tape.gradient(of: leaf)?.elements ?? Array(repeating: 0, count: input.count)
        for index in 0..<input.count {
            let x = input.buffer[index]
            let h = 6e-6 * max(1, abs(x))
            input.buffer[index] = x + h
            let above = contracted()
            input.buffer[index] = x - h
            let below = contracted()
            input.buffer[index] = x
            let numeric = (above - below) / (2 * h)
            let error = abs(analytic[index] - numeric) / max(1, abs(numeric))
            if error.isNaN { return .nan }
            worst = max(worst, error)
        }
    }
    return worst
}
