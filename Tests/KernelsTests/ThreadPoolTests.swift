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
        let sums = Buffer<Double>.zeros(64 * 4)
        for _ in 0..<2000 {
            ThreadPool.forEach(64, grain: 1) { outer in
                for i in outer {
                    ThreadPool.forEach(4, grain: 1) { inner in
                        for j in inner { sums[i * 4 + j] += 1 }
                    }
                }
            }
        }
        #expect(sums.array.allSatisfy { $0 == 2000 })
    }
}

extension FloatKernels {
    /// Threads come and go and fall asleep; each loop still does everything once, and ends.
    @Test func loopsEndWithAnyNumberOfThreads() {
        for threads in [2, 64, 3, 256, 1, 64] {
            with(threads: threads) {
                let hits = Buffer<Float>.zeros(1000)
                for pause in [0, 0, 2000, 0, 500] as [UInt32] {
                    usleep(pause)
                    ThreadPool.forEach(1000, grain: 3) { range in
                        for i in range { hits[i] += 1 }
                    }
                }
                #expect(hits.array.allSatisfy { $0 == 5 })
            }
        }
    }

    /// Loops of several callers at once: one has the threads, the others do their own.
    @Test func callersDoNotWaitForEachOther() async {
        let sums = await withTaskGroup(of: Double.self, returning: [Double].self) { group in
            for caller in 0..<8 {
                group.addTask {
                    let parts = Buffer<Double>.zeros(100)
                    for _ in 0..<200 {
                        ThreadPool.forEach(100, grain: 7) { range in
                            for i in range { parts[i] += Double(caller) }
                        }
                    }
                    return sum(parts)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums.sorted() == (0..<8).map { Double($0) * 20_000 })
    }
}

@Suite struct BufferTests {
    @Test func slicesShareStorage() {
        let buffer = Buffer<Double>([0, 1, 2, 3, 4])
        let slice = buffer[1..<4]
        slice[0] = 9
        #expect(buffer.array == [0, 9, 2, 3, 4])
        slice[1..<3].copy(from: Buffer([7, 8]))
        #expect(buffer.array == [0, 9, 7, 8, 4])
        #expect(slice.withSpan { span in span[2] } == 8)
        #expect(Buffer<Float>.zeros(0).array == [])
    }

    /// Large blocks are used again after they were freed; none may be handed out twice.
    @Test func liveBuffersNeverOverlap() {
        var live: [(Buffer<Float>, Float)] = []
        for step in 0..<400 {
            let count = [10, 20_000, 20_001, 100_000, 1_100_000][step * 7 % 5]
            let buffer = Buffer<Float>(count: count)
            buffer.fill(Float(step))
            live.append((buffer, Float(step)))
            if live.count > 8 {
                let (old, value) = live.remove(at: step * 5 % 8)
                #expect(old[0] == value && old[old.count - 1] == value)
                #expect(sum(old) == Double(value) * Double(old.count))
            }
        }
    }
}
