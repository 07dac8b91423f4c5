/// Equations, inequalities, and the regions that inequalities describe.
extension Comparison {
    // MARK: - Names

    /// The value that a relation states: the right side of `x = 5`, `f(x) = 5`, `(p, q) = (3, 2)`,
    /// `x \in [0, 1]` and `2 + 3 = 5`.
    ///
    /// - Returns: `nil` where the relation is more than a name with its value.
    func statedValue(_ left: Expression, _ sign: String, _ right: Expression) -> Expression? {
        guard ["=", "∈", "≡", "→"].contains(sign) else { return nil }
        if isName(left) { return sign == "→" ? nil : right }
        // "7^{100} \equiv 1 (mod 10)" states the remainder of what is on its left.
        if sign == "≡", left.symbols.isEmpty { return right }
        guard sign == "=" || sign == "→" else { return nil }
        if isComputation(left) { return right }
        return elements(left) == nil && sameValue(left, right) ? right : nil
    }

    /// Whether a left side is something to be worked out that stays as it is here, such as a limit.
    private func isComputation(_ left: Expression) -> Bool {
        guard case .opaque(let name, _) = left else { return false }
        guard ["sum", "prod"].contains(name) else { return !name.hasPrefix("cases") }
        // A sum that is worked out states what it is worth, or nothing.
        return left.isCombinatorial
            || left.contains { $0 == .symbol("\\infty") || $0 == .symbol("") }
    }

    /// `(x, y) = (1, 2)` against `x = 1, y = 2`; nil where the list names no variables.
    func sameAssignment(_ a: Expression, _ b: Expression) -> Bool? {
        guard let left = assignment(a), let right = assignment(b) else { return nil }
        return left.names == right.names
            && zip(left.values, right.values).allSatisfy { equal($0, $1) }
    }

    private func assignment(_ a: Expression) -> (names: [String], values: [Expression])? {
        switch a {
        case .list(let items): return AnswerLists.named(items)
        case .relation("=", .group(_, let names, _), .group(_, let values, _))
        where names.count == values.count:
            return AnswerLists.named(zip(names, values).map { .relation("=", $0, $1) })
        default: return nil
        }
    }

    /// A point with its name against a list.
    func equalToPoint(_ a: Expression, _ b: Expression, _ values: Expression) -> Bool {
        if case .relation = a { return equal(values, b) }
        return equal(a, values)
    }

    /// Whether a left side only names something: `x`, `a_1`, `AB`, `f(x)`, `(p, q)`, `V_1 : V_2`.
    func isName(_ left: Expression) -> Bool {
        switch left {
        case .symbol, .constant(.e): true
        case .inverse(let inner): isName(inner)
        case .product(let parts):
            parts.allSatisfy(isName) || isApplication(parts)
        case .group(_, let parts, _), .union(let parts): parts.allSatisfy(isName)
        case .relation("∩", let a, let b), .relation("∖", let a, let b): isName(a) && isName(b)
        // "\tan\theta = 3/4" says what the tangent of a named angle is.
        case .function(.sin, let parts), .function(.cos, let parts), .function(.tan, let parts),
            .function(.cot, let parts), .function(.sec, let parts), .function(.csc, let parts):
            parts.allSatisfy { if case .symbol = $0 { true } else { isName($0) } }
        case .function(.abs, let inner):
            inner.allSatisfy { part in
                if case .symbol(let name) = part { return name.first?.isUppercase ?? false }
                return part.symbols.count > 1 && isName(part)
            }
        default: false
        }
    }

    /// Whether factors are a function's name and its argument in brackets: `P(X = 2)`, `P(5, 2)`.
    private func isApplication(_ parts: [Expression]) -> Bool {
        guard parts.count == 2 else { return false }
        if case .power(.symbol, let exponent) = parts[0], exponent == .integer(-1) {
            return isName(parts[1])
        }
        guard case .symbol = parts[0] else { return false }
        switch parts[1] {
        case .relation, .group: return true
        default: return false
        }
    }

    /// `exact ≈ decimal` against an answer: the decimals count where they are right, or where
    /// there is only a name before them.
    func restated(_ exact: Expression, _ decimal: Expression, equals other: Expression) -> Bool {
        if case .relation("≈", let again, let otherDecimal) = other {
            return equal(exact, again) && (!isName(exact) || equal(decimal, otherDecimal))
        }
        if isName(exact) { return equal(decimal, other) }
        if equal(exact, other) { return true }
        guard case .number(let value, _) = decimal,
            let places = (0...12).first(where: {
                Rational(10).power($0, budget: budget)?.numerator == value.denominator
            })
        else { return false }
        return isRounding(decimal, of: exact, places: places) && equal(decimal, other)
    }

    // MARK: - Relations

    /// Whether two relations with the same sign are one, moved around or scaled:
    /// `y = -2x` and `4x + 2y = 0`, `x < 1` and `-x > -1`.
    func sameRelation(
        _ sign: String,
        _ a1: Expression,
        _ a2: Expression,
        _ b1: Expression,
        _ b2: Expression
    ) -> Bool {
        if equal(a1, b1), equal(a2, b2) { return true }
        if sign == "=", let same = sameFunction(a1, a2, b1, b2) { return same }
        guard ["=", "≠", "<", "≤"].contains(sign) else { return false }
        let isDirected = sign == "<" || sign == "≤"
        if !isDirected, equal(a1, b2), equal(a2, b1) { return true }
        return isMultiple(
            .sum([a2, a1.negated]),
            of: .sum([b2, b1.negated]),
            positive: isDirected
        )
    }

    /// `f(x) = x^2` against `f(t) = t^2`; nil where the left sides are not values of one function.
    private func sameFunction(
        _ a1: Expression,
        _ a2: Expression,
        _ b1: Expression,
        _ b2: Expression
    ) -> Bool? {
        guard case .product(let left) = a1, case .product(let right) = b1, left.count == 2,
            right.count == 2, left[0] == right[0], case .symbol(let x) = left[1],
            case .symbol(let t) = right[1], x != t, !b2.symbols.contains(x)
        else { return nil }
        return equal(a2, b2.substituting([t: .symbol(x)])) && !a2.symbols.contains(t)
    }

    /// Whether `a` is a constant times `b`, as functions of their variables; the constant is above 0
    /// or, unless `positive`, below.
    private func isMultiple(_ a: Expression, of b: Expression, positive: Bool) -> Bool {
        guard !a.symbols.isEmpty, a.symbols == b.symbols else { return false }
        var ratios: [Number] = []
        for probe in 0..<Evaluator.probeCount {
            let evaluator = Evaluator(budget: budget, probe: probe)
            guard let x = evaluator.value(a), let y = evaluator.value(b),
                let ratio = evaluator.inverse(y).flatMap({ evaluator.multiply(x, $0) }),
                let sign = ratio.approximation?.value, sign > 0 || !positive && sign < 0
            else { continue }
            ratios.append(ratio)
        }
        guard ratios.count > 1 else { return false }
        return ratios.allSatisfy { Number.same($0, ratios[0]) }
    }
}
