import Kernels
import Synchronization

/// Work on the rows of a step, several at a time.
///
/// A decision reads whole vocabularies, which for small models takes as long as the model's own
/// work; rows are independent, so threads share them out.
enum ParallelRows {
    /// One result for each row.
    ///
    /// - Throws: What `body` threw for the first row that failed.
    static func map<R: Sendable>(_ count: Int, _ body: (Int) throws -> R) throws -> [R] {
        guard count > 1 else { return try (0..<count).map(body) }
        let slots = Mutex([Result<R, any Error>?](repeating: nil, count: count))
        ThreadPool.forEach(count, grain: 1) { range in
            for index in range {
                let result = Result { try body(index) }
                slots.withLock { $0[index] = result }
            }
        }
        return try slots.withLock { try $0.compactMap { try $0?.get() } }
    }
}
