/// Equations, inequalities, and the regions that inequalities describe.
extension Comparison {
    // MARK: - Names

    /// The value that a relation states: the right side of `x = 5`, `f(x) = 5`, `(p, q) = (3, 2)`,
    /// `x \in [0, 1]` and `2 + 3 = 5`.
    ///
    /// - Returns: `nil` where the relation is more than a name with its value.
    func statedValue(_ left: Expression, _ sign: String, _ right: Expression) -> Expression? {
        guard sign == "=" || sign == "∈" else { return nil }
        if isName(left) { return right }
        return sign == "=" && left.symbols.isEmpty && elements(left) == nil
            && sameValue(left, right) ? right : nil
    }

    /// Whether a left side only names something: `x`, `a_1`, `AB`, `f(x)`, `(p, q)`, `V_1 : V_2`.
    private func isName(_ left: Expression) -> Bool {
        switch left {
        case .symbol, .constant(.e): true
        case .inverse(let inner): isName(inner)
        case .product(let parts): parts.allSatisfy(isName)
        case .group(_, let parts, _): parts.allSatisfy(isName)
        case .function(.abs, let inner): inner.allSatisfy { $0.symbols.count > 1 && isName($0) }
        default: false
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
        guard ["=", "≠", "<", "≤"].contains(sign) else { return false }
        let isDirected = sign == "<" || sign == "≤"
        if !isDirected, equal(a1, b2), equal(a2, b1) { return true }
        return isMultiple(
            .sum([a2, a1.negated]),
            of: .sum([b2, b1.negated]),
            positive: isDirected
        )
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

    // MARK: - Regions

    /// Whether two answers describe the same set of numbers, one of them at least by inequalities:
    /// `1 < x \le 2` and `(1, 2]`, `x \ne 5` and `(-\infty, 5) \cup (5, \infty)`.
    func sameRegion(_ a: Expression, _ b: Expression) -> Bool {
        let (left, right) = (region(a), region(b))
        guard left != nil || right != nil else { return false }
        if let x = left?.variable, let y = right?.variable, x != y { return false }
        return equal(.union(left?.parts ?? parts(of: a)), .union(right?.parts ?? parts(of: b)))
    }

    private func parts(of a: Expression) -> [Expression] {
        if case .union(let parts) = a { return parts }
        if case .symbol("\\reals") = a { return [Self.interval("(", nil, nil, ")")] }
        return [a]
    }

    /// The intervals that inequalities in one variable describe; several are alternatives.
    private func region(_ a: Expression) -> (variable: Expression?, parts: [Expression])? {
        switch a {
        case .relation("∈", let name, let set) where isName(name): return (name, parts(of: set))
        case .relation("∖", .symbol("\\reals"), let points): return (nil, without(points))
        case .relation("≠", let name, let value) where isName(name):
            return (name, without(value))
        case .relation(let sign, let left, .relation(let next, let middle, let right))
        where isOrder(sign) && isOrder(next) && isName(middle):
            let open: Character = sign == "<" ? "(" : "["
            let close: Character = next == "<" ? ")" : "]"
            return (middle, [Self.interval(open, left, right, close)])
        case .relation(let sign, let left, let right) where isOrder(sign):
            if isName(left), !isName(right) {
                return (left, [Self.interval("(", nil, right, sign == "<" ? ")" : "]")])
            }
            if isName(right), !isName(left) {
                return (right, [Self.interval(sign == "<" ? "(" : "[", left, nil, ")")])
            }
            return nil
        case .list(let items):
            let regions = items.compactMap(region)
            guard regions.count == items.count, let first = regions.first,
                regions.allSatisfy({ $0.variable == first.variable })
            else { return nil }
            return (first.variable, regions.flatMap(\.parts))
        default: return nil
        }
    }

    private func isOrder(_ sign: String) -> Bool { sign == "<" || sign == "≤" }

    /// All numbers but the given ones.
    private func without(_ points: Expression) -> [Expression] {
        var values: [(Expression, Double)] = []
        for point in elements(points)?.items ?? [points] {
            guard let value = Evaluator(budget: budget, probe: 0).value(point)?.approximation else {
                return []
            }
            values.append((point, value.value))
        }
        let sorted: [Expression?] = values.sorted { $0.1 < $1.1 }.map(\.0)
        return zip([nil] + sorted, sorted + [nil]).map { Self.interval("(", $0, $1, ")") }
    }

    /// An interval; an end that is `nil` is infinite.
    private static func interval(
        _ open: Character,
        _ low: Expression?,
        _ high: Expression?,
        _ close: Character
    ) -> Expression {
        let infinity = Expression.symbol("\\infty")
        return .group(open: open, [low ?? infinity.negated, high ?? infinity], close: close)
    }
}
