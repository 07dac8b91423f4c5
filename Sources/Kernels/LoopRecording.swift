import CKernels
import Foundation

/// How long every chunk of every loop of some work took on one thread, cut as several threads would
/// cut it; and the least time that so many threads could need for it.
///
/// That time is a bound and no measurement: chunks are dealt out as the pool does, each as long as it
/// took alone, and nothing is lost to memory, caches and clocks that cores share. Times are the
/// thread's CPU time, so that other programs do not count.
public struct LoopRecording: Sendable {
    /// The threads that loops were cut for.
    public let threads: Int
    /// Seconds of the chunks of each loop, both in the order in which they began.
    public let loops: [[Double]]
    /// Seconds of all the work, as it ran on one thread.
    public let seconds: Double

    /// Seconds in which one thread works for all: between loops, and in loops of one chunk.
    public var serialSeconds: Double {
        max(0, seconds - loops.filter { $0.count > 1 }.joined().reduce(0, +))
    }

    /// The least seconds that the threads need: the serial ones, and for each loop the time of the
    /// thread that is done last when each takes the next chunk as soon as it is free.
    ///
    /// - Parameter forkJoin: Seconds to start and end a loop of more than one chunk.
    /// - Returns: Seconds of all the work.
    public func bound(forkJoin: Double) -> Double {
        guard threads > 1 else { return seconds }
        return loops.reduce(serialSeconds) { total, chunks in
            guard chunks.count > 1 else { return total }
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
}

/// Records the loops of one thread, from its creation to `stop()`.
public final class LoopRecorder {
    private let threads: Int
    private let start: Double
    private var loops: [[Double]] = []

    /// Starts: the calling thread runs its loops alone, and `ThreadPool.threadCount` tells it that it
    /// had so many threads.
    ///
    /// - Parameter threads: Threads that loops are cut for.
    public init(threads: Int) {
        self.threads = threads
        start = Self.threadSeconds()
        ck_pool_record(
            threads,
            { context, begin, seconds in
                let heard = Unmanaged<LoopRecorder>.fromOpaque(context).takeUnretainedValue()
                if begin == 0 { heard.loops.append([]) }
                heard.loops[heard.loops.count - 1].append(seconds)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    /// Ends; to be called on the thread that began.
    ///
    /// - Returns: What was heard.
    public func stop() -> LoopRecording {
        ck_pool_record(0, nil, nil)
        return LoopRecording(
            threads: threads,
            loops: loops,
            seconds: Self.threadSeconds() - start
        )
    }

    deinit { ck_pool_record(0, nil, nil) }

    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}
