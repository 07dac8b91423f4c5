/// Decides whether two answers mean the same; every rule is symmetric.
struct Comparison {
    let budget: WorkBudget

    /// Whether two answers mean the same: as text, else as choices, else as mathematics.
    ///
    /// Answers in words are compared without regard to case; a blank answer equals nothing.
    func equal(_ a: Answer, _ b: Answer) -> Bool {
        guard !a.isBlank, !b.isBlank else { return false }
        if a.key == b.key { return true }
        if let left = a.choice, let right = b.choice, a.isOnlyChoice || b.isOnlyChoice {
            return left == right
        }
        guard let left = a.expression, let right = b.expression else { return a.words == b.words }
        return equal(left, right)
    }

    /// Whether two expressions mean the same, element by element where they have elements.
    func equal(_ a: Expression, _ b: Expression) -> Bool {
        guard budget.spend(1) else { return false }
        if a == b { return true }
        switch (a, b) {
        case (.measured(let x, let u), .measured(let y, let v)): return measured(x, u, y, v)
        case (.measured(let x, let unit), _): return bare(b, x, unit)
        case (_, .measured(let y, let unit)): return bare(a, y, unit)
        case (.relation(let s, let a1, let a2), .relation(let t, let b1, let b2)):
            guard s == t else { return false }
            if equal(a1, b1), equal(a2, b2) { return true }
            return s == "=" && (equal(a1, b2) && equal(a2, b1) || sameEquation(a1, a2, b1, b2))
        case (.relation(let sign, let name, let value), _):
            return isName(name, for: sign) && equal(value, b)
        case (_, .relation(let sign, let name, let value)):
            return isName(name, for: sign) && equal(a, value)
        default: break
        }
        switch (elements(a), elements(b)) {
        case (nil, nil): return sameValue(a, b)
        case (let left?, let right?): return equal(left, right)
        case (let left?, nil): return left.kind == .set && single(left.items, equals: b)
        case (nil, let right?): return right.kind == .set && single(right.items, equals: a)
        }
    }

    // MARK: - Units and equations

    private func measured(_ x: Expression, _ u: Unit, _ y: Expression, _ v: Unit) -> Bool {
        if u == v || u == .label || v == .label { return equal(x, y) }
        return false
    }

    /// A value without a unit against one with: the unit may be left out, and a percentage may
    /// be written as the fraction it is.
    private func bare(_ plain: Expression, _ value: Expression, _ unit: Unit) -> Bool {
        if equal(plain, value) { return true }
        return unit == .percent && equal(plain, .product([value, .inverse(.integer(100))]))
    }

    /// Whether the left side only names the answer: `x = 5`, `f(x) = 5`, `x \in [0, 1]`.
    private func isName(_ left: Expression, for sign: String) -> Bool {
        guard sign == "=" || sign == "∈" else { return false }
        switch left {
        case .symbol, .constant(.e): return true
        case .product(let factors):
            return factors.count == 2
                && factors.allSatisfy { if case .symbol = $0 { true } else { false } }
        default: return false
        }
    }

    /// Whether two equations are one, moved around: `y = -2x` and `2x + y = 0`.
    private func sameEquation(
        _ a1: Expression,
        _ a2: Expression,
        _ b1: Expression,
        _ b2: Expression
    ) -> Bool {
        let (a, b) = (Expression.sum([a1, a2.negated]), Expression.sum([b1, b2.negated]))
        return sameValue(a, b) || sameValue(a, b.negated)
    }

    // MARK: - Elements

    private enum Kind: Equatable {
        case list, set, union, matrix(columns: Int)
        case bracket(Character, Character)

        var isOrdered: Bool {
            switch self {
            case .list, .set, .union: false
            case .matrix, .bracket: true
            }
        }
    }

    /// The elements of an expression that has some.
    private func elements(_ a: Expression) -> (kind: Kind, items: [Expression])? {
        switch a {
        case .list(let items): (.list, items)
        case .union(let items): (.union, items)
        case .group("{", let items, _): (.set, items)
        case .group(let open, let items, let close): (.bracket(open, close), items)
        case .matrix(let rows): (.matrix(columns: rows.first?.count ?? 0), rows.flatMap(\.self))
        default: nil
        }
    }

    private func equal(
        _ a: (kind: Kind, items: [Expression]),
        _ b: (kind: Kind, items: [Expression])
    ) -> Bool {
        guard a.items.count == b.items.count else { return false }
        if a.kind == b.kind {
            return a.kind.isOrdered ? inOrder(a.items, b.items) : inAnyOrder(a.items, b.items)
        }
        switch (a.kind, b.kind) {
        case (.list, .set), (.set, .list): return inAnyOrder(a.items, b.items)
        // Brackets may be left out around a point, and a column or row is a point.
        case (.list, .bracket), (.bracket, .list): return inOrder(a.items, b.items)
        case (.matrix(let columns), .bracket("(", ")")), (.bracket("(", ")"), .matrix(let columns)):
            return (columns == 1 || columns == a.items.count) && inOrder(a.items, b.items)
        default: return false
        }
    }

    private func single(_ items: [Expression], equals other: Expression) -> Bool {
        items.count == 1 && equal(items[0], other)
    }

    private func inOrder(_ a: [Expression], _ b: [Expression]) -> Bool {
        zip(a, b).allSatisfy { equal($0, $1) }
    }

    /// Whether the elements can be paired off.
    ///
    /// Each takes the first partner left, which is enough as long as equality among the
    /// elements of one answer is transitive.
    private func inAnyOrder(_ a: [Expression], _ b: [Expression]) -> Bool {
        guard a.count <= WorkBudget.maximumUnorderedElements else { return inOrder(a, b) }
        var rest = b
        for item in a {
            guard let match = rest.firstIndex(where: { equal(item, $0) }) else { return false }
            rest.remove(at: match)
        }
        return true
    }

    // MARK: - Values

    /// Whether two expressions have the same value, for every value of their variables.
    private func sameValue(_ a: Expression, _ b: Expression) -> Bool {
        if isRounding(a, of: b) || isRounding(b, of: a) { return true }
        let probes = a.symbols.isEmpty && b.symbols.isEmpty ? 1 : Evaluator.probeCount
        var agreed = false
        for probe in 0..<probes {
            let evaluator = Evaluator(budget: budget, probe: probe)
            switch (evaluator.value(a), evaluator.value(b)) {
            case (nil, nil): continue
            case (let x?, let y?):
                guard Number.same(x, y) else { return false }
                agreed = true
            default: return false
            }
        }
        return agreed
    }

    /// Whether `a` is a decimal of six or more places, and `b` rounded or cut to those places.
    private func isRounding(_ a: Expression, of b: Expression) -> Bool {
        guard case .number(let decimal, let places?) = a, b.symbols.isEmpty,
            let unit = Rational(10).power(-places, budget: budget),
            let value = Evaluator(budget: budget, probe: 0).value(b)
        else { return false }
        switch value {
        case .exact(let exact):
            guard exact.isNegative == decimal.isNegative,
                let rest = exact.magnitude.adding(decimal.magnitude.negated, budget: budget),
                let twice = rest.multiplied(by: Rational(2), budget: budget)
            else { return false }
            return !(twice < unit.negated) && rest < unit
        case .approximate(let approximate):
            guard (approximate.value < 0) == decimal.isNegative else { return false }
            let rest = abs(approximate.value) - abs(decimal.double)
            return rest >= -0.5 * unit.double && rest < unit.double
        }
    }
}
