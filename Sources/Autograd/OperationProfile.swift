/// Where the time of training steps goes: seconds by operation and direction.
///
/// A tape given a profile charges it the time between one recorded operation and the next, and the
/// time of each pullback. Work that nobody records goes to the operation that is recorded after it.
public final class OperationProfile {
    /// Which way through the network.
    public enum Direction: String, Sendable {
        /// Computing values.
        case forward
        /// Computing gradients.
        case backward
    }

    /// One operation's time.
    public struct Row: Sendable {
        /// The operation's name on the tape.
        public let operation: String
        /// Which way.
        public let direction: Direction
        /// Time in all, in seconds.
        public let seconds: Double
        /// How often it ran.
        public let count: Int
    }

    private var totals: [String: (direction: Direction, name: String, time: Duration, count: Int)] =
        [:]
    private var mark = ContinuousClock.now

    /// An empty profile.
    public init() {}

    /// Starts the clock: what came before is charged to nobody.
    public func start() { mark = .now }

    /// Charges the time since the last call to an operation.
    public func charge(_ name: StaticString, _ direction: Direction) {
        let now = ContinuousClock.now
        let key = "\(direction.rawValue) \(name)"
        let before = totals[key]
        totals[key] = (
            direction, "\(name)", (before?.time ?? .zero) + (now - mark), (before?.count ?? 0) + 1
        )
        mark = now
    }

    /// The operations, slowest first.
    public var rows: [Row] {
        totals.values.map {
            Row(
                operation: $0.name,
                direction: $0.direction,
                seconds: $0.time / .seconds(1),
                count: $0.count
            )
        }
        .sorted { ($0.seconds, $1.operation) > ($1.seconds, $0.operation) }
    }
}
