import Foundation
import TestSupport
import Testing

@testable import Kernels

@Suite struct EntropyTests {
    /// Against the definition, at lengths around a block's.
    @Test(arguments: [1, 7, 4095, 4096, 4097, 10_001]) func isTheEntropy(columns: Int) {
        let values: [Double] = (0..<3 * columns).map { (index: Int) -> Double in
            sin(Double(index) * 1.3) * Double(3 * (index % 3 + 1))
        }
        let logits = Buffer(values)
        let (losses, sums, found) = (
            Buffer<Double>(count: 3), Buffer<Double>(count: 3), Buffer<Double>(count: 3)
        )
        crossEntropy(logits: logits, rows: 3, targets: [0, 0, 0], losses: losses, logSumExp: sums)
        entropy(logits: logits, rows: 3, logSumExp: sums, into: found)
        for row in 0..<3 {
            let z = values[row * columns..<(row + 1) * columns]
            let sum: Double = log(z.map { exp($0) }.reduce(0, +))
            let expected: Double = z.map { (value: Double) -> Double in
                exp(value - sum) * (sum - value)
            }.reduce(0, +)
            #expect(abs(found[row] - expected) <= 1e-9 * max(1, expected))
        }
    }

    /// A token that is impossible has no part, and one that is certain leaves nothing open.
    @Test func certainAndImpossibleTokens() {
        let logits = Buffer<Float>([0, -Float.infinity, 0, 0, -200, -200])
        let (sums, found) = (Buffer<Float>([log(2), 0]), Buffer<Float>(count: 2))
        entropy(logits: logits, rows: 2, logSumExp: sums, into: found)
        #expect(abs(found[0] - log(2)) < 1e-6 && found[1] == 0)
    }
}
