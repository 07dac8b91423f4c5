/// Decides whether two answers mean the same; every rule is symmetric.
///
/// Rules about relations are in ComparisonRelations.swift, about lists, sets, points and matrices
/// in ComparisonElements.swift.
struct Comparison {
    let budget: WorkBudget
    /// Whether the names of counted things decide: where answers are words, or lists of things.
    var labelsDecide = false
    /// Whether a set and its only element differ: among the elements of sets.
    var setsAreStrict = false

    /// Whether two answers mean the same: as text, else as choices, else as mathematics.
    ///
    /// Answers in words are compared without regard to case; a blank answer equals nothing.
    func equal(_ a: Answer, _ b: Answer) -> Bool {
        guard !a.isBlank, !b.isBlank else { return false }
        // Sentences about a subject ("Ann is the winner") are the same as a whole or not at all.
        if a.isPredicate, b.isPredicate { return a.whole == b.whole }
        if a.key == b.key { return true }
        if let left = a.choice, let right = b.choice, a.isOnlyChoice || b.isOnlyChoice {
            return left == right
        }
        if let left = a.choice, let right = b.choice, left != right { return false }
        if let same = Moment.same(a.moment, b.moment) { return same }
        if let same = Labels.same(a.key, b.key) { return same }
        guard let left = a.expression, let right = b.expression else { return sameWords(a, b) }
        var comparison = self
        comparison.labelsDecide = a.isInWords && b.isInWords
        if comparison.equal(left, right) { return true }
        // "1,5" is a list beside a list and a number beside a number.
        if let number = a.decimalComma, right.isNumeral { return equal(number, right) }
        if let number = b.decimalComma, left.isNumeral { return equal(left, number) }
        return false
    }

    /// Whether two answers are the same words, or the same formula where it is not understood.
    private func sameWords(_ a: Answer, _ b: Answer) -> Bool {
        let (left, right) = (a.words, b.words)
        return left == right || StockPhrase.canonical(left) == StockPhrase.canonical(right)
    }

    /// Whether two expressions mean the same, element by element where they have elements.
    func equal(_ a: Expression, _ b: Expression) -> Bool {
        guard budget.spend(1) else { return false }
        if a == b { return true }
        switch (a, b) {
        case (.cutOff, _), (_, .cutOff): return sameDigits(a, b)
        case (.measured(let x, let u), .measured(let y, let v)): return measured(x, u, y, v)
        case (.measured(let x, let u), .product(let factors))
        where u.isNamed && isUnitLast(factors):
            return measured(x, u, .product(Array(factors.dropLast())), unitLast(factors))
                || bare(b, x, u)
        case (.product(let factors), .measured(let x, let u))
        where u.isNamed && isUnitLast(factors):
            return measured(.product(Array(factors.dropLast())), unitLast(factors), x, u)
                || bare(a, x, u)
        case (.measured(_, .modulus), .opaque), (.opaque, .measured(_, .modulus)):
            return Families.same(a, b, budget: budget) ?? false
        case (.measured(let x, let unit), _): return bare(b, x, unit)
        case (_, .measured(let y, let unit)): return bare(a, y, unit)
        case (.relation("≈", let exact, let decimal), _):
            return restated(exact, decimal, equals: b)
        case (_, .relation("≈", let exact, let decimal)):
            return restated(exact, decimal, equals: a)
        case (.relation("=", .group, let values), .list),
            (.list, .relation("=", .group, let values)):
            return sameAssignment(a, b) ?? (a == .list([]) ? false : equalToPoint(a, b, values))
        case (.relation(let s, let a1, let a2), .relation(let t, let b1, let b2)):
            if let same = Families.same(a2, b2, budget: budget) { return same && equal(a1, b1) }
            if s == t, sameRelation(s, a1, a2, b1, b2) { return true }
            return sameRegion(a, b)
        case (.relation(let sign, let left, let right), _):
            return statedValue(left, sign, right).map { equal($0, b) } ?? sameRegion(a, b)
        case (_, .relation(let sign, let left, let right)):
            return statedValue(left, sign, right).map { equal(a, $0) } ?? sameRegion(a, b)
        default: break
        }
        switch aligned(elements(a), elements(b)) {
        case (nil, nil): return sameValue(a, b)
        case (let left?, let right?): return equal(left, right) || sameRegion(a, b)
        case (let left?, nil): return contains(left, only: b)
        case (nil, let right?): return contains(right, only: a)
        }
    }

