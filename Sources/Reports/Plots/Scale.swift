import Basics

/// Maps values of a domain to positions along an axis.
struct Scale: Sendable {
    /// How the domain is laid out.
    enum Kind: Sendable { case linear, logarithmic }

    /// How the domain is laid out.
    var kind = Kind.linear
    /// The values at the ends.
    var domain: ClosedRange<Double>
    /// The position of the domain's lower end.
    var start: Double
    /// The position of the domain's upper end.
    var end: Double

    /// The position of a value; the middle if the domain is a single value.
    ///
    /// Values outside the domain land outside the axis. A logarithmic scale takes positive values.
    func position(of value: Double) -> Double {
        let low = transformed(domain.lowerBound)
        let high = transformed(domain.upperBound)
        guard high > low else { return (start + end) / 2 }
        return start + (end - start) * (transformed(value) - low) / (high - low)
    }

    /// The position of a value that is kept inside the axis.
    func clampedPosition(of value: Double) -> Double {
        position(of: min(max(value, domain.lowerBound), domain.upperBound))
    }

    /// Round values to mark, at most about `count`.
    func ticks(about count: Int) -> [Double] {
        switch kind {
        case .linear: Ticks.linear(over: domain, about: count)
        case .logarithmic: Ticks.logarithmic(over: domain, about: count)
        }
    }

    private func transformed(_ value: Double) -> Double {
        kind == .linear ? value : Elementary.log10(value)
    }
}

/// Chooses round values along an axis.
enum Ticks {
    /// The step among 1, 2, 5 times a power of ten that cuts a length into at most `count` parts.
    static func step(for length: Double, about count: Int) -> Double {
        guard length.isFinite, length > 0 else { return 1 }
        let rough = length / Double(max(1, count))
        let power = Elementary.pow(10, Elementary.log10(rough).rounded(.down))
        for factor in [1.0, 2, 5, 10] where factor * power >= rough * (1 - 1e-9) {
            return factor * power
        }
        return 10 * power
    }

    /// The multiples of a round step inside a domain.
    static func linear(over domain: ClosedRange<Double>, about count: Int) -> [Double] {
        let (low, high) = (domain.lowerBound, domain.upperBound)
        guard low.isFinite, high.isFinite, high > low else { return low.isFinite ? [low] : [] }
        let step = step(for: high - low, about: count)
        let first = (low / step - 1e-9).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        guard last >= first, last - first < 1000 else { return [] }
        // Adding 0 turns a negative zero into zero.
        return (0...Int(last - first)).map { (first + Double($0)) * step + 0 }
    }

    /// The powers of ten inside a domain; with 2 and 5 times them where there is room, or every
    /// second or third power where there is not.
    static func logarithmic(over domain: ClosedRange<Double>, about count: Int) -> [Double] {
        let (low, high) = (domain.lowerBound, domain.upperBound)
        guard low > 0, low.isFinite, high.isFinite, high > low else { return low > 0 ? [low] : [] }
        let first = Int((Elementary.log10(low) - 1e-9).rounded(.down))
        let last = Int((Elementary.log10(high) + 1e-9).rounded(.up))
        let reach = (low * (1 - 1e-9))...(high * (1 + 1e-9))
        func inside(_ factors: [Double], every stride: Int) -> [Double] {
            let exponents = (first...last).filter { $0.isMultiple(of: stride) }
            let values = exponents.flatMap { exponent -> [Double] in
                let power = Elementary.pow(10, Double(exponent))
                return factors.map { $0 * power }
            }
            return values.filter(reach.contains)
        }
        let fine = inside([1, 2, 5], every: 1)
        if fine.count <= count { return fine }
        var stride = 1
        while inside([1], every: stride).count > max(1, count) { stride += 1 }
        return inside([1], every: stride)
    }

    /// A domain that holds all finite values, widened to round ends; a fallback if there are none.
    ///
    /// - Parameters:
    ///   - values: The values to hold.
    ///   - including: Values that must be inside even if no value is near, such as zero.
    ///   - count: About how many ticks there will be.
    ///   - fallback: The domain where there is no finite value.
    /// - Returns: A domain of positive length.
    static func roundDomain(
        _ values: [Double],
        including: [Double] = [],
        about count: Int,
        fallback: ClosedRange<Double> = 0...1
    ) -> ClosedRange<Double> {
        let finite = values.filter(\.isFinite)
        guard !finite.isEmpty, let low = (finite + including).min(),
            let high = (finite + including).max()
        else { return fallback }
        let length = high > low ? high - low : max(abs(low) * 0.1, 1e-6)
        let step = step(for: length, about: count)
        let first = ((high > low ? low : low - length / 2) / step + 1e-9).rounded(.down) * step
        let last = ((high > low ? high : high + length / 2) / step - 1e-9).rounded(.up) * step
        return first < last ? first...last : first...(first + step)
    }
}
