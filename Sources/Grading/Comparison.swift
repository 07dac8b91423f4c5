/// Decides whether two answers mean the same; every rule is symmetric.
///
/// Rules about relations are in ComparisonRelations.swift, about lists, sets, points and matrices
/// in ComparisonElements.swift.
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
        if equal(left, right) { return true }
        // "1,5" is a list beside a list and a number beside a number.
        if let number = a.decimalComma, right.isNumeral { return equal(number, right) }
        if let number = b.decimalComma, left.isNumeral { return equal(left, number) }
        return false
    }

    /// Whether two expressions mean the same, element by element where they have elements.
    func equal(_ a: Expression, _ b: Expression) -> Bool {
        guard budget.spend(1) else { return false }
        if a == b { return true }
        switch (a, b) {
        case (.measured(let x, let u), .measured(let y, let v)): return measured(x, u, y, v)
        case (.measured(let x, let unit), _): return bare(b, x, unit)
        case (_, .measured(let y, let unit)): return bare(a, y, unit)
        case (.relation("≈", let exact, let decimal), _):
            return restated(exact, decimal, equals: b)
        case (_, .relation("≈", let exact, let decimal)):
            return restated(exact, decimal, equals: a)
        case (.relation(let s, let a1, let a2), .relation(let t, let b1, let b2)):
            if s == t, sameRelation(s, a1, a2, b1, b2) { return true }
            return sameRegion(a, b)
        case (.relation(let sign, let left, let right), _):
            return statedValue(left, sign, right).map { equal($0, b) } ?? sameRegion(a, b)
        case (_, .relation(let sign, let left, let right)):
            return statedValue(left, sign, right).map { equal(a, $0) } ?? sameRegion(a, b)
        default: break
        }
        switch (elements(a), elements(b)) {
        case (nil, nil): return sameValue(a, b)
        case (let left?, let right?): return equal(left, right) || sameRegion(a, b)
        case (let left?, nil): return left.kind == .set && single(left.items, equals: b)
        case (nil, let right?): return right.kind == .set && single(right.items, equals: a)
        }
    }

    // MARK: - Units

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

    // MARK: - Values

    /// Whether two expressions have the same value, for every value of their variables.
    ///
    /// The variable `i` is the imaginary unit as well as any other number: expressions are the same
    /// where they are under either reading.
    func sameValue(_ a: Expression, _ b: Expression) -> Bool {
        if isRounding(a, of: b) || isRounding(b, of: a) { return true }
        let symbols = a.symbols.union(b.symbols)
        let probes = symbols.isEmpty ? 1 : Evaluator.probeCount
        let real = agree(probes) { probe in
            let evaluator = Evaluator(budget: budget, probe: probe)
            return (evaluator.value(a), evaluator.value(b))
        } by: {
            Number.same($0, $1)
        }
        guard !real, symbols.contains("i") else { return real }
        return agree(probes) { probe in
            let evaluator = ComplexEvaluator(real: Evaluator(budget: budget, probe: probe))
            return (evaluator.value(a), evaluator.value(b))
        } by: {
            ComplexNumber.same($0, $1)
        }
    }

    /// Whether both sides exist at one probe at least, at the same probes, and are the same there.
    private func agree<Value>(
        _ probes: Int,
        _ values: (Int) -> (Value?, Value?),
        by same: (Value, Value) -> Bool
    ) -> Bool {
        var agreed = false
        for probe in 0..<probes {
            switch values(probe) {
            case (nil, nil): continue
            case (let x?, let y?):
                guard same(x, y) else { return false }
                agreed = true
            default: return false
            }
        }
        return agreed
    }

    /// Whether `a` is a decimal of six or more places, and `b` rounded or cut to those places.
    private func isRounding(_ a: Expression, of b: Expression) -> Bool {
        guard case .number(_, let places?) = a else { return false }
        return isRounding(a, of: b, places: places)
    }

    /// Whether `a` is a number, and `b` rounded or cut to `places` decimals.
    func isRounding(_ a: Expression, of b: Expression, places: Int) -> Bool {
        guard case .number(let decimal, _) = a, b.symbols.isEmpty,
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
