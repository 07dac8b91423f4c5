/// The answer is not mathematics that this parser knows; it is then compared as text.
struct NotMathematics: Error {}

/// Reads tokens into an expression by recursive descent.
///
///     list     = relation { "," relation }           with ";" between lists
///     relation = union { ("=" | "<" | ...) union } [ "≈" union ]
///     union    = choice { ("∪" | "∩" | "∖") choice }
///     choice   = sum [ ("\choose" | "\over") sum ]
///     sum      = product { ("+" | "-" | "±") product } [unit]
///     product  = unary { ["*" | "/"] unary }
///     unary    = { "-" | "+" | "±" } power
///     power    = primary { "!" | "%" | "°" | "_" index } [ "^" argument ]
///
/// Depth and work are bounded; both bounds end in `NotMathematics`. Primaries are in
/// ParserPrimaries.swift.
struct Parser {
    let budget: WorkBudget
    var tokens: [Token]
    var position = 0
    private var depth = 0
    /// How many bars of absolute values are open.
    var openBars = 0
    /// The "and" or "or" that stands between elements.
    private var connective: Token?

    /// The expression the tokens spell, or `nil`.
    static func parse(_ tokens: [Token], budget: WorkBudget) -> Expression? {
        var parser = Parser(budget: budget, tokens: tokens)
        _ = parser.take(.sign("=")) || parser.take(.sign("≈"))  // "= 5", "\approx 5"
        guard let read = try? parser.lists(), parser.current == nil else { return nil }
        let elements = AnswerLists.arranged(AnswerLists.joined(read, by: parser.connective))
        guard let first = elements.first else { return nil }
        return (elements.count == 1 ? first : .list(elements)).signChoices
    }

    private init(budget: WorkBudget, tokens: [Token]) {
        self.budget = budget
        self.tokens = tokens
    }

    // MARK: - Tokens

    var current: Token? { position < tokens.count ? tokens[position] : nil }

    func peek(_ offset: Int) -> Token? {
        tokens.indices.contains(position + offset) ? tokens[position + offset] : nil
    }

    /// Steps over `token` if it is next.
    mutating func take(_ token: Token) -> Bool {
        guard current == token else { return false }
        position += 1
        return true
    }

