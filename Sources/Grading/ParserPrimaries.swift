/// The innermost part of the grammar: numbers, letters, brackets, fractions, roots, functions.
extension Parser {
    /// Whether `token` begins a factor that may follow another without a sign.
    func startsFactor(_ token: Token) -> Bool {
        switch token {
        case .number, .symbol, .begin: true
        case .sign(let sign):
            sign == "(" || sign == "[" || sign == "{" || sign == "|" && openBars == 0
        case .command(let name):
            ![
                "pm", "circ", "rbrace", "rfloor", "rceil", "lbrace", "choose", "over", "mp", "bmod",
            ].contains(name)
        case .text(let word): word.count == 1 && !Unit.isUnit(word.lowercased())
        case .word, .currency, .end, .newRow, .layout: false
        }
    }

    /// One number, letter, bracket, fraction, root or function.
    mutating func primary() throws(NotMathematics) -> Expression {
        guard let token = current, budget.spend(1) else { throw NotMathematics() }
        position += 1
        switch token {
        case .number(let literal): return try number(literal)
        case .symbol(let name): return try symbol(name)
        case .text(let word) where word.count == 1: return try symbol(word)
        case .currency(let unit):
            let value = try nested { p throws(NotMathematics) in try p.power() }
            return .measured(value, .named(unit))
        case .begin(let name): return try matrix(name)
        case .command(let name): return try command(name)
        case .sign("("), .sign("["), .sign("{"): return try bracket(token)
        case .sign("_"), .sign("^"): return try choiceCount()
        case .sign("|"):
            openBars += 1
            let inner = try nested { p throws(NotMathematics) in try p.elements() }
            openBars -= 1
            try expect(.sign("|"))
            guard inner.count == 1 else { throw NotMathematics() }
            return .function(.abs, inner)
        case .sign("‖"):
            let inner = try nested { p throws(NotMathematics) in try p.elements() }
            try expect(.sign("‖"))
            return .opaque("norm", inner)
        // "P(even)"
        case .text(let word) where peek(-2) == .sign("(") && current == .sign(")"),
            .word(let word) where peek(-2) == .sign("(") && current == .sign(")"):
            return .symbol("\\text{\(word)}")
        default: throw NotMathematics()
        }
    }

    // MARK: - Numbers and letters

    /// A literal, or a mixed number: `3 1/2`, `3\frac{1}{2}`.
    private mutating func number(_ literal: NumberLiteral) throws(NotMathematics) -> Expression {
        if literal.isCutOff, let literal = literal.continued {
            guard let value = literal.value(budget: budget) else { throw NotMathematics() }
            return .number(value, places: Expression.endless)
        }
        guard let value = literal.value(budget: budget) else { throw NotMathematics() }
        if literal.isCutOff { return .cutOff(value, places: literal.decimals) }
        let whole = Expression.number(value, places: literal.roundingPlaces)
        guard literal.isInteger else { return whole }
        if case .number(let top)? = current, top.spaceBefore, top.isInteger,
            peek(1) == .sign("/"), case .number(let bottom)? = peek(2), bottom.isInteger,
            let a = top.value(budget: budget), let b = bottom.value(budget: budget), a < b
        {
            position += 3
            return .sum([whole, .quotient(.number(a, places: nil), .number(b, places: nil))])
        }
        if current == .command("frac") {
            // `\frac32` takes its number apart.
            let (start, all) = (position, tokens)
            position += 1
            let fraction = try command("frac")
            if case .product(let parts) = fraction, parts.count == 2,
                case .number(let a, _) = parts[0], case .inverse(.number(let b, _)) = parts[1],
                !a.isNegative, !b.isNegative, a.denominator == .one, b.denominator == .one, a < b
            {
                return .sum([whole, fraction])
            }
            (position, tokens) = (start, all)
        }
        return whole
    }

    private static let functionNames: Set<String> = ["f", "g", "h", "F", "G", "f'", "g'"]

