/// A polynomial in one variable with rational coefficients, lowest power first.
struct Polynomial {
    /// Highest degree that is read.
    private static let highestDegree = 6

    private(set) var coefficients: [Rational]
    let budget: WorkBudget

    var degree: Int { coefficients.count - 1 }

    /// Reads an expression whose values at whole numbers are those of a polynomial; nil for any other.
    init?(_ expression: Expression, in variable: String, budget: WorkBudget) {
        guard expression.symbols == [variable] else { return nil }
        self.budget = budget
        var inner = Evaluator(budget: budget, probe: 0)
        var row: [Rational] = []
        for point in 0...(Self.highestDegree + 2) {
            inner.bindings[variable] = .exact(Rational(point))
            guard case .exact(let value)? = inner.value(expression) else { return nil }
            row.append(value)
        }
        // Newton's form: the first differences of each order.
        var differences: [Rational] = []
        while let first = row.first {
            differences.append(first)
            var next: [Rational] = []
            for (a, b) in zip(row, row.dropFirst()) {
                guard let difference = b.adding(a.negated, budget: budget) else { return nil }
                next.append(difference)
            }
            row = next
        }
        while let last = differences.last, last.isZero { differences.removeLast() }
        guard differences.count <= Self.highestDegree + 1, differences.count > 1 else { return nil }
        // x (x - 1) ... (x - k + 1) / k!, added up.
        coefficients = Array(repeating: .zero, count: differences.count)
        var basis: [Rational] = [.one]
        for (order, difference) in differences.enumerated() {
            for (power, part) in basis.enumerated() {
                guard let term = part.multiplied(by: difference, budget: budget),
                    let sum = coefficients[power].adding(term, budget: budget)
                else { return nil }
                coefficients[power] = sum
            }
            guard let next = Self.product(basis, root: order, over: order + 1, budget) else {
                return nil
            }
            basis = next
        }
    }

    /// `basis (x - root) / divisor`.
    private static func product(
        _ basis: [Rational],
        root: Int,
        over divisor: Int,
        _ budget: WorkBudget
    ) -> [Rational]? {
        guard let scale = Rational(divisor).inverse else { return nil }
        var result = Array(repeating: Rational.zero, count: basis.count + 1)
        for (power, part) in basis.enumerated() {
            guard let scaled = part.multiplied(by: scale, budget: budget),
                let lower = scaled.multiplied(by: Rational(-root), budget: budget),
                let high = result[power + 1].adding(scaled, budget: budget),
                let low = result[power].adding(lower, budget: budget)
            else { return nil }
            (result[power + 1], result[power]) = (high, low)
        }
        return result
    }

    /// The real roots, each once: whole ones up to 100, and of what is left those of a quadratic; nil
    /// where more is left.
    func roots() -> [Expression]? {
        var rest = self
        var found: [Expression] = []
        for candidate in -100...100 where rest.degree > 2 {
            var isRoot = false
            while rest.degree > 2, let smaller = rest.divided(byRoot: Rational(candidate)) {
                rest = smaller
                isRoot = true
            }
            if isRoot { found.append(.integer(candidate)) }
        }
        guard let last = rest.smallRoots() else { return nil }
        for root in last where !found.contains(root) { found.append(root) }
        return found
    }

    /// The quotient by `x - root`; nil where a remainder is left.
    private func divided(byRoot root: Rational) -> Polynomial? {
        var carry = Rational.zero
        var quotient: [Rational] = []
        for coefficient in coefficients.reversed() {
            guard let scaled = carry.multiplied(by: root, budget: budget),
                let next = scaled.adding(coefficient, budget: budget)
            else { return nil }
            carry = next
            quotient.append(carry)
        }
        guard quotient.removeLast().isZero else { return nil }
        var copy = self
        copy.coefficients = quotient.reversed()
        return copy
    }

    private func smallRoots() -> [Expression]? {
        let c = coefficients
        switch degree {
        case 0: return []
        case 1:
            guard let inverse = c[1].inverse,
                let root = c[0].negated.multiplied(by: inverse, budget: budget)
            else { return nil }
            return [.number(root, places: nil)]
        case 2:
            guard let square = c[1].multiplied(by: c[1], budget: budget),
                let product = c[0].multiplied(by: c[2], budget: budget)?
                    .multiplied(by: Rational(-4), budget: budget),
                let discriminant = square.adding(product, budget: budget),
                let bottom = c[2].multiplied(by: Rational(2), budget: budget)?.inverse
            else { return nil }
            if discriminant.isNegative { return [] }
            let middle = Expression.number(c[1].negated, places: nil)
            func end(_ root: Expression) -> Expression {
                .product([.sum([middle, root]), .number(bottom, places: nil)])
            }
            if discriminant.isZero { return [simplified(end(.integer(0)))] }
            let root = Expression.squareRoot(.number(discriminant, places: nil))
            return [simplified(end(root.negated)), simplified(end(root))]
        default: return nil
        }
    }

    /// The number that an expression is, where it is rational.
    private func simplified(_ a: Expression) -> Expression {
        guard case .exact(let value)? = Evaluator(budget: budget, probe: 0).value(a) else {
            return a
        }
        return .number(value, places: nil)
    }
}
