import Foundation
import Testing

@testable import Kernels

extension FloatKernels {
    static let rows = lengths + [255, 256, 511, 513, 151_937]

    @Test(arguments: instructionSets)
    func summariesAgreeWithTheirDefinition(on set: String) throws {
        for count in Self.rows {
            for temperature in [1, 0.7, 1.9] {
                let logits: Buffer<Float> = numbers(count, UInt64(count), low: -30, width: 50)
                logits[count / 2] = 21
                let row = try on(set) { LogitSummary(logits, temperature: temperature) }
                let portable = try on("portable") { LogitSummary(logits, temperature: temperature) }
                #expect(row.sum == portable.sum && row.temperedSum == portable.temperedSum)
                let x = logits.array.map { Double($0) - 21 }
                func check(_ sum: Double, _ temperature: Double) {
                    let exact = x.reduce(0) { $0 + Foundation.exp($1 / temperature) }
                    #expect(abs(sum - exact) <= 1e-6 * exact, "\(count) at \(temperature)")
                }
                #expect(row.isUsable && row.greatest == 21)
                check(row.sum, 1)
                check(row.temperedSum, temperature)
                #expect(row.indexOfGreatest == count / 2)
                let exact = 1 / x.reduce(0) { $0 + Foundation.exp($1) }
                #expect(abs(Double(row.probability(of: count / 2)) - exact) <= 1e-6 * exact)
                for floor: Float in [-40, 0, 15, 21, 22] {
                    let expected = logits.array.indices.filter { logits[$0] >= floor }
                    #expect(row.indices(atLeast: floor) == expected.map(Int32.init))
                }
                let some = [Int32(count / 2), 0, Int32(count - 1)]
                for (weight, index) in zip(row.weights(of: some), some) {
                    let exact = Foundation.exp(x[Int(index)] / temperature)
                    #expect(abs(Double(weight) - exact) <= 1e-5 * exact)
                }
                #expect(abs(row.logit(ofShare: 1 / row.temperedSum) - 21) < 1e-4)
            }
        }
    }

    @Test func theFloorIsReachedByAsManyAsAsked() {
        let logits: Buffer<Float> = numbers(20_000, 3, low: -9, width: 18)
        let row = LogitSummary(logits)
        for count in [1, 2, 20, 78, 79] {
            let found = row.indices(atLeast: row.logit(reachedBy: count)).count
            #expect(found >= count && (found < 2 * count + 20 || count > 20))
        }
        #expect(row.logit(reachedBy: 80) == -.infinity)
    }

    @Test(arguments: instructionSets)
    func rowsWithoutNumbersAreNotUsable(on set: String) throws {
        let inf = Float.infinity
        for count in [1, 17, 300, 1000, 40_000] {
            for (value, filler, isUsable): (Float, Float, Bool) in [
                (.nan, 1, false), (.nan, .nan, false), (inf, 1, false), (-inf, -inf, false),
                (1, -inf, true), (-1e30, -inf, true),
            ] {
                let logits = Buffer([Float](repeating: filler, count: count))
                logits[count * 2 / 3] = value
                let row = try on(set) { LogitSummary(logits, temperature: 0.7) }
                #expect(row.isUsable == isUsable, "\(value) among \(count) of \(filler)")
                if isUsable { #expect(row.sum == 1 && row.indexOfGreatest == count * 2 / 3) }
            }
        }
    }
}
