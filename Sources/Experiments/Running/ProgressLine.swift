import Basics
import Foundation
import Synchronization

/// Where progress is shown, and how.
public struct ProgressDisplay: Sendable {
    /// Whether one line is rewritten in place; otherwise a line is added after some seconds, and then
    /// every half minute.
    public var isLive: Bool
    /// Whether the label is set in bold.
    public var isColored: Bool
    /// Columns of the terminal; a live line leaves out what does not fit.
    public var columns: Int
    /// Takes text as it is to be shown.
    public var write: @Sendable (String) -> Void
    /// Seconds since some fixed moment.
    public var now: @Sendable () -> Double

    /// Describes a display.
    public init(
        isLive: Bool,
        isColored: Bool = false,
        columns: Int = 80,
        now: @escaping @Sendable () -> Double,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.isLive = isLive
        self.isColored = isColored
        self.columns = columns
        self.now = now
        self.write = write
    }

    /// Adds one line that a terminal shows as it is, whatever ids and texts are in it.
    public func write(line: String) { write(line.printable + "\n") }

    /// Standard error: live on a terminal that understands it, without color under NO_COLOR.
    public static func standardError(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> ProgressDisplay {
        let isLive = isatty(STDERR_FILENO) == 1 && (environment["TERM"] ?? "dumb") != "dumb"
        var size = winsize()
        let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return ProgressDisplay(
            isLive: isLive,
            isColored: isLive && (environment["NO_COLOR"] ?? "").isEmpty,
            columns: known ? Int(size.ws_col) : 80,
            now: { ProcessInfo.processInfo.systemUptime },
            write: StandardError.write(_:)
        )
    }
}

/// Tells how far a piece of work has come: one line, in one layout for all programs.
///
///     rsd seed 1: 120/300 problems  40 %  0:15 left  accepted 97.1 %  12.3 problems/s
///
/// What matters most comes first, since a narrow terminal shows only what fits. Rates and the time left count only what this process did, not what it found done.
public final class ProgressLine: Sendable {
    private struct State {
        var done: Int
        var fields: Fields = []
        var lastShown = -Double.infinity
        var isFinished = false
    }

    /// What a line shows beside how far the work has come.
    public typealias Fields = [(name: String, value: String)]

    private let label: String
    private let unit: String
    private let total: Int?
    private let initial: Int
    private let start: Double
    private let display: ProgressDisplay
    private let state: Mutex<State>

    /// Seconds between lines where the line cannot be rewritten.
    static let plainInterval = 30.0
    /// Seconds until the first of those lines, so that work that may be long is soon heard of.
    static let firstInterval = 3.0
    /// Seconds between rewrites of a live line.
    static let liveInterval = 0.2

    /// Begins to tell of some work.
    ///
    /// `total` counts units, such as `problems`, and is nil when it is not known; `done` are those
    /// found finished.
    public init(
        _ label: String,
        total: Int?,
        unit: String,
        done: Int = 0,
        display: ProgressDisplay = .standardError()
    ) {
        self.label = label.printable
        self.unit = unit
        self.total = total
        self.display = display
        initial = done
        start = display.now()
        // Off a terminal short work stays silent until its end.
        var first = State(done: done)
        if !display.isLive { first.lastShown = start + Self.firstInterval - Self.plainInterval }
        state = Mutex(first)
        if display.isLive { update(done: done) }
    }

    /// Work that ends early leaves its line behind, so that what is said next begins on its own.
    deinit {
        let isOpen = state.withLock { !$0.isFinished && $0.lastShown > -.infinity }
        if display.isLive && isOpen { display.write("\n") }
    }

    /// Seconds since the work began.
    public var elapsed: Double { display.now() - start }

    /// Notes how many units are done, and what else the line shows.
    public func update(done: Int, _ fields: Fields = []) {
        let now = display.now()
        state.withLock { state in
            guard !state.isFinished else { return }
            state.done = done
            state.fields = fields
            let interval = display.isLive ? Self.liveInterval : Self.plainInterval
            guard now - state.lastShown >= interval else { return }
            state.lastShown = now
            show(parts(state, now: now, isFinal: false), isFinal: false)
        }
    }

    /// Writes the last line: what was done and how long it took.
    public func finish(_ fields: Fields = []) {
        let now = display.now()
        state.withLock { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            if !fields.isEmpty { state.fields = fields }
            show(parts(state, now: now, isFinal: true), isFinal: true)
        }
    }

    /// The parts of the line, the most important first.
    private func parts(_ state: State, now: Double, isFinal: Bool) -> [String] {
        let seconds = now - start
        let worked = state.done - initial
        var parts: [String] = []
        if let total {
            parts.append("\(state.done)/\(total) \(unit)")
            if !isFinal && total > 0 { parts.append("\(100 * state.done / total) %") }
        } else {
            parts.append("\(state.done) \(unit)")
        }
        if isFinal {
            parts.append("in \(Self.duration(seconds))")
        } else if let total, worked > 0, state.done < total {
            let left = seconds * Double(total - state.done) / Double(worked)
            parts.append("\(Self.duration(left)) left")
        }
        parts += state.fields.map { $0.name.isEmpty ? $0.value : "\($0.name) \($0.value)" }
        if worked > 0 && seconds > 0 {
            parts.append("\(Self.rate(Double(worked) / seconds)) \(unit)/s")
        }
        return parts
    }

    private func show(_ parts: [String], isFinal: Bool) {
        guard display.isLive else {
            display.write("\(label): \(parts.joined(separator: "  "))\n")
            return
        }
        // Whole parts only: half a number is a wrong one.
        let room = max(0, display.columns - 1 - label.count - 2)
        var text = String(parts[0].prefix(room))
        for part in parts.dropFirst() where text.count + 2 + part.count <= room {
            text += "  " + part
        }
        let head = display.isColored ? "\u{1B}[1m\(label)\u{1B}[0m" : label
        // Return to the line's start, write, clear what an earlier, longer line left behind.
        display.write("\r\(head): \(text)\u{1B}[K" + (isFinal ? "\n" : ""))
    }

    /// A rate in two digits or as many as whole numbers need: `0.0012`, `0.12`, `3.4`, `56`,
    /// `7,890`.
    public static func rate(_ value: Double) -> String {
        guard value.isFinite else { return "?" }
        if value >= 9.95 { return grouped(Int(value.rounded())) }
        guard value >= 0.00000095 else { return "0.0" }
        var scale = 10.0
        while value * scale < 9.95 { scale *= 10 }
        // Spelled out digit by digit: Swift would write small numbers with an exponent.
        let digits = String(Int((value * scale).rounded()))
        let places = String(Int(scale)).count - 1
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return "\(padded.dropLast(places)).\(padded.suffix(places))"
    }

    /// A whole number with commas between thousands.
    public static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// A duration as `0:07`, `12:34` or `3:04:05`.
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "?" }
        let whole = max(0, Int(seconds.rounded()))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}
