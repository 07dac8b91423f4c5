import Autograd
import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct GradientTests {
    /// Angles of `count` positions for head dimension `dimension`.
    static func angles(_ count: Int, _ dimension: Int) -> (Tensor<Double>, Tensor<Double>) {
        let angles = (0..<count * dimension / 2).map { Double($0) * 0.37 }
        func tensor(_ function: (Double) -> Double) -> Tensor<Double> {
            Tensor(angles.map(function), shape: [count, dimension / 2])
        }
        return (tensor { cos($0) }, tensor { sin($0) })
    }

    static func attention(
        _ q: Variable<Double>,
        _ k: Variable<Double>,
        _ v: Variable<Double>,
        window: Int? = nil
    ) -> Variable<Double> {
        // Two packed sequences of 3 and 2 rows; 4 query heads share 2 key-value heads of 3.
        .causalAttention(
            queries: q,
            keys: k,
            values: v,
            sequences: [0..<3, 3..<5],
            layout: AttentionShape(
                queryHeads: 4,
                keyValueHeads: 2,
                headDimension: 3,
                scale: 1 / 3.0.squareRoot(),
                window: window
            )
        )
    }

    static let targets: [Int32] = [4, -1, 0, 2, -1]
    static let coefficients: [Double] = [0.5, 3, 0.25, 1, 1]

    static let operations: [OperationCase] = [
        OperationCase("add", [[3, 5], [3, 5]]) { $0[0] + $0[1] },
        OperationCase("add to itself", [[3, 5]]) { $0[0] + $0[0] },
        OperationCase("subtract", [[2, 33], [2, 33]]) { $0[0] - $0[1] },
        OperationCase("multiply", [[3, 5], [3, 5]]) { $0[0] * $0[1] },
        OperationCase("square", [[1, 1]]) { $0[0] * $0[0] },
        OperationCase("scaled", [[3, 5]]) { $0[0].scaled(by: -1.5) },
        OperationCase("reshaped", [[3, 5]]) { $0[0].reshaped([5, 3]) * $0[0].reshaped([5, 3]) },
        OperationCase("relu", [[3, 5]]) { $0[0].relu() },
        OperationCase("tanh", [[3, 5]]) { $0[0].tanh() },
        OperationCase("sigmoid", [[3, 5]]) { $0[0].activated(.sigmoid) },
        OperationCase("silu", [[2, 33]]) { $0[0].silu() },
        OperationCase("exp", [[3, 5]]) { $0[0].activated(.exp) },
        OperationCase("log", [[3, 5]], positive: true) { $0[0].activated(.log) },
        OperationCase("swiGLU", [[2, 33], [2, 33]]) { $0[0].swiGLU(up: $0[1]) },
        OperationCase("swiGLU with itself", [[3, 5]]) { $0[0].swiGLU(up: $0[0]) },
        OperationCase("sum", [[3, 5]]) { ($0[0] * $0[0]).sum() },
        OperationCase("mean", [[3, 5]]) { ($0[0] * $0[0]).mean() },
        OperationCase("softmax", [[2, 33]]) { $0[0].softmax() },
        OperationCase("softmax of one", [[1, 1]]) { $0[0].softmax() },
        OperationCase("rmsNorm", [[3, 5], [5]]) { $0[0].rmsNorm(weight: $0[1], epsilon: 1e-6) },
        OperationCase("rmsNorm of heads", [[3, 6], [2]]) {
            $0[0].rmsNorm(weight: $0[1], epsilon: 1e-6)
        },
        OperationCase("linear", [[3, 5], [7, 5]]) { $0[0].linear(.dense($0[1])) },
        OperationCase("linear with bias", [[3, 5], [7, 5], [7]]) {
            $0[0].linear(.dense($0[1]), bias: $0[2])
        },
        OperationCase("linear twice", [[3, 5], [5, 5]]) {
            $0[0].linear(.dense($0[1])).linear(.dense($0[1]))
        },
        OperationCase("linear with a low-rank update", [[3, 5], [7, 5], [2, 5], [7, 2], [7]]) {
            $0[0].linear(
                .dense($0[1]),
                bias: $0[4],
                update: LowRank(a: $0[2], b: $0[3], scale: 1.5)
            )
        },
        OperationCase("low-rank update of a stored weight", [[3, 5], [1, 5], [7, 1]]) {
            $0[0].linear(
                .stored(StoredMatrix.sines(rows: 7, columns: 5)),
                update: LowRank(a: $0[1], b: $0[2], scale: -0.5)
            )
        },
        OperationCase("embedding", [[7, 3]]) {
            .embedding(.dense($0[0]), ids: [2, 0, 2, 6], on: nil)
        },
        OperationCase("rotated", [[3, 8]]) {
            let (cosines, sines) = angles(3, 4)
            return $0[0].rotated(heads: 2, cosines: cosines, sines: sines)
        },
        OperationCase("rotated and used again", [[3, 8]]) {
            let (cosines, sines) = angles(3, 4)
            return $0[0] + $0[0].rotated(heads: 2, cosines: cosines, sines: sines)
        },
        OperationCase("causalAttention", [[5, 12], [5, 6], [5, 6]]) {
            attention($0[0], $0[1], $0[2])
        },
        OperationCase("causalAttention, window of 2", [[5, 12], [5, 6], [5, 6]]) {
            attention($0[0], $0[1], $0[2], window: 2)
        },
        OperationCase("causalAttention, shared keys and values", [[5, 12], [5, 6]]) {
            attention($0[0], $0[1], $0[1])
        },
        OperationCase("crossEntropy", [[5, 7]]) {
            $0[0].crossEntropy(targets: targets, coefficients: coefficients)
        },
        OperationCase("headCrossEntropy", [[5, 3], [7, 3]]) {
            .headCrossEntropy(
                hidden: $0[0],
                head: .dense($0[1]),
                targets: targets,
                coefficients: coefficients
            )
        },
        OperationCase("headCrossEntropy, scaled and its head used again", [[5, 3], [7, 3]]) {
            let loss = Variable.headCrossEntropy(
                hidden: $0[0],
                head: .dense($0[1]),
                targets: targets,
                coefficients: coefficients
            )
            return loss.scaled(by: 2.5) + ($0[1] * $0[1]).sum()
        },
        // Every operation that can compute its value again, each feeding one that needs it.
        OperationCase("recomputed", [[5, 12], [12], [6, 12], [6]]) {
            let (cosines, sines) = angles(5, 4)
            let x = ($0[0] + $0[0] * $0[0]).recomputed().rmsNorm(weight: $0[1], epsilon: 1e-6)
            let kv = x.linear(.dense($0[2]), bias: $0[3]).recomputed()
            let q = x.swiGLU(up: x).rotated(heads: 3, cosines: cosines, sines: sines)
            let y = Variable.causalAttention(
                queries: q.reshaped([5, 12]),
                keys: kv,
                values: (kv * kv).recomputed(),
                sequences: [0..<3, 3..<5],
                layout: AttentionShape(queryHeads: 4, keyValueHeads: 2, headDimension: 3)
            )
            return y.recomputed() * x
        },
    ]

    @Test(arguments: operations) func matchesFiniteDifferences(_ operation: OperationCase) {
        let error = worstGradientError(operation, seed: 0x5EED)
        #expect(error <= 1e-7)  // false for NaN as well
    }

    /// A softmax whose pullback forgets the inner product: right under a plain sum, wrong here.
    static let planted = OperationCase("planted", [[2, 5]]) { inputs in
        let y = inputs[0].softmax().value
        return .recorded("planted", inputs: inputs, value: y) { g, gradients in
            gradients.add(y.times(g), to: 0)
        }
    }

    @Test func catchesAPlantedWrongPullback() {
        let error = worstGradientError(Self.planted, seed: 0x5EED)
        #expect(error > 1e-3)
    }
}

extension StoredMatrix {
    /// A float32 matrix of sines, kept as a file would.
    static func sines(rows: Int, columns: Int) -> StoredMatrix {
        let values = NSMutableData(length: 4 * rows * columns) ?? NSMutableData()
        let bytes = UnsafeMutableRawBufferPointer(start: values.mutableBytes, count: values.length)
        for index in 0..<rows * columns {
            bytes.storeBytes(of: sin(Float(index) * 1.7), toByteOffset: 4 * index, as: Float.self)
        }
        return StoredMatrix(
            format: .f32,
            rows: rows,
            columns: columns,
            bytes: UnsafeRawBufferPointer(bytes),
            owner: values
        )
    }
}

extension Tensor<Double> {
    fileprivate func times(_ other: Tensor) -> Tensor {
        Tensor(zip(elements, other.elements).map(*), shape: shape)
    }
}
