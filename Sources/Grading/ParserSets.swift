/// Sets in braces: by their elements, or by a condition.
extension Parser {
    /// Stands where no other rule reads it: the bar of a set by condition.
    private static let bar = Token.sign("∣")

    /// The rest of a set, behind its opening brace.
    mutating func set() throws(NotMathematics) -> Expression {
        let (start, all) = (position, tokens)
        if let bar = conditionBar() {
            tokens[bar] = Self.bar
            if let set = try? nested({ p throws(NotMathematics) in try p.setByCondition() }) {
                return set
            }
            (position, tokens) = (start, all)
        }
        skipSetVariable()
        let elements = try nested { p throws(NotMathematics) in try p.elements() }
        try expect(.command("rbrace"))
        if elements.isEmpty { return .symbol("\\emptyset") }
        // A set of points that meet a condition is that condition.
        if elements.count == 1, case .relation(let sign, _, _) = elements[0], sign != "=" {
            return elements[0]
        }
        return .group(open: "{", elements, close: "}")
    }

    /// Steps over the beginning of a set given by a condition: `x :`, `x \mid`, `x \in \mathbb{R} :`.
    private mutating func skipSetVariable() {
        guard case .symbol? = current else { return }
        let bars: [Token] = [.sign(":"), .sign("|")]
        if let next = peek(1), bars.contains(next) {
            position += 2
        } else if peek(1) == .sign("∈"), case .symbol? = peek(2), let bar = peek(3),
            bars.contains(bar)
        {
            position += 4
        }
    }

    /// Where the colon or bar of a set by condition stands: behind a variable, with no comma before.
    private func conditionBar() -> Int? {
        var depth = 0
        var hasVariable = false
        var place = position
        while place < tokens.count, place - position < 48 {
            switch tokens[place] {
            case .sign("("), .sign("["), .sign("{"), .command("lbrace"): depth += 1
            case .command("rbrace") where depth == 0: return nil
            case .sign(")"), .sign("]"), .sign("}"), .command("rbrace"): depth -= 1
            case .sign(",") where depth == 0: return nil
            case .symbol: hasVariable = true
            case .sign(":") where depth == 0, .sign("|") where depth == 0:
                return hasVariable ? place : nil
            default: break
            }
            place += 1
        }
        return nil
    }

    private mutating func setByCondition() throws(NotMathematics) -> Expression {
        let left = try elements()
        guard left.count == 1, take(Self.bar) else { throw NotMathematics() }
        let start = position
        var conditions = try elements()
        let hasAlternatives = tokens[start..<position].contains(.sign("∨"))
        try expect(.command("rbrace"))
        var element = left[0]
        var domain: Expression?
        if case .relation("∈", let inner, let set) = element { (element, domain) = (inner, set) }
        if case .symbol(let name) = element, Self.isSetOfNumbers(.symbol(name)) {
            throw NotMathematics()
        }
        if let place = conditions.firstIndex(where: \.isMembership),
            conditions.count > 1 || domain == nil,
            case .relation("∈", let name, let set) = conditions[place],
            element.symbols == name.symbols,
            Self.isSetOfNumbers(set) || set.isListedSet
        {
            domain = set
            conditions.remove(at: place)
        }
        let builder = SetByCondition(
            element: element,
            domain: domain,
            conditions: conditions,
            hasAlternatives: hasAlternatives,
            budget: budget
        )
        guard let set = builder.expression else { throw NotMathematics() }
        return set
    }

    private static func isSetOfNumbers(_ a: Expression) -> Bool {
        ["Z", "N", "R", "\\reals"].contains { a == .symbol($0) }
    }
}

extension Expression {
    fileprivate var isListedSet: Bool { if case .group("{", _, _) = self { true } else { false } }
    fileprivate var isMembership: Bool {
        if case .relation("∈", _, _) = self { true } else { false }
    }
}

/// A set of the values of an expression for all numbers that meet some conditions.
struct SetByCondition {
    let element: Expression
    /// The numbers that the variable ranges over; real ones if nil.
    let domain: Expression?
    let conditions: [Expression]
    /// Whether one of the conditions is enough.
    let hasAlternatives: Bool
    let budget: WorkBudget

    /// Integers farther from 0 are not looked at; a set that comes near is taken as endless.
    private static let reach = 200
    private static let mostElements = 64

    /// The set by its elements or as a condition on real numbers; nil where it can be neither.
    var expression: Expression? {
        guard let variable = element.symbols.first, element.symbols.count == 1 else { return nil }
        if let values = listedValues(of: variable) { return set(values, variable) }
        switch domain {
        // "2k : 1 \\le k \\le 4" speaks of whole numbers.
        case nil
        where element != .symbol(variable) && ["i", "j", "k", "m", "n"].contains(variable):
            return integers(variable, from: -Self.reach)
        case nil, .symbol("R"), .symbol("\\reals"): return realSet(variable)
        case .symbol("Z"): return integers(variable, from: -Self.reach)
        case .symbol("N"): return integers(variable, from: 1)
        case .group("{", let values, _): return set(values.filter { meets($0, variable) }, variable)
        default: return nil
        }
    }

    /// The values of "k = 1, 2, 3".
    private func listedValues(of variable: String) -> [Expression]? {
        guard case .relation("=", .symbol(variable), let first)? = conditions.first,
            first.symbols.isEmpty
        else { return nil }
        var values = [first]
        for other in conditions.dropFirst() {
            if case .relation("=", .symbol(variable), let value) = other, hasAlternatives {
                values.append(value)
            } else if case .number = other {
                values.append(other)
            } else {
                return nil
            }
        }
        return values
    }

    private func realSet(_ variable: String) -> Expression? {
        guard element == .symbol(variable) else { return nil }
        let equations = conditions.filter {
            if case .relation("=", _, _) = $0 { true } else { false }
        }
        if equations.isEmpty {
            guard conditions.count > 1 else { return conditions.first }
            let sign: Character = hasAlternatives ? "∨" : "∧"
            return .group(open: sign, conditions, close: sign)
        }
        guard equations.count == 1, !hasAlternatives,
            case .relation(_, let left, let right) = equations[0],
            let polynomial = Polynomial(
                .sum([left, right.negated]),
                in: variable,
                budget: budget
            ), let roots = polynomial.roots()
        else { return nil }
        let others = conditions.filter { $0 != equations[0] }
        return set(
            roots.filter { root in
                others.allSatisfy { holds($0, variable, root) }
            },
            variable
        )
    }

    private func integers(_ variable: String, from low: Int) -> Expression? {
        var values: [Expression] = []
        for number in low...Self.reach where meets(.integer(number), variable) {
            guard abs(number) < Self.reach - 4, values.count < Self.mostElements else { return nil }
            values.append(.integer(number))
        }
        return set(values, variable)
    }

    private func meets(_ value: Expression, _ variable: String) -> Bool {
        hasAlternatives
            ? conditions.contains { holds($0, variable, value) }
            : conditions.allSatisfy { holds($0, variable, value) }
    }

    private func holds(_ condition: Expression, _ variable: String, _ value: Expression) -> Bool {
        guard budget.spend(8) else { return false }
        return Evaluator(budget: budget, probe: 0)
            .holds(condition.substituting([variable: value])) ?? false
    }

    private func set(_ values: [Expression], _ variable: String) -> Expression {
        guard !values.isEmpty else { return .symbol("\\emptyset") }
        return .group(
            open: "{",
            values.map { element.substituting([variable: $0]) },
            close: "}"
        )
    }
}
