import Basics
import Foundation
import Testing

@testable import Basics

@Suite struct RandomTests {
    /// Known answers of Random123's kat_vectors, "philox4x32 10".
    @Test func philoxMatchesKnownAnswers() {
        let cases: [(SIMD2<UInt32>, SIMD4<UInt32>, SIMD4<UInt32>)] = [
            (
                SIMD2(repeating: 0), SIMD4(repeating: 0),
                SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
            ),
            (
                SIMD2(repeating: .max), SIMD4(repeating: .max),
                SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD2(0xa409_3822, 0x299f_31d0),
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
                SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ]
        for (key, counter, expected) in cases {
            #expect(Philox4x32.block(key: key, counter: counter) == expected)
        }
    }

    @Test func streamsDifferByEveryPartOfTheirAddress() {
        let stream = RandomStream(seed: 1, name: "a")
        let item = RandomStream.itemKey("problem")
        let numbers = [
            stream.uniform(item: item, attempt: 0, position: 0, draw: 0),
            stream.uniform(item: item, attempt: 1, position: 0, draw: 0),
            stream.uniform(item: item, attempt: 0, position: 1, draw: 0),
            stream.uniform(item: item, attempt: 0, position: 0, draw: 1),
            stream.uniform(item: item + 1, attempt: 0, position: 0, draw: 0),
            RandomStream(seed: 2, name: "a").uniform(item: item, attempt: 0, position: 0, draw: 0),
            RandomStream(seed: 1, name: "b").uniform(item: item, attempt: 0, position: 0, draw: 0),
        ]
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers[0] == stream.uniform(item: item, attempt: 0, position: 0, draw: 0))
    }

    @Test func uniformAndNormalHaveTheirMoments() {
        let stream = RandomStream(seed: 7, name: "moments")
        let count = 20_000
        let u = (0..<count).map { stream.uniform(item: 3, attempt: 0, position: $0, draw: 0) }
        let z = (0..<count).map { stream.normal(item: 3, attempt: 0, position: $0, draw: 0) }
        func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
        // Five standard errors.
        #expect(u.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(mean(u) - 0.5) < 5 * 0.289 / Double(count).squareRoot())
        #expect(abs(mean(z)) < 5 / Double(count).squareRoot())
        #expect(abs(mean(z.map { $0 * $0 }) - 1) < 5 * 1.42 / Double(count).squareRoot())
    }

    @Test func permutationsAreFair() {
        let stream = RandomStream(seed: 7, name: "order")
        var first = [Int](repeating: 0, count: 5)
        for item in 0..<5000 {
            let order = stream.permutation(count: 5, item: UInt64(item))
            #expect(order.sorted() == [0, 1, 2, 3, 4])
            first[order[0]] += 1
        }
        // Each expects 1000; five standard deviations are 141.
        #expect(first.allSatisfy { abs($0 - 1000) < 141 })
        #expect(stream.permutation(count: 0, item: 1) == [])
        #expect(stream.permutation(count: 1, item: 1) == [0])
    }
}