    /// Whether a set holds one element and no other, or a point is the vector of i, j and k.
    private func contains(_ a: (kind: Kind, items: [Expression]), only b: Expression) -> Bool {
        if a.kind == .set, !setsAreStrict, b != .symbol("\\emptyset"), single(a.items, equals: b) {
            return true
        }
        guard a.kind.isOrdered,
            let vector = UnitVectors.components(of: b, plain: true, count: a.items.count)
        else { return false }
        return equal(a, (.bracket("(", ")"), vector))
    }

    // MARK: - Units

    private func measured(_ x: Expression, _ u: Unit, _ y: Expression, _ v: Unit) -> Bool {
        switch (u, v) {
        case (.modulus(let m), .modulus(let n)): return m == n && congruent(x, y, modulo: m)
        case (.modulus, _), (_, .modulus): return false
        case (.qualified, _) where u != v, (_, .qualified) where u != v: return false
        case (.base(let a), .base(let b)) where a != b: return sameNumeral(x, a, y, b)
        case (.label, .label) where labelsDecide && u != v: return false
        case _ where u == v || u.isLabel || v.isLabel: return equal(x, y)
        case (.degree, .named("rad")): return equal(.measured(x, .degree), y, asValues: true)
        case (.named("rad"), .degree): return equal(x, .measured(y, .degree), asValues: true)
        case (.degree, let other), (let other, .degree):
            // "25 degrees" may be of any scale.
            return other.kelvins(x) != nil && equal(x, y)
        default: break
        }
        if let left = u.kelvins(x), let right = v.kelvins(y) { return equal(left, right) }
        guard let from = Unit.scale(of: u), let to = Unit.scale(of: v), from.base == to.base else {
            return false
        }
        return equal(
            .product([x, .number(from.factor, places: nil)]),
            .product([y, .number(to.factor, places: nil)])
        )
    }

    /// Whether factors are a number and a letter that is a unit beside an answer with one: "90 s".
    private func isUnitLast(_ factors: [Expression]) -> Bool {
        guard case .symbol(let letter)? = factors.last, factors.count > 1,
            ["m", "s", "g", "h", "l", "L", "N", "J", "W", "V"].contains(letter)
        else { return false }
        return factors.dropLast().allSatisfy { $0.symbols.isEmpty }
    }

    private func unitLast(_ factors: [Expression]) -> Unit {
        if case .symbol(let letter)? = factors.last { Unit(words: letter) } else { .label("") }
    }

    private func equal(_ a: Expression, _ b: Expression, asValues: Bool) -> Bool {
        let evaluator = Evaluator(budget: budget, probe: 0)
        guard let x = evaluator.value(a), let y = evaluator.value(b) else { return false }
        return Number.same(x, y)
    }

    /// A value without a unit against one with a unit.
    ///
    /// The unit may be left out, and a percentage may be written as the fraction it is. Words that
    /// change what the value says may not.
    private func bare(_ plain: Expression, _ value: Expression, _ unit: Unit) -> Bool {
        if unit.isQualifier || labelsDecide && unit.isLabel { return false }
        switch unit {
        case .base(let base):
            return numeral(value, base: base).map { equal(plain, .integer($0)) } ?? false
        case .modulus(let modulus): return isRemainder(plain, of: value, modulo: modulus)
        default: break
        }
        if equal(plain, value) { return true }
        return unit == .percent && equal(plain, .product([value, .inverse(.integer(100))]))
    }

    /// Whether a number without its modulus is the remainder that a residue class stands for.
    private func isRemainder(_ plain: Expression, of value: Expression, modulo name: String) -> Bool
    {
        guard let modulus = Int(name), modulus > 0 else { return equal(plain, value) }
        guard value.symbols.isEmpty,
            case .exact(let exact)? = Evaluator(budget: budget, probe: 0).value(value),
            let whole = exact.integer
        else { return false }
        if abs(whole) < modulus, equal(plain, value) { return true }
        let rest = whole % modulus
        return equal(plain, .integer(rest < 0 ? rest + modulus : rest))
    }

    /// Whether two whole numbers leave the same remainder.
    private func congruent(_ x: Expression, _ y: Expression, modulo name: String) -> Bool {
        if equal(x, y) { return true }
        guard let modulus = Int(name), modulus > 0, modulus < 1 << 40 else { return false }
        let evaluator = Evaluator(budget: budget, probe: 0)
        guard x.symbols.isEmpty, y.symbols.isEmpty, case .exact(let a)? = evaluator.value(x),
            case .exact(let b)? = evaluator.value(y),
            let difference = a.adding(b.negated, budget: budget)?.integer
        else { return false }
        return difference % modulus == 0
    }

