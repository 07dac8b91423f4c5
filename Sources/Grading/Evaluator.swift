import Foundation

/// The value of an expression: exact as long as it is rational, else within an error.
enum Number: Sendable {
    case exact(Rational)
    case approximate(Approximation)

    var approximation: Approximation? {
        switch self {
        case .exact(let value): Approximation(value)
        case .approximate(let value): value
        }
    }

    /// Whether two values are the same, as far as can be told.
    static func same(_ a: Number, _ b: Number) -> Bool {
        if case .exact(let x) = a, case .exact(let y) = b { return x == y }
        guard let x = a.approximation, let y = b.approximation else { return false }
        return Approximation.agree(x, y)
    }
}

/// Computes values, with fixed rational numbers put for the variables.
///
/// Two expressions in variables that agree at several such points are the same function for
/// all practical purposes (Schwartz 1980, Zippel 1979, for polynomials). The points are positive,
/// negative, whole and broken, and bring any two variables in either order. A value that does not
/// exist, is not real, or is out of reach of the budget is `nil`.
struct Evaluator {
    /// How many sets of values for the variables there are.
    static let probeCount = 8

    let budget: WorkBudget
    /// Which set of values the variables take, below `probeCount`.
    let probe: Int
    /// Whether variables are whole numbers from 1 on, as in factorials.
    var areWhole = false
    /// Values of variables that an operator binds.
    var bindings: [String: Number] = [:]

    /// The value of `expression`.
    func value(_ expression: Expression) -> Number? {
        guard budget.spend(1) else { return nil }
        switch expression {
        case .number(let value, _): return .exact(value)
        case .cutOff: return nil
        case .symbol(let name): return bindings[name] ?? .exact(probeValue(name))
        case .constant(.pi): return Approximation.pi.map { .approximate($0) }
        case .constant(.e): return Approximation.e.map { .approximate($0) }
        case .sum(let terms): return fold(terms, from: .zero, add)
        case .product(let factors): return fold(factors, from: .one, multiply)
        case .inverse(let a): return value(a).flatMap(inverse)
        case .power(let a, let b):
            guard let base = value(a), let exponent = value(b) else { return nil }
            return power(base, exponent)
        case .function(let function, let arguments):
            var values: [Number] = []
            for argument in arguments {
                guard let value = value(argument) else { return nil }
                values.append(value)
            }
            return apply(function, values)
        case .measured(let a, .degree):
            let scale = Expression.product([.constant(.pi), .inverse(.integer(180))])
            return fold([a, scale], from: .one, multiply)
        case .measured(let a, .percent):
            return fold([a, .inverse(.integer(100))], from: .one, multiply)
        case .measured(let a, _): return value(a)
        case .opaque(let name, let parts): return opaque(name, parts)
        case .plusMinus, .group, .list, .union, .matrix, .relation: return nil
        }
    }

    /// A fixed number for a variable: a fraction between -3 and 3, of either sign at four of the
    /// probes each; or a whole number from 1 to 12.
    private func probeValue(_ name: String) -> Rational {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a, 64 bits
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let signs = Self.mixed(hash)
        let mixed = Self.mixed(hash &+ UInt64(probe) &* 0x9e37_79b9_7f4a_7c15)
        if areWhole { return Rational(Natural(1 + mixed % 12)) }
        let denominator: UInt64 = 1009
        // Two variables with the same signs everywhere would be one in 2^8.
        let isNegative = probe > 2 && (probe < 5 || (signs >> UInt64(probe)) & 1 == 1)
        return Rational(
            Natural(1 + mixed % (3 * denominator - 1)),
            over: Natural(denominator),
            negative: isNegative
        )
    }

    /// A scrambled number (the finalizer of SplitMix64).
    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    // MARK: - Arithmetic

    func fold(
        _ list: [Expression],
        from start: Rational,
        _ combine: (Number, Number) -> Number?
    ) -> Number? {
        var result = Number.exact(start)
        for element in list {
            guard let value = value(element), let next = combine(result, value) else { return nil }
            result = next
        }
        return result
    }

    func add(_ a: Number, _ b: Number) -> Number? {
        if case .exact(let x) = a, case .exact(let y) = b, let sum = x.adding(y, budget: budget) {
            return .exact(sum)
        }
        guard let x = a.approximation, let y = b.approximation else { return nil }
        return (x + y).map { .approximate($0) }
    }

