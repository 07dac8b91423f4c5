import Foundation

/// Measures a `ScalingTable` while somebody repeats a step.
///
/// Each step is either timed with one thread or all of the pool, or recorded on one thread as if for a
/// greater number; they take turns, and medians are reported.
public final class ScalingMeasurement {
    private enum Turn: Hashable {
        case timed(threads: Int)
        case recorded(threads: Int)
    }

    private let threads: Int
    private let forkJoin: Double
    private let turns: [Turn]
    private let rounds: Int
    private var step = -1
    private var start = ContinuousClock.now
    private var recorder: LoopRecorder?
    private var seconds: [Int: [Double]] = [:]
    private var recordings: [Int: [(serial: Double, bound: Double, speedUp: Double)]] = [:]

    /// Prepares a measurement.
    ///
    /// - Parameters:
    ///   - threadCounts: Numbers of threads to find a bound for, besides the pool's own.
    ///   - rounds: How often each is done.
    public init(threadCounts: [Int] = [2, 8, 16, 32, 64, 128], rounds: Int) {
        precondition(rounds > 0, "ScalingMeasurement: \(rounds) rounds")
        threads = ThreadPool.threadCount
        forkJoin = Self.forkJoinSeconds()
        self.rounds = rounds
        turns =
            Set([1, threads]).sorted().map { .timed(threads: $0) }
            + Set(threadCounts + [threads]).sorted().map { .recorded(threads: $0) }
    }

    /// To be called before the first step and after each, on the thread that does them.
    ///
    /// - Returns: Whether another step is wanted.
    public func wantsStep() -> Bool {
        if step >= 0 { end(turns[step % turns.count]) }
        step += 1
        guard step < rounds * turns.count else { return false }
        switch turns[step % turns.count] {
        case .timed(let count):
            ThreadPool.configure(threads: count)
            start = .now
        case .recorded(let count): recorder = LoopRecorder(threads: count)
        }
        return true
    }

    private func end(_ turn: Turn) {
        switch turn {
        case .timed(let count):
            seconds[count, default: []].append((ContinuousClock.now - start) / .seconds(1))
            ThreadPool.configure(threads: threads)
        case .recorded(let count):
            guard let recording = recorder?.stop() else { return }
            recorder = nil
            let bound = recording.bound(forkJoin: forkJoin)
            recordings[count, default: []].append(
                (recording.serialSeconds / recording.seconds, bound, recording.seconds / bound)
            )
        }
    }

    /// The medians of all steps.
    public var table: ScalingTable {
        let one = Self.median(seconds[1] ?? [])
        return ScalingTable(
            rows: recordings.sorted { $0.key < $1.key }.map { count, recordings in
                ScalingTable.Row(
                    threads: count,
                    boundSeconds: Self.median(recordings.map(\.bound)),
                    boundSpeedUp: Self.median(recordings.map(\.speedUp)),
                    measuredSpeedUp: seconds[count].map { one / Self.median($0) }
                )
            },
            serialShare: Self.median(recordings.values.joined().map(\.serial)),
            forkJoinSeconds: forkJoin
        )
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }

    /// What a loop takes beyond its chunks, one for each thread and long enough for all to come: the
    /// median of many.
    private static func forkJoinSeconds() -> Double {
        let threads = ThreadPool.threadCount
        let chunk = Duration.microseconds(20)
        let seconds = median(
            (0..<501).map { _ in
                let start = ContinuousClock.now
                ThreadPool.forEach(threads, grain: 1) { range in
                    for _ in range {
                        let start = ContinuousClock.now
                        while ContinuousClock.now - start < chunk {}
                    }
                }
                return (ContinuousClock.now - start) / .seconds(1)
            }
        )
        return max(0, seconds - chunk / .seconds(1))
    }
}
