import Testing

@testable import Kernels

@Suite struct LoopRecordingTests {
    /// A loop's chunks are heard one by one; loops inside a chunk are part of it.
    @Test func everyChunkIsHeard() {
        let hits = Buffer<Float>.zeros(10)
        var threads = 0
        let recording = LoopRecording(for: 7) {
            ThreadPool.forEach(10, grain: 4) { range in
                ThreadPool.forEach(range.count, grain: 1) { inner in
                    for i in inner { hits[range.lowerBound + i] += 1 }
                }
            }
            ThreadPool.forEach(2, grain: 5) { _ in }
            threads = ThreadPool.threadCount
        }
        #expect(threads == 7 && ThreadPool.threadCount != 7)
        #expect(recording.loops.map(\.count) == [3, 1])
        #expect(recording.loops.joined().allSatisfy { $0 >= 0 })
        #expect(recording.serialSeconds <= recording.seconds)
        #expect(hits.array.allSatisfy { $0 == 1 })
    }

    private struct Stop: Error {}

    @Test func nothingIsHeardAfterAnError() {
        #expect(throws: Stop.self) { try LoopRecording(for: 200) { throw Stop() } }
        #expect(ThreadPool.threadCount != 200)
    }

    /// Chunks of 4, 1, 1, 1, 1, 4 seconds and a serial second, as two threads take them: one has 4
    /// and then 4, the other 1 four times.
    @Test(arguments: [(1, 13), (2, 9.5), (3, 7.5), (128, 5.5)])
    func chunksGoToWhoIsFree(_ threads: Int, _ seconds: Double) {
        let recording = LoopRecording(
            threads: threads,
            loops: [[4, 1, 1, 1, 1, 4]],
            seconds: 13
        )
        #expect(recording.serialSeconds == 1)
        #expect(recording.bound(forkJoin: 0.5) == seconds)
    }

    /// A loop of one chunk wakes nobody.
    @Test func oneChunkIsSerial() {
        let recording = LoopRecording(threads: 8, loops: [[2], [3]], seconds: 6)
        #expect(recording.bound(forkJoin: 10) == 6)
    }
}
