import Foundation

/// An exact fraction of any size, not reduced.
///
/// Results beyond `WorkBudget.maximumBits` or beyond the budget are `nil`, and the caller goes
/// on with an approximation.
struct Rational: Equatable, Sendable {
    private(set) var isNegative: Bool
    private(set) var numerator: Natural
    private(set) var denominator: Natural

    /// - Precondition: `denominator` is not zero.
    init(_ numerator: Natural, over denominator: Natural = .one, negative: Bool = false) {
        precondition(!denominator.isZero, "Rational: denominator is zero")
        self.numerator = numerator
        self.denominator = denominator
        isNegative = negative && !numerator.isZero
    }

    init(_ value: Int) {
        self.init(Natural(UInt64(value.magnitude)), negative: value < 0)
    }

    static let zero = Rational(0)
    static let one = Rational(1)

    var isZero: Bool { numerator.isZero }
    var magnitude: Rational { Rational(numerator, over: denominator) }
    var negated: Rational { Rational(numerator, over: denominator, negative: !isNegative) }

    /// `1 / self`, or `nil` for zero.
    var inverse: Rational? {
        isZero ? nil : Rational(denominator, over: numerator, negative: isNegative)
    }

    /// The value where it is a whole number written as one that fits an `Int`.
    var integer: Int? {
        guard denominator == .one, let value = numerator.integer else { return nil }
        return isNegative ? -value : value
    }

    /// The nearest `Double` to within two units in the last place; infinite beyond its range.
    var double: Double {
        let (top, bottom) = (numerator.scaled, denominator.scaled)
        let quotient = top.mantissa / bottom.mantissa
        let value = scalbn(quotient, top.exponent - bottom.exponent)
        return isNegative ? -value : value
    }

    /// Equality of value: cross products agree.
    static func == (a: Rational, b: Rational) -> Bool {
        if a.isNegative != b.isNegative { return false }
        if a.denominator == b.denominator { return a.numerator == b.numerator }
        return a.numerator * b.denominator == b.numerator * a.denominator
    }

    static func < (a: Rational, b: Rational) -> Bool {
        if a.isNegative != b.isNegative { return a.isNegative }
        let (left, right) = (a.numerator * b.denominator, b.numerator * a.denominator)
        return a.isNegative ? right < left : left < right
    }

    func adding(_ other: Rational, budget: WorkBudget) -> Rational? {
        if denominator == other.denominator {
            guard budget.spend(numerator.size + other.numerator.size) else { return nil }
            return Rational.signedSum(
                (isNegative, numerator),
                (other.isNegative, other.numerator),
                over: denominator
            )
        }
        let work =
            (numerator.size + denominator.size) * (other.numerator.size + other.denominator.size)
        guard budget.spend(work), isExactProduct(with: other) else { return nil }
        return Rational.signedSum(
            (isNegative, numerator * other.denominator),
            (other.isNegative, other.numerator * denominator),
            over: denominator * other.denominator
        )
    }

    func multiplied(by other: Rational, budget: WorkBudget) -> Rational? {
        let work = numerator.size * other.numerator.size + denominator.size * other.denominator.size
        guard budget.spend(work), isExactProduct(with: other) else { return nil }
        return Rational(
            numerator * other.numerator,
            over: denominator * other.denominator,
            negative: isNegative != other.isNegative
        )
    }

    /// `self` to a whole power; `nil` for a negative power of zero, and for zero to the zero.
    func power(_ exponent: Int, budget: WorkBudget) -> Rational? {
        if exponent < 0 {
            guard exponent > Int.min else { return nil }
            return inverse?.power(-exponent, budget: budget)
        }
        guard !(isZero && exponent == 0),
            let top = numerator.power(exponent, budget: budget),
            let bottom = denominator.power(exponent, budget: budget)
        else { return nil }
        return Rational(top, over: bottom, negative: isNegative && exponent % 2 != 0)
    }

    /// The exact `degree`-th root, where numerator and denominator as written are perfect powers
    /// with roots below 2^53; `nil` otherwise.
    func root(_ degree: Int, budget: WorkBudget) -> Rational? {
        guard degree > 0, degree <= 64, !isNegative || degree % 2 == 1,
            let top = Self.root(numerator, degree, budget: budget),
            let bottom = Self.root(denominator, degree, budget: budget)
        else { return nil }
        return Rational(top, over: bottom, negative: isNegative)
    }

    private static func root(_ value: Natural, _ degree: Int, budget: WorkBudget) -> Natural? {
        let scaled = value.scaled
        let guess = pow(scalbn(scaled.mantissa, scaled.exponent), 1 / Double(degree)).rounded()
        guard guess < 0x1p53 else { return nil }
        let root = Natural(UInt64(guess))
        return root.power(degree, budget: budget) == value ? root : nil
    }

    private func isExactProduct(with other: Rational) -> Bool {
        let bits = max(numerator.bitWidth, denominator.bitWidth)
        let otherBits = max(other.numerator.bitWidth, other.denominator.bitWidth)
        return bits + otherBits < WorkBudget.maximumBits
    }

    private static func signedSum(
        _ a: (negative: Bool, value: Natural),
        _ b: (negative: Bool, value: Natural),
        over denominator: Natural
    ) -> Rational {
        if a.negative == b.negative {
            return Rational(a.value + b.value, over: denominator, negative: a.negative)
        }
        return a.value < b.value
            ? Rational(b.value - a.value, over: denominator, negative: b.negative)
            : Rational(a.value - b.value, over: denominator, negative: a.negative)
    }
}
