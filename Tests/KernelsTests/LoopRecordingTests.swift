import Testing

@testable import Kernels

@Suite struct LoopRecordingTests {
    /// A loop's chunks are heard one by one; loops inside a chunk are part of it.
    @Test func everyChunkIsHeard() {
        let hits = Buffer<Float>.zeros(10)
        let recorder = LoopRecorder(threads: 7)
        ThreadPool.forEach(10, grain: 4) { range in
            ThreadPool.forEach(range.count, grain: 1) { inner in
                for i in inner { hits[range.lowerBound + i] += 1 }
            }
        }
        ThreadPool.forEach(2, grain: 5) { _ in }
        #expect(ThreadPool.threadCount == 7)
        let recording = recorder.stop()
        ThreadPool.forEach(10, grain: 4) { _ in }
        #expect(ThreadPool.threadCount != 7)
        #expect(recording.loops.map(\.count) == [3, 1])
        #expect(recording.loops.joined().allSatisfy { $0 >= 0 })
        #expect(recording.loops.joined().reduce(0, +) <= recording.seconds)
        #expect(hits.array.allSatisfy { $0 == 1 })
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
        #expect(recording.serialSeconds == 6)
        #expect(recording.bound(forkJoin: 10) == 6)
    }
}

extension FloatKernels {
    /// Steps of 64 equal chunks: a bound for many threads, the truth for those that there are.
    @Test func scalingIsMeasuredStepByStep() throws {
        let x = Buffer<Double>.zeros(64 * 20_000)
        let table = with(threads: 2) {
            let measurement = ScalingMeasurement(threadCounts: [4, 64], rounds: 3)
            var steps = 0
            while measurement.wantsStep() {
                steps += 1
                ThreadPool.forEach(64, grain: 1) { range in
                    for i in range { _ = sum(x[i * 20_000..<(i + 1) * 20_000]) }
                }
            }
            #expect(steps == 3 * 5)
            #expect(ThreadPool.threadCount == 2)
            return measurement.table
        }
        #expect(table.rows.map(\.threads) == [2, 4, 64])
        #expect(table.rows.map { $0.measuredSpeedUp != nil } == [true, false, false])
        let speedUps = table.rows.map(\.boundSpeedUp)
        #expect(speedUps[0] > 1.5 && speedUps[0] <= 2)
        #expect(speedUps[1] > speedUps[0] && speedUps[2] > speedUps[1])
        #expect(table.rows.map(\.boundSeconds).allSatisfy { $0 > 0 })
        #expect((0..<1).contains(table.serialShare) && table.forkJoinSeconds >= 0)
    }
}
