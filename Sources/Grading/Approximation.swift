import Foundation

/// A real number known to within an error: `|true value - value| <= error`.
///
/// Every operation adds what rounding and its inputs' errors can do, so two expressions are
/// told apart exactly when their intervals are disjoint, however much cancels in between.
struct Approximation: Sendable {
    let value: Double
    private(set) var error: Double

    /// - Returns: `nil` where the value is not finite.
    init?(_ value: Double, error: Double) {
        guard value.isFinite, error.isFinite else { return nil }
        self.value = value
        // Four units in the last place cover the rounding of any function used here.
        self.error = error + 4 * value.ulp
    }

    /// An exact value, without error where a `Double` holds it as the whole number it is.
    init?(_ exact: Rational) {
        self.init(exact.double, error: 0)
        if let whole = exact.integer, abs(whole) < 1 << 53 { error = 0 }
    }

    static let pi = Approximation(Double.pi, error: 0)
    static let e = Approximation(M_E, error: 0)

    /// Whether the value is known well enough to call it equal to anything.
    private var isSharp: Bool { error <= 1e-9 * max(1, abs(value)) }

    /// Whether both may be the same number, and are known well enough to say so.
    static func agree(_ a: Approximation, _ b: Approximation) -> Bool {
        a.isSharp && b.isSharp && abs(a.value - b.value) <= a.error + b.error
    }

    static func + (a: Approximation, b: Approximation) -> Approximation? {
        Approximation(a.value + b.value, error: a.error + b.error)
    }

    static func * (a: Approximation, b: Approximation) -> Approximation? {
        Approximation(
            a.value * b.value,
            error: abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error
        )
    }

    /// `function(self)`, the error taken from the function's values at both ends.
    ///
    /// - Precondition: `function` is monotonic or nearly linear over the interval, as every
    ///   elementary function is over an interval of a few units in the last place.
    func map(_ function: (Double) -> Double) -> Approximation? {
        let middle = function(value)
        let low = abs(function(value - error) - middle)
        let high = abs(function(value + error) - middle)
        return Approximation(middle, error: max(low, high))
    }

    /// `1 / self`; `nil` where zero is within the error.
    var inverse: Approximation? {
        abs(value) > error ? map { 1 / $0 } : nil
    }

    /// `self` to a real power; `nil` for a base below zero unless the power is whole.
    func power(_ exponent: Approximation, isWhole: Bool) -> Approximation? {
        guard isWhole || value > error else { return nil }
        guard let inBase = map({ pow($0, exponent.value) }) else { return nil }
        if isWhole { return inBase }
        guard let inExponent = exponent.map({ pow(value, $0) }) else { return nil }
        return Approximation(inBase.value, error: inBase.error + inExponent.error)
    }
}
