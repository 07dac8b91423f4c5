/// Definitions by cases: `\begin{cases} x & x \ge 0 \\ -x & x < 0 \end{cases}`.
enum Piecewise {
    static let name = "piecewise"

    /// The definition that rows of values and conditions give: its parts are value, condition, value, ...
    static func expression(_ rows: [[Expression]]) -> Expression {
        let isDefinition = rows.allSatisfy { $0.count <= 2 && ($0.count < 2 || isCondition($0[1])) }
        guard isDefinition else {
            return .opaque("cases \(rows.map(\.count))", rows.flatMap(\.self))
        }
        return .opaque(
            name,
            rows.flatMap { [$0[0], $0.count == 2 ? $0[1] : .symbol(Expression.otherwise)] }
        )
    }

    private static func isCondition(_ a: Expression) -> Bool {
        switch a {
        case .relation, .symbol(Expression.otherwise): true
        case .group("∧", let all, _): all.allSatisfy(isCondition)
        default: false
        }
    }

    /// Whether a definition by cases occurs.
    static func occurs(in a: Expression) -> Bool {
        a.contains { if case .opaque(name, _) = $0 { true } else { false } }
    }

    /// Whether two functions of one variable, one of them by cases, are the same; nil where they have
    /// more variables.
    ///
    /// They are compared where a condition changes, on both sides of it, and far out.
    static func same(_ a: Expression, _ b: Expression, budget: WorkBudget) -> Bool? {
        let variables = a.symbols.union(b.symbols).subtracting([Expression.otherwise, "\\infty"])
        guard variables.count == 1, let variable = variables.first else { return nil }
        var ends: [Rational] = []
        for part in [a, b] { collectEnds(of: part, into: &ends, budget) }
        ends.append(.zero)
        ends.sort(by: <)
        var points: [Rational] = []
        for end in ends.prefix(32) {
            for shift in [0, 1, -1, 20, -20] {
                // Thirds, so that whole numbers are met by no chance.
                guard
                    let point = end.adding(
                        Rational(
                            Natural(UInt64(abs(shift))),
                            over: Natural(3),
                            negative: shift < 0
                        ),
                        budget: budget
                    )
                else { return false }
                points.append(point)
            }
        }
        for (low, high) in zip(ends, ends.dropFirst()) where low < high {
            let half = Rational(.one, over: Natural(2))
            if let middle = low.adding(high, budget: budget)?.multiplied(by: half, budget: budget) {
                points.append(middle)
            }
        }
        var agreed = 0
        for point in points {
            var evaluator = Evaluator(budget: budget, probe: 0)
            evaluator.bindings[variable] = .exact(point)
            switch (evaluator.value(a), evaluator.value(b)) {
            case (nil, nil): continue
            case (let x?, let y?):
                guard Number.same(x, y) else { return false }
                agreed += 1
            default: return false
            }
        }
        return agreed > 1 && !budget.isExhausted
    }

    /// The numbers that conditions compare with.
    private static func collectEnds(
        of a: Expression,
        into ends: inout [Rational],
        _ budget: WorkBudget
    ) {
        guard budget.spend(1), ends.count < 32 else { return }
        if case .relation(_, let left, let right) = a {
            for side in [left, right] where side.symbols.isEmpty {
                if case .exact(let value)? = Evaluator(budget: budget, probe: 0).value(side) {
                    ends.append(value)
                }
            }
        }
        for child in a.children { collectEnds(of: child, into: &ends, budget) }
    }
}

extension Evaluator {
    /// The value that a definition by cases has here: that of the first condition that holds.
    func piecewise(_ parts: [Expression]) -> Number? {
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let holds = holds(parts[index + 1]) else { return nil }
            if holds { return value(parts[index]) }
        }
        return nil
    }

    /// Whether a condition holds; nil where that cannot be told.
    func holds(_ condition: Expression) -> Bool? {
        switch condition {
        case .symbol(Expression.otherwise): return true
        case .group("∧", let all, _):
            var result = true
            for part in all {
                guard let holds = holds(part) else { return nil }
                result = result && holds
            }
            return result
        case .relation("∈", let inner, .group(let open, let ends, let close)) where ends.count == 2:
            return holds(
                .group(
                    open: "∧",
                    [
                        .relation(open == "[" ? "≤" : "<", ends[0], inner),
                        .relation(close == "]" ? "≤" : "<", inner, ends[1]),
                    ],
                    close: "∧"
                )
            )
        case .relation(let sign, let left, .relation(let next, let middle, let right)):
            guard let first = holds(.relation(sign, left, middle)),
                let second = holds(.relation(next, middle, right))
            else { return nil }
            return first && second
        case .relation(let sign, let left, let right):
            return compared(sign, left, right)
        default: return nil
        }
    }

    private func compared(_ sign: String, _ left: Expression, _ right: Expression) -> Bool? {
        let infinity = Expression.symbol("\\infty")
        if sign == "<" || sign == "≤", right == infinity || left == infinity.negated { return true }
        guard let x = value(left), let y = value(right) else { return nil }
        switch sign {
        case "=": return Number.same(x, y)
        case "≠": return !Number.same(x, y)
        case "<": return Number.same(x, y) ? false : isLess(x, y)
        case "≤": return Number.same(x, y) ? true : isLess(x, y)
        default: return nil
        }
    }
}
