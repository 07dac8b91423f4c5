import CKernels
import Foundation

/// The threads that all kernels share: workers spin briefly for the next job and then sleep.
///
/// Kernels cut their work into chunks that do not depend on the number of threads, so results do
/// not either.
public enum ThreadPool {
    /// Threads that take part in a loop, the caller included.
    ///
    /// The environment variable `RSD_THREADS` sets it; otherwise it is the physical cores that the
    /// process may use and its quota of CPU time pays for, at most 16.
    public static var threadCount: Int {
        started
        return ck_pool_threads()
    }

    /// Changes the number of threads.
    public static func configure(threads: Int) {
        started
        ck_pool_configure(threads)
    }

    private static let started: Void = ck_pool_configure(
        ProcessInfo.processInfo.environment["RSD_THREADS"].flatMap { Int($0) }.flatMap {
            $0 > 0 ? $0 : nil
        }
            ?? DefaultThreads.count(processors: ProcessInfo.processInfo.activeProcessorCount) {
                try? String(contentsOfFile: $0, encoding: .utf8)
            }
    )

    /// Runs `body` over `0..<count` in chunks of `grain`, and returns when all are done.
    ///
    /// Runs on the caller alone, as one chunk, inside a chunk of another loop that the pool runs,
    /// beside another caller's loop, and where there is only one chunk.
    public static func forEach(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        started
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { context in
                ck_pool_run(
                    count,
                    grain,
                    { context, begin, end in
                        context.assumingMemoryBound(to: ((Range<Int>) -> Void).self)
                            .pointee(begin..<end)
                    },
                    UnsafeMutableRawPointer(mutating: context)
                )
            }
        }
    }

    /// The results of `transform` for all items, in their order, `grain` items a chunk.
    public static func map<Item, Result>(
        _ items: [Item],
        grain: Int = 64,
        _ transform: (Item) -> Result
    ) -> [Result] {
        [Result](unsafeUninitializedCapacity: items.count) { buffer, count in
            guard let base = buffer.baseAddress, !items.isEmpty else { return }
            forEach(items.count, grain: grain) { chunk in
                for index in chunk { (base + index).initialize(to: transform(items[index])) }
            }
            count = items.count
        }
    }
}
