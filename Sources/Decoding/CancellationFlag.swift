import Synchronization

/// A request to stop, set by a signal handler or another thread, and seen at the next step.
public final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    /// Starts unset.
    public init() {}

    /// Asks for a stop; safe in a signal handler.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether a stop was asked for.
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
