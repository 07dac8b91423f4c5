/// Numbers in equal steps, one for each integer: `\frac{\pi}{4} + k\pi`.
enum Families {
    private static let name = "family"

    /// A value that is linear in an integer as its start and its step; nil for any other, and where it
    /// has other variables.
    static func family(_ value: Expression, in variable: String) -> Expression? {
        guard value.symbols == [variable], !value.hasPlusMinus else { return nil }
        let evaluator = Evaluator(budget: WorkBudget(), probe: 0)
        let points = [0, 1, 3].map { value.substituting([variable: .integer($0)]) }
        let step = Expression.sum([points[1], points[0].negated])
        let leap = Expression.sum([points[2], points[0].negated])
        guard let one = evaluator.value(step), let three = evaluator.value(leap),
            let triple = evaluator.multiply(one, .exact(Rational(3))), Number.same(triple, three),
            let size = one.approximation, size.value != 0
        else { return nil }
        return .opaque(name, [points[0], step])
    }

    /// Start and step of a family, of a residue class, or of an answer that leaves out that its only
    /// variable is an integer; nil for any other.
    private static func parts(of a: Expression) -> (start: Expression, step: Expression)? {
        switch a {
        case .opaque(name, let parts): return (parts[0], parts[1])
        case .measured(let start, .modulus(let modulus)):
            return Int(modulus).map { (start, .integer($0)) }
        case .sum, .product:
            guard let variable = a.symbols.first, a.symbols.count == 1,
                ["k", "n", "m", "t", "j", "l"].contains(variable),
                case .opaque(_, let parts)? = family(a, in: variable)
            else { return nil }
            return (parts[0], parts[1])
        default: return nil
        }
    }

    /// Whether two answers, one of them a family, hold the same numbers; nil where neither is one.
    static func same(_ a: Expression, _ b: Expression, budget: WorkBudget) -> Bool? {
        guard isFamily(a) || isFamily(b) else { return nil }
        guard let x = parts(of: a), let y = parts(of: b) else { return false }
        let evaluator = Evaluator(budget: budget, probe: 0)
        guard let step = evaluator.value(.function(.abs, [x.step])),
            let other = evaluator.value(.function(.abs, [y.step])), Number.same(step, other),
            let shift = evaluator.value(
                .quotient(.sum([x.start, y.start.negated]), x.step)
            )
        else { return false }
        switch shift {
        case .exact(let steps):
            // Fractions are not reduced, so "11/11" is compared as a value.
            let whole = steps.double.rounded()
            return abs(whole) < 0x1p50 && steps == Rational(Int(whole))
        case .approximate(let steps):
            return abs(steps.value - steps.value.rounded()) <= steps.error + 1e-9
        }
    }

    private static func isFamily(_ a: Expression) -> Bool {
        if case .opaque(name, _) = a { true } else { false }
    }
}