    /// Whether two numerals in different bases name the same number.
    private func sameNumeral(_ x: Expression, _ a: String, _ y: Expression, _ b: String) -> Bool {
        guard let left = numeral(x, base: a), let right = numeral(y, base: b) else { return false }
        return left == right
    }

    private func numeral(_ x: Expression, base: String) -> Int? {
        guard case .number(let value, _) = x, let digits = value.integer, digits >= 0,
            let base = Int(base), (2...36).contains(base), digits < 1 << 40
        else { return nil }
        return Int(String(digits), radix: base)
    }

    // MARK: - Values

    /// Whether two expressions have the same value, for every value of their variables.
    ///
    /// The variable `i` is the imaginary unit as well as any other number: expressions are the same
    /// where they are under either reading.
    func sameValue(_ a: Expression, _ b: Expression) -> Bool {
        if isRounding(a, of: b) || isRounding(b, of: a) { return true }
        if let same = Families.same(a, b, budget: budget) { return same }
        if Piecewise.occurs(in: a) || Piecewise.occurs(in: b) {
            return Piecewise.same(a, b, budget: budget) ?? sameParts(a, b)
        }
        let symbols = a.symbols.union(b.symbols)
        let areWhole = a.isCombinatorial || b.isCombinatorial
        switch agreeing(a, b, symbols.isEmpty, areWhole: areWhole) {
        case true?: return true
        // Powers such as (-1)^n have values for whole numbers alone.
        case nil where !symbols.isEmpty && !areWhole:
            if agreeing(a, b, false, areWhole: true) == true { return true }
        default: break
        }
        guard symbols.contains("i") else { return false }
        return agree(symbols == ["i"] ? 1 : Evaluator.probeCount) { probe in
            let evaluator = ComplexEvaluator(real: Evaluator(budget: budget, probe: probe))
            return (evaluator.value(a), evaluator.value(b))
        } by: {
            ComplexNumber.same($0, $1)
        } ?? false
    }

    /// Whether two operators of one name have equal parts.
    private func sameParts(_ a: Expression, _ b: Expression) -> Bool {
        guard case .opaque(let name, let left) = a, case .opaque(name, let right) = b,
            left.count == right.count
        else { return false }
        return zip(left, right).allSatisfy { equal($0, $1) }
    }

    private func agreeing(_ a: Expression, _ b: Expression, _ isConstant: Bool, areWhole: Bool)
        -> Bool?
    {
        // Counts outside their range, such as 2 of 1, have no value on one side at times.
        agree(isConstant ? 1 : Evaluator.probeCount, skipsUndefined: areWhole) { probe in
            let evaluator = Evaluator(budget: budget, probe: probe, areWhole: areWhole)
            return (evaluator.value(a), evaluator.value(b))
        } by: {
            Number.same($0, $1)
        }
    }

    /// Whether both sides exist at one probe at least, at the same probes, and are the same there;
    /// nil where neither exists anywhere.
    ///
    /// With `skipsUndefined`, a probe where one side does not exist says nothing, and three must agree.
    private func agree<Value>(
        _ probes: Int,
        skipsUndefined: Bool = false,
        _ values: (Int) -> (Value?, Value?),
        by same: (Value, Value) -> Bool
    ) -> Bool? {
        var agreed = 0
        for probe in 0..<probes {
            switch values(probe) {
            case (nil, nil): continue
            case (let x?, let y?):
                guard same(x, y) else { return false }
                agreed += 1
            default: if !skipsUndefined { return false }
            }
        }
        if skipsUndefined { return agreed >= min(3, probes) }
        return agreed > 0 ? true : nil
    }

    /// Digits that go on in an unknown way, against a number that begins with them and does not end
    /// there.
    private func sameDigits(_ a: Expression, _ b: Expression) -> Bool {
        switch (a, b) {
        case (.cutOff(let x, let m), .cutOff(let y, let n)): return x == y && m == n
        case (.cutOff(let digits, let places), let other),
            (let other, .cutOff(let digits, let places)):
            if case .measured(let value, let unit) = other {
                return bare(a == other ? b : a, value, unit)
            }
            if case .relation = other { return false }
            guard places >= 3, other.symbols.isEmpty,
                let value = Evaluator(budget: budget, probe: 0).value(other),
                !Number.same(value, .exact(digits))
            else { return false }
            return isRounding(.number(digits, places: nil), of: other, places: places)
        default: return false
        }
    }

    /// Whether `a` is a decimal of six or more places, and `b` rounded or cut to those places.
    private func isRounding(_ a: Expression, of b: Expression) -> Bool {
        guard case .number(_, let places?) = a, places != Expression.endless else { return false }
        if case .number(_, Expression.endless) = b { return false }
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