    func multiply(_ a: Number, _ b: Number) -> Number? {
        if case .exact(let x) = a, case .exact(let y) = b,
            let product = x.multiplied(by: y, budget: budget)
        {
            return .exact(product)
        }
        guard let x = a.approximation, let y = b.approximation else { return nil }
        return (x * y).map { .approximate($0) }
    }

    func inverse(_ a: Number) -> Number? {
        switch a {
        case .exact(let x): x.inverse.map { .exact($0) }
        case .approximate(let x): x.inverse.map { .approximate($0) }
        }
    }

    func power(_ base: Number, _ exponent: Number) -> Number? {
        var isWhole = false
        if case .exact(let e) = exponent {
            isWhole = e.integer != nil
            if case .exact(let b) = base, let exact = exactPower(b, e) { return .exact(exact) }
        }
        if case .exact(let b) = base, b.isZero { return nil }
        guard let b = base.approximation, let e = exponent.approximation else { return nil }
        return b.power(e, isWhole: isWhole).map { .approximate($0) }
    }

    private func exactPower(_ base: Rational, _ exponent: Rational) -> Rational? {
        if let whole = exponent.integer { return base.power(whole, budget: budget) }
        guard let degree = exponent.denominator.integer, let top = exponent.numerator.integer else {
            return nil
        }
        return base.root(degree, budget: budget)?
            .power(exponent.isNegative ? -top : top, budget: budget)
    }

    // MARK: - Functions

    func apply(_ function: Expression.Function, _ arguments: [Number]) -> Number? {
        guard let first = arguments.first else { return nil }
        switch function {
        case .factorial: return whole(first).flatMap(factorial).map { .exact($0) }
        case .binomial:
            guard arguments.count == 2, let n = whole(first), let k = whole(arguments[1]), k <= n,
                let top = factorial(n), let left = factorial(k), let right = factorial(n - k),
                let bottom = left.multiplied(by: right, budget: budget)?.inverse
            else { return nil }
            return top.multiplied(by: bottom, budget: budget).map { .exact($0) }
        case .gcd, .lcm, .mod, .max, .min: return chosen(function, arguments)
        case .abs: return absolute(first)
        case .floor: return floor(first)
        case .ceil:
            return floor(multiply(first, .exact(Rational(-1))))
                .flatMap { multiply($0, .exact(Rational(-1))) }
        case .log:
            guard arguments.count == 2, let base = apply(.ln, [first]),
                let logarithm = apply(.ln, [arguments[1]])
            else { return nil }
            return inverse(base).flatMap { multiply(logarithm, $0) }
        default:
            guard let body = Self.bodies[function], let x = first.approximation else { return nil }
            return x.map(body).map { .approximate($0) }
        }
    }

    private static let bodies: [Expression.Function: @Sendable (Double) -> Double] = [
        .sin: { sin($0) }, .cos: { cos($0) }, .tan: { tan($0) },
        .csc: { 1 / sin($0) }, .sec: { 1 / cos($0) }, .cot: { 1 / tan($0) },
        .arcsin: { asin($0) }, .arccos: { acos($0) }, .arctan: { atan($0) },
        .sinh: { sinh($0) }, .cosh: { cosh($0) }, .tanh: { tanh($0) },
        .exp: { exp($0) }, .ln: { log($0) }, .lg: { log10($0) },
    ]

    /// A whole number from 0 to 300.
    private func whole(_ a: Number) -> Int? {
        guard case .exact(let x) = a, let n = x.integer, (0...300).contains(n) else { return nil }
        return n
    }

    private func factorial(_ n: Int) -> Rational? {
        var result = Rational.one
        for factor in stride(from: 2, through: n, by: 1) {
            guard let next = result.multiplied(by: Rational(factor), budget: budget) else {
                return nil
            }
            result = next
        }
        return result
    }

    private func absolute(_ a: Number) -> Number? {
        switch a {
        case .exact(let x): .exact(x.magnitude)
        case .approximate(let x): x.map { abs($0) }.map { .approximate($0) }
        }
    }

    /// The largest whole number not above; only for values well inside the range of `Int`.
    private func floor(_ a: Number?) -> Number? {
        guard let a, let x = a.approximation, abs(x.value) < 0x1p50 else { return nil }
        var guess = Int(x.value.rounded(.down))
        if case .exact(let exact) = a {
            if exact < Rational(guess) { guess -= 1 }
            if !(exact < Rational(guess + 1)) { guess += 1 }
        } else {
            // An approximation that touches a whole number has no certain floor.
            guard (x.value - x.error).rounded(.down) == (x.value + x.error).rounded(.down) else {
                return nil
            }
        }
        return .exact(Rational(guess))
    }
}
