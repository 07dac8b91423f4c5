/// A complex number whose parts are exact as long as they are rational.
struct ComplexNumber: Sendable {
    var real: Number
    var imaginary: Number

    /// Whether two values are the same, as far as can be told.
    static func same(_ a: ComplexNumber, _ b: ComplexNumber) -> Bool {
        Number.same(a.real, b.real) && Number.same(a.imaginary, b.imaginary)
    }

    /// Whether the imaginary part is exactly 0.
    var isReal: Bool { if case .exact(let part) = imaginary { part.isZero } else { false } }
}

/// Computes values with `i` as the imaginary unit: sums, products, quotients, whole powers, square
/// roots of real numbers, and the exponential function.
struct ComplexEvaluator {
    let real: Evaluator
    private static let zero = Number.exact(.zero)

    /// The value of `expression`, or `nil` where it is beyond these operations.
    func value(_ expression: Expression) -> ComplexNumber? {
        guard real.budget.spend(1) else { return nil }
        switch expression {
        case .symbol("i"): return ComplexNumber(real: Self.zero, imaginary: .exact(.one))
        case .sum(let terms): return fold(terms, from: .zero, add)
        case .product(let factors): return fold(factors, from: .one, multiply)
        case .inverse(let a): return value(a).flatMap(inverse)
        case .power(let base, let exponent): return power(base, exponent)
        case .function(.exp, let arguments):
            return arguments.first.flatMap { value($0) }.flatMap(exponential)
        case .function(.abs, let arguments):
            guard let a = arguments.first.flatMap({ value($0) }), let square = squaredNorm(a) else {
                return nil
            }
            return real.power(square, .exact(Rational(.one, over: Natural(2)))).map(real(number:))
        default:
            guard !expression.symbols.contains("i") else { return nil }
            return real.value(expression).map(real(number:))
        }
    }

    private func real(number: Number) -> ComplexNumber {
        ComplexNumber(real: number, imaginary: Self.zero)
    }

    private func fold(
        _ list: [Expression],
        from start: Rational,
        _ combine: (ComplexNumber, ComplexNumber) -> ComplexNumber?
    ) -> ComplexNumber? {
        var result = real(number: .exact(start))
        for element in list {
            guard let value = value(element), let next = combine(result, value) else { return nil }
            result = next
        }
        return result
    }

    private func add(_ a: ComplexNumber, _ b: ComplexNumber) -> ComplexNumber? {
        guard let x = real.add(a.real, b.real), let y = real.add(a.imaginary, b.imaginary) else {
            return nil
        }
        return ComplexNumber(real: x, imaginary: y)
    }

    private func multiply(_ a: ComplexNumber, _ b: ComplexNumber) -> ComplexNumber? {
        guard let xx = real.multiply(a.real, b.real),
            let yy = real.multiply(a.imaginary, b.imaginary).flatMap(negated),
            let xy = real.multiply(a.real, b.imaginary),
            let yx = real.multiply(a.imaginary, b.real),
            let x = real.add(xx, yy), let y = real.add(xy, yx)
        else { return nil }
        return ComplexNumber(real: x, imaginary: y)
    }

    private func negated(_ a: Number) -> Number? { real.multiply(a, .exact(Rational(-1))) }

    private func squaredNorm(_ a: ComplexNumber) -> Number? {
        guard let x = real.multiply(a.real, a.real),
            let y = real.multiply(a.imaginary, a.imaginary)
        else { return nil }
        return real.add(x, y)
    }

    /// Conjugate over squared norm.
    private func inverse(_ a: ComplexNumber) -> ComplexNumber? {
        guard let scale = squaredNorm(a).flatMap(real.inverse),
            let x = real.multiply(a.real, scale),
            let y = real.multiply(a.imaginary, scale).flatMap(negated)
        else { return nil }
        return ComplexNumber(real: x, imaginary: y)
    }

    private func power(_ base: Expression, _ exponent: Expression) -> ComplexNumber? {
        guard let e = value(exponent) else { return nil }
        if base == .constant(.e) { return exponential(e) }
        guard e.isReal, let b = value(base) else { return nil }
        if case .exact(let exact) = e.real, let whole = exact.integer, abs(whole) <= 64 {
            var result = real(number: .exact(.one))
            for _ in 0..<abs(whole) {
                guard let next = multiply(result, b) else { return nil }
                result = next
            }
            return whole < 0 ? inverse(result) : result
        }
        guard b.isReal else { return nil }
        if let value = real.power(b.real, e.real) { return real(number: value) }
        // The square root of a number below zero.
        guard case .exact(let half) = e.real, half == Rational(.one, over: Natural(2)),
            let positive = negated(b.real), let root = real.power(positive, e.real)
        else { return nil }
        return ComplexNumber(real: Self.zero, imaginary: root)
    }

    /// e^(x + iy) = e^x (cos y + i sin y).
    private func exponential(_ a: ComplexNumber) -> ComplexNumber? {
        guard let scale = real.apply(.exp, [a.real]), let cosine = real.apply(.cos, [a.imaginary]),
            let sine = real.apply(.sin, [a.imaginary]), let x = real.multiply(scale, cosine),
            let y = real.multiply(scale, sine)
        else { return nil }
        return ComplexNumber(real: x, imaginary: y)
    }
}
