import Foundation
import Testing

@testable import Kernels

@Suite struct ThreadPoolTests {
    @Test func everyIndexRunsOnce() {
        for count in [1, 2, 7, 100, 1001] {
            for grain in [1, 3, 64] {
                let hits = Buffer<Float>.zeros(count)
                ThreadPool.forEach(count, grain: grain) { range in
                    for i in range { hits[i] += 1 }
                }
                #expect(hits.array.allSatisfy { $0 == 1 })
            }
        }
    }

    @Test func nestedAndManySmallJobsFinish() {
        let sums = Buffer<Double>.zeros(64)
        for _ in 0..<2000 {
            ThreadPool.forEach(64, grain: 1) { outer in
                for i in outer {
                    ThreadPool.forEach(4, grain: 1) { inner in sums[i] += Double(inner.count) }
                }
            }
        }
        #expect(sums.array.allSatisfy { $0 == 8000 })
    }
}
