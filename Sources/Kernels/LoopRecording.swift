import CKernels
import Foundation

/// How long every chunk of every loop of some work took on one thread, cut as several threads would
/// cut it; and the least time that so many threads could need for it.
///
/// That time is a bound and no measurement: chunks are dealt out as the pool does, each as long as it
/// took alone, and nothing is lost to memory, caches and clocks that cores share.
public struct LoopRecording: Sendable {
    /// The threads that loops were cut for.
    public let threads: Int
    /// Seconds of the chunks of each loop, both in the order in which they began.
    public private(set) var loops: [[Double]] = []
    /// Seconds of all the work, as it ran on one thread.
    public private(set) var seconds = 0.0

    /// Does the work on the calling thread alone, and takes the times.
    ///
    /// - Parameters:
    ///   - threads: Threads that loops are cut for; `ThreadPool.threadCount` says so meanwhile.
    ///   - work: What to do; loops that other threads start are not heard.
    /// - Throws: What `work` throws.
    public init(for threads: Int, _ work: () throws -> Void) rethrows {
        self.threads = threads
        let heard = Heard()
        let context = Unmanaged.passUnretained(heard).toOpaque()
        ck_pool_record(
            threads,
            { context, begin, seconds in
                let heard = Unmanaged<Heard>.fromOpaque(context).takeUnretainedValue()
                if begin == 0 { heard.loops.append([]) }
                heard.loops[heard.loops.count - 1].append(seconds)
            },
            context
        )
        defer { ck_pool_record(0, nil, nil) }
        let start = ContinuousClock.now
        try withExtendedLifetime(heard) { try work() }
        seconds = (ContinuousClock.now - start) / .seconds(1)
        loops = heard.loops
    }

    /// Loops as they would be heard, for tests.
    init(threads: Int, loops: [[Double]], seconds: Double) {
        (self.threads, self.loops, self.seconds) = (threads, loops, seconds)
    }

    private final class Heard { var loops: [[Double]] = [] }

    /// Seconds between loops, when one thread works for all.
    public var serialSeconds: Double { max(0, seconds - loops.joined().reduce(0, +)) }

    /// The least seconds that the threads need: the serial ones, and for each loop the time of the
    /// thread that is done last when each takes the next chunk as soon as it is free.
    ///
    /// - Parameter forkJoin: Seconds to start and end a loop of more than one chunk.
    /// - Returns: Seconds of all the work.
    public func bound(forkJoin: Double) -> Double {
        loops.reduce(serialSeconds) { total, chunks in
            guard chunks.count > 1, threads > 1 else { return total + chunks.reduce(0, +) }
            var free = [Double](repeating: 0, count: min(threads, chunks.count))
            for chunk in chunks {
                // The thread that is free first.
                var next = 0
                for index in free.indices where free[index] < free[next] { next = index }
                free[next] += chunk
            }
            return total + forkJoin + (free.max() ?? 0)
        }
    }

    /// Seconds that the pool takes to start and end a loop of nothing, the median of many.
    public static func forkJoinSeconds() -> Double {
        let threads = ThreadPool.threadCount
        let times = (0..<2001).map { _ in
            let start = ContinuousClock.now
            ThreadPool.forEach(threads, grain: 1) { _ in }
            return (ContinuousClock.now - start) / .seconds(1)
        }
        return times.sorted()[times.count / 2]
    }
}