    private mutating func symbol(_ name: String) throws(NotMathematics) -> Expression {
        if take(.sign("_")) { return .symbol(name + "_" + (try subscriptText())) }
        if Self.functionNames.contains(name), current == .sign("("), peek(2) == .sign("("),
            case .symbol(let inner)? = peek(1), Self.functionNames.contains(inner)
        {
            // "f(g(x))": the order of the names counts.
            let argument = try nested { p throws(NotMathematics) in try p.primary() }
            return .opaque("function \(name)", [argument])
        }
        if name == "C" || name == "P", current == .sign("("), let counted = try counted(name) {
            return counted
        }
        // A function's value at a number, such as f(0), is a name and no product.
        if current == .sign("("), case .number(let literal)? = peek(1), peek(2) == .sign(")") {
            position += 3
            return .symbol("\(name)(\(String(decoding: literal.digits, as: UTF8.self)))")
        }
        return name == "e" ? .constant(.e) : .symbol(name)
    }

    /// What stands behind a `_`, as text.
    mutating func subscriptText() throws(NotMathematics) -> String {
        let braced = take(.sign("{"))
        var text = ""
        var opened = false
        if braced, take(.sign("(")) { opened = true }
        repeat {
            if opened, take(.sign(")")) { break }
            switch current {
            case .number(let literal): text += String(decoding: literal.digits, as: UTF8.self)
            case .word("base"), .text("base"): break
            case .command(let name): text += name
            case .symbol(let name), .text(let name), .word(let name): text += name
            case .sign(",") where braced: text += ","
            default: throw NotMathematics()
            }
            position += 1
        } while braced && current != .sign("}")
        if braced { position += 1 }
        return text
    }

    // MARK: - Brackets

    /// The rest of a bracket: one element is that element, several are a point, interval or set.
    private mutating func bracket(_ open: Token) throws(NotMathematics) -> Expression {
        let elements = try nested { p throws(NotMathematics) in try p.elements() }
        let isBrace = open == .sign("{")
        guard let first = elements.first, let close = current else { throw NotMathematics() }
        if isBrace {
            try expect(.sign("}"))
        } else {
            guard take(.sign(")")) || take(.sign("]")) else { throw NotMathematics() }
        }
        if elements.count == 1 { return first }
        if isBrace { return .list(elements) }  // TeX's braces do not show
        guard case .sign(let opening) = open, case .sign(let closing) = close else {
            throw NotMathematics()
        }
        return .group(open: opening, elements, close: closing)
    }

    /// `\begin{pmatrix} a & b \\ c & d \end{pmatrix}`, of any kind of bracket.
    private mutating func matrix(_ name: String) throws(NotMathematics) -> Expression {
        guard
            ["matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array", "vmatrix", "cases"]
                .contains(name)
        else {
            throw NotMathematics()
        }
        var rows: [[Expression]] = [[]]
        while !take(.end(name)) {
            if take(.newRow) {
                rows.append([])
            } else if !take(.sign("&")) {
                let parts = try nested { p throws(NotMathematics) in try p.elements() }
                guard let first = parts.first else { throw NotMathematics() }
                // Beside a value in a definition by cases, several conditions are one.
                let isCondition =
                    name == "cases" && parts.count > 1 && !rows[rows.count - 1].isEmpty
                rows[rows.count - 1].append(
                    isCondition ? .group(open: "∧", parts, close: "∧") : first
                )
            }
        }
        if rows.last?.isEmpty == true { rows.removeLast() }
        if name == "vmatrix" { return try determinant(rows) }
        if name == "cases" {
            // Equations one below the other; with conditions beside them they stay as they are.
            guard rows.allSatisfy({ $0.count == 1 }) else { return Piecewise.expression(rows) }
            return rows.count == 1 ? rows[0][0] : .list(rows.map { $0[0] })
        }
        return .matrix(rows)
    }

    // MARK: - Commands