    mutating func expect(_ token: Token) throws(NotMathematics) {
        guard take(token) else { throw NotMathematics() }
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(
        _ body: (inout Parser) throws(NotMathematics) -> Result
    ) throws(NotMathematics) -> Result {
        guard depth < WorkBudget.maximumDepth, budget.spend(1) else { throw NotMathematics() }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    // MARK: - Grammar

    /// The elements of the whole answer: lists between semicolons where it has both separators,
    /// as in `a=1, b=2; a=2, b=1`.
    private mutating func lists() throws(NotMathematics) -> [Expression] {
        var lists: [[Expression]] = []
        repeat {
            lists.append(try elements(separators: [.sign(","), .sign("∧"), .sign("∨")]))
        } while take(.sign(";"))
        lists.removeAll(where: \.isEmpty)
        if lists.contains(where: { $0.count > 1 }), lists.count > 1 {
            return lists.map { $0.count == 1 ? $0[0] : .group(open: "(", $0, close: ")") }
        }
        return lists.flatMap(\.self)
    }

    /// Relations between separators, up to a token that continues none; empty places are skipped.
    mutating func elements(
        separators: [Token] = [.sign(","), .sign(";"), .sign("∧"), .sign("∨")]
    ) throws(NotMathematics) -> [Expression] {
        var elements: [Expression] = []
        while true {
            while let next = current, separators.contains(next) {
                if next == .sign("∧") || next == .sign("∨") { connective = next }
                position += 1
            }
            guard let next = current, !Self.closes(next) else { return elements }
            elements.append(try relation())
            guard let next = current, separators.contains(next) else { return elements }
        }
    }

    private static func closes(_ token: Token) -> Bool {
        switch token {
        case .sign(let sign): ")]};&".contains(sign)
        case .command("rbrace"), .newRow, .end: true
        default: false
        }
    }

    private mutating func relation() throws(NotMathematics) -> Expression {
        var sides: [Expression] = []
        if let name = leadingName() { sides.append(name) } else { sides.append(try union()) }
        var signs: [Character] = []
        while case .sign(let sign)? = current, "=<>≤≥≠∈∉≈≡→".contains(sign) {
            position += 1
            signs.append(sign)
            sides.append(try union())
        }
        if let about = signs.firstIndex(of: "≈") {
            // What follows restates the side before in decimals.
            sides[about] = .relation("≈", sides[about], sides[sides.count - 1])
            signs.removeSubrange(about...)
            sides.removeSubrange((about + 1)...)
        }
        guard !signs.isEmpty else { return sides[0] }
        if let last = signs.last, last == "=" || last == "≡",
            signs.allSatisfy({ "=≡".contains($0) })
        {
            let sign = signs.contains("≡") ? "≡" : "="
            return .relation(sign, sides[0], sides[sides.count - 1])
        }
        if signs.allSatisfy({ ">≥".contains($0) }) {
            sides.reverse()
            signs = signs.reversed().map { $0 == ">" ? "<" : "≤" }
        }
        guard signs.count <= 2 else { throw NotMathematics() }
        var result = sides[sides.count - 1]
        for (side, sign) in zip(sides, signs).reversed() {
            result = .relation(String(sign), side, result)
        }
        return result
    }

    /// A name in words before an equals sign: "Total cost = 5", "[ABCD] = 5", "max = 5"; nil, without a
    /// step, for anything else.
    private mutating func leadingName() -> Expression? {
        var end = position
        var name = ""
        var opened = false
        while end < tokens.count, end - position < 8 {
            switch tokens[end] {
            case .word(let word), .text(let word): name += " " + word
            case .symbol(let letter) where !name.isEmpty: name += " " + letter
            case .command("max"), .command("min"): name += " extremum"
            case .sign(let bracket) where "[](|)".contains(bracket): opened = opened || name.isEmpty
            case .sign("="), .sign("≈"):
                guard !name.isEmpty, !opened || name.contains(where: \.isUppercase) else {
                    return nil
                }
                position = end
                return .symbol("\\text{\(name)}")
            default: return nil
            }
            end += 1
        }
        return nil
    }

    private mutating func union() throws(NotMathematics) -> Expression {
        var parts = [try choice()]
        while take(.sign("∪")) { parts.append(try choice()) }
        let first = parts.count == 1 ? parts[0] : .union(parts)
        for sign in ["∩", "∖"] where take(.sign(Character(sign))) {
            return .relation(sign, first, try choice())
        }
        return first
    }

    /// A sum, or two with `\choose` or `\over` between them.
    private mutating func choice() throws(NotMathematics) -> Expression {
        let first = try ratio()
        if take(.command("choose")) { return .function(.binomial, [first, try sum()]) }
        if take(.command("over")) { return .quotient(first, try sum()) }
        return first
    }

    /// Terms between colons: two are a quotient, more a ratio.
    mutating func ratio() throws(NotMathematics) -> Expression {
        var terms = [try sum()]
        while current == .sign(":") {
            position += 1
            terms.append(try sum())
        }
        switch terms.count {
        case 1: return terms[0]
        case 2: return .quotient(terms[0], terms[1])
        default: return .group(open: ":", terms, close: ":")
        }
    }

    private mutating func sum() throws(NotMathematics) -> Expression {
        if case .word? = current { return try afterWords() }
        var terms = [try product()]
        while let next = current {
            if next == .sign("+") {
                position += 1
                terms.append(try product())
            } else if next == .sign("-") {
                position += 1
                terms.append(try product().negated)
            } else if next == .command("pm") || next == .command("mp") {
                terms.append(try product())  // the sign is read with its term
            } else {
                break
            }
        }
        return try suffix(of: terms.count == 1 ? terms[0] : Self.sum(terms))
    }

    /// The sum; a unit that its numbers share stands behind all of it, and so does a degree sign
    /// that one of them has: `20^\circ - x`.
    private static func sum(_ terms: [Expression]) -> Expression {
        let units = terms.compactMap { term -> Unit? in
            if case .measured(_, let unit) = term { unit } else { nil }
        }
        guard let unit = units.first, units.allSatisfy({ $0 == unit }),
            unit == .degree || units.count == terms.count
        else { return .sum(terms) }
        return .measured(
            .sum(terms.map { if case .measured(let value, _) = $0 { value } else { $0 } }),
            unit
        )
    }

    mutating func product() throws(NotMathematics) -> Expression {
        var factors = [try unary()]
        while let next = current {
            if next == .sign("*") {
                position += 1
                factors.append(try unary())
            } else if next == .command("bmod") {
                position += 1
                factors = [.function(.mod, [.product(factors), try unary()])]
            } else if next == .sign("/") {
                guard !startsUnitAfterSlash else { break }
                position += 1
                factors.append(.inverse(try unary()))
            } else if startsFactor(next) {
                // Two numbers side by side are no product.
                if case .number(let literal) = next, case .number? = peek(-1) {
                    guard case .power? = factors.last, literal.spaceBefore else {
                        throw NotMathematics()
                    }
                }
                factors.append(try power())
            } else {
                break
            }
        }
        return factors.count == 1 ? factors[0] : Self.product(factors)
    }

    /// The product, with a unit of its last factor moved outside: `3 * 5 cm`, `\frac12 30^\circ`.
    private static func product(_ factors: [Expression]) -> Expression {
        if factors.count == 2, case .number(let value, let places?) = factors[0],
            case .power(.number(let ten, _), .number(let exponent, _)) = factors[1],
            ten.integer == 10, let zeros = exponent.integer, abs(zeros) < 400,
            (6..<9999).contains(places),
            let scale = Rational(10).power(zeros, budget: WorkBudget()),
            let scaled = value.multiplied(by: scale, budget: WorkBudget())
        {
            return .number(scaled, places: places - zeros)
        }
        if let place = factors.firstIndex(where: \.isDegrees),
            factors.count(where: \.isDegrees) == 1,
            case .measured(let value, _) = factors[place]
        {
            var plain = factors
            plain[place] = value
            return .measured(.product(plain), .degree)
        }
        // Half of 20% is no number of percent alone: it may be written as a part.
        guard case .measured(let value, let unit)? = factors.last, unit != .percent else {
            return .product(factors)
        }
        return .measured(.product(factors.dropLast() + [value]), unit)
    }

    private mutating func unary() throws(NotMathematics) -> Expression {
        if take(.sign("-")) {
            return try nested { p throws(NotMathematics) in try p.unary().negated }
        }
        if take(.sign("+")) { return try nested { p throws(NotMathematics) in try p.unary() } }
        if take(.command("pm")) {
            return .plusMinus(try nested { p throws(NotMathematics) in try p.product() })
        }
        if take(.command("mp")) {
            return .plusMinus(try nested { p throws(NotMathematics) in try p.product() }).negated
        }
        return try power()
    }

    /// A primary with its signs behind and its exponent.
    mutating func power() throws(NotMathematics) -> Expression {
        let base = try postfix(of: try primary())
        guard take(.sign("^")) else { return base }
        if takeDegreeSign() { return .measured(base, degreeUnit()) }
        if base.isVector, let transposed = transposed(base) { return transposed }
        let exponent = try nested { p throws(NotMathematics) in
            p.current == .sign("-") || p.current == .sign("+") ? try p.unary() : try p.power()
        }
        // A currency stays outside: \$2^3.
        if case .measured(let value, let unit) = base {
            return .measured(.power(value, exponent), unit)
        }
        return .power(base, exponent)
    }

    private mutating func postfix(of primary: Expression) throws(NotMathematics) -> Expression {
        var result = primary
        var count = 0
        while let next = current {
            switch next {
            case .sign("!"): result = .function(.factorial, [result])
            case .sign("%"): result = .measured(result, .percent)
            case .sign("°"): result = .measured(result, .degree)
            case .currency(let unit) where endsAfterCurrency:
                result = .measured(result, .named(unit))
            case .sign("_"):
                position += 1
                result = .measured(result, .base(Self.baseName(try subscriptText())))
                position -= 1
            default: return result
            }
            position += 1
            count += 1
            if count > 2 { throw NotMathematics() }
            if case .measured(let value, .degree) = result, let unit = temperature() {
                result = .measured(value, unit)
            }
        }
        return result
    }

    /// Whether a currency sign stands behind its number, as in "5 €".
    private var endsAfterCurrency: Bool {
        switch peek(1) {
        case nil, .text?, .word?, .sign(",")?, .sign(")")?, .sign("}")?: true
        default: false
        }
    }
}
