import Basics
import Statistics

extension NumberText {
    /// An interval of fractions in per cent: "[24.1, 32.0]"; empty if it is not known.
    static func percent(_ interval: Interval?) -> String {
        guard let interval, interval.isFinite else { return "" }
        return "[\(percent(interval.lower)), \(percent(interval.upper))]"
    }

    /// An interval of differences in points: "[+2.1, +10.9]"; empty if it is not known.
    static func points(_ interval: Interval?) -> String {
        guard let interval, interval.isFinite else { return "" }
        return "[\(points(interval.lower)), \(points(interval.upper))]"
    }

    /// A value and its interval, "28.3 [24.1, 32.0]", in per cent.
    static func percent(_ value: Double?, _ interval: Interval?) -> String {
        joined(percent(value), percent(interval))
    }

    /// A difference and its interval, "+4.9 [+1.0, +8.8]", in points.
    static func points(_ value: Double?, _ interval: Interval?) -> String {
        joined(points(value), points(interval))
    }

    private static func joined(_ value: String, _ interval: String) -> String {
        value == unknown || interval.isEmpty ? value : "\(value) \(interval)"
    }
}