    private mutating func command(_ name: String) throws(NotMathematics) -> Expression {
        switch name {
        case "pi": return .constant(.pi)
        case "frac":
            let (top, bottom) = (try argument(), try argument())
            // The unit of degrees stands behind the whole fraction.
            if case .measured(let value, .degree) = top, !bottom.isDegrees {
                return .measured(.quotient(value, bottom), .degree)
            }
            return .quotient(top, bottom)
        case "binom":
            return .function(.binomial, [try argument(), try argument()])
        case "sqrt": return try root()
        case "lbrace":
            return try set()
        case "cis":
            let angle = try nested { p throws(NotMathematics) in try p.functionArgument() }
            return .power(.constant(.e), .product([.symbol("i"), angle]))
        case "lfloor", "lceil":
            let inner = try nested { p throws(NotMathematics) in try p.elements() }
            try expect(.command(name == "lfloor" ? "rfloor" : "rceil"))
            guard inner.count == 1 else { throw NotMathematics() }
            return .function(name == "lfloor" ? .floor : .ceil, inner)
        case "gcd", "lcm": return try several(name)
        case "max" where current == .sign("("), "min" where current == .sign("("):
            return try several(name)
        case "det":
            if case .begin? = current, case .matrix(let rows) = try primary() {
                return try determinant(rows)
            }
            return try operation(name)
        case "sum", "prod", "int", "iint", "oint", "lim", "Pr", "inf", "sup", "sgn", "Re", "Im",
            "arg",
            "deg", "ker", "dim", "hom", "Tr", "Var", "max", "min":
            return try operation(name)
        default:
            guard let function = Expression.Function(rawValue: name) else { throw NotMathematics() }
            return try call(function)
        }
    }

    /// The argument of `\frac`: a braced group, or one token, of which a number gives one digit.
    private mutating func argument() throws(NotMathematics) -> Expression {
        if case .number(var literal)? = current, literal.isInteger, literal.digits.count > 1 {
            let digit = NumberLiteral(digits: [literal.digits.removeFirst()])
            tokens[position] = .number(literal)
            guard let value = digit.value(budget: budget) else { throw NotMathematics() }
            return .number(value, places: nil)
        }
        if case .number(let literal)? = current, let value = literal.value(budget: budget) {
            position += 1
            return .number(value, places: nil)
        }
        return try nested { p throws(NotMathematics) in try p.primary() }
    }

    /// `\sqrt{x}`, `\sqrt[n]{x}`, `\sqrt2`, `sqrt(x)`.
    private mutating func root() throws(NotMathematics) -> Expression {
        var degree = Expression.integer(2)
        if current == .sign("["), let close = tokens[position...].firstIndex(of: .sign("]")),
            close + 1 < tokens.count, startsFactor(tokens[close + 1])
        {
            degree = try nested { p throws(NotMathematics) in try p.primary() }
        }
        let inner = try nested { p throws(NotMathematics) in try p.primary() }
        return .power(inner, .quotient(.integer(1), degree))
    }

    /// A function's exponent, base and argument: `\sin^2 x`, `\log_2 8`, `\tan \frac{x}{2}`.
    private mutating func call(_ function: Expression.Function) throws(NotMathematics) -> Expression
    {
        var base: Expression?
        var exponent: Expression?
        while exponent == nil, current == .sign("^") || base == nil && current == .sign("_") {
            let isBase = take(.sign("_"))
            if !isBase { position += 1 }
            let value = try nested { p throws(NotMathematics) in try p.unaryArgument() }
            if isBase { base = value } else { exponent = value }
        }
        let argument = try nested { p throws(NotMathematics) in try p.functionArgument() }
        if base != nil, function != .ln { throw NotMathematics() }
        let value: (Expression.Function) -> Expression = { function in
            base.map { .function(.log, [$0, argument]) } ?? .function(function, [argument])
        }
        guard let exponent else { return value(function) }
        if exponent == .integer(-1), let inverse = Self.inverses[function] { return value(inverse) }
        return .power(value(function), exponent)
    }

    private static let inverses: [Expression.Function: Expression.Function] = [
        .sin: .arcsin, .cos: .arccos, .tan: .arctan,
    ]

    private mutating func unaryArgument() throws(NotMathematics) -> Expression {
        take(.sign("-")) ? try primary().negated : try primary()
    }

    /// A bracket, or factors side by side up to the next sign or function.
    private mutating func functionArgument() throws(NotMathematics) -> Expression {
        if current == .sign("(") || current == .sign("{") { return try primary() }
        var factors = [take(.sign("-")) ? try power().negated : try power()]
        while let next = current, startsFactor(next), next != .sign("(") {
            if case .command(let name) = next, Expression.Function(rawValue: name) != nil { break }
            factors.append(try power())
        }
        return factors.count == 1 ? factors[0] : .product(factors)
    }
}
