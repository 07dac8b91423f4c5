import Foundation

/// Writes numbers for people: one decimal for per cent, a true minus sign, a dash for "not known".
public enum NumberText {
    /// Stands where a number is not known.
    public static let unknown = "–"

    /// A number with fixed decimals; "−" for minus, and never a negative zero.
    public static func fixed(_ value: Double, decimals: Int, signed: Bool = false) -> String {
        guard value.isFinite else { return unknown }
        // The locale-free form, so that a German machine writes the same report.
        let digits = String(format: "%.\(decimals)f", abs(value))
        let isZero = digits.allSatisfy { $0 == "0" || $0 == "." }
        if isZero { return digits }
        return (value < 0 ? "−" : signed ? "+" : "") + digits
    }

    /// A fraction as a number of per cent with one decimal, without the sign: 0.283 is "28.3".
    public static func percent(_ fraction: Double?) -> String {
        fraction.map { fixed($0 * 100, decimals: 1) } ?? unknown
    }

    /// A difference of fractions in points, with its sign: 0.049 is "+4.9".
    public static func points(_ fraction: Double?) -> String {
        fraction.map { fixed($0 * 100, decimals: 1, signed: true) } ?? unknown
    }

    /// A small or large share in per cent with its sign: "54 %", "3.1 %", "0.04 %", "0 %".
    ///
    /// Keeps two significant digits, because 0.04 % and 0.004 % are different findings.
    public static func share(_ fraction: Double?) -> String {
        guard let fraction, fraction.isFinite else { return unknown }
        let percent = abs(fraction) * 100
        guard percent > 0 else { return "0 %" }
        guard percent >= 0.0001 else { return "< 0.0001 %" }
        // Rounding up to a full hundred would claim that nothing is left over.
        if percent < 100, percent >= 99.95 { return "> 99.9 %" }
        if percent >= 99.5, percent < 100 { return fixed(fraction * 100, decimals: 1) + " %" }
        let magnitude = Int(Elementary.log10(percent).rounded(.down))
        var digits = fixed(fraction * 100, decimals: max(0, 1 - magnitude))
        if percent < 0.1, digits.hasSuffix("0") { digits.removeLast() }
        return digits + " %"
    }

    /// A p value: "0.012", "< 0.001"; never "0".
    public static func pValue(_ value: Double?) -> String {
        guard let value, value.isFinite else { return unknown }
        return value < 0.001 ? "< 0.001" : fixed(min(value, 1), decimals: 3)
    }

    /// A p value in a sentence: "p = 0.012", "p < 0.001"; empty if it is not known.
    public static func pPhrase(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "" }
        return value < 0.001 ? "p < 0.001" : "p = \(pValue(value))"
    }

    /// A count with thin groups of three digits: "12 345".
    public static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var groups = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { groups.append("\u{202F}") }
            groups.append(digit)
        }
        return (value < 0 ? "−" : "") + groups
    }

    /// "1 seed", "5 seeds".
    public static func counted(_ value: Int, _ noun: String) -> String {
        "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
    }
}
