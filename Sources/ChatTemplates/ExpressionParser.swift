import Basics

/// Reads expressions and statements from tokens.
struct TemplateParser {
    let tokens: [Token]
    var position = 0
    /// How many expressions and statements are open.
    var depth = 0

    /// How deep a template may nest what it says.
    static let deepest = 100

    init(_ tokens: [Token]) { self.tokens = tokens }

    var current: Token { tokens[min(position, tokens.count - 1)] }
    var line: Int { current.line }

    func failure(_ message: String, line: Int? = nil) -> Failure {
        Failure(.badData, at: "line \(line ?? self.line)", message)
    }

    mutating func next() -> Token {
        defer { position += 1 }
        return current
    }

    func isName(_ name: String) -> Bool { current.kind == .name(name) }
    func isMark(_ mark: String) -> Bool { current.kind == .mark(mark) }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        position += 1
        return true
    }

    mutating func skip(mark: String) -> Bool {
        guard isMark(mark) else { return false }
        position += 1
        return true
    }

    mutating func expect(mark: String) throws {
        guard skip(mark: mark) else {
            throw failure("found \(current.description); expected '\(mark)'")
        }
    }

    mutating func expectName() throws -> String {
        guard case .name(let name) = current.kind else {
            throw failure("found \(current.description); expected a name")
        }
        position += 1
        return name
    }

    /// Runs `body` one level deeper.
    mutating func nested<T>(_ body: (inout Self) throws -> T) throws -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw tooDeep() }
        return try body(&self)
    }

    private func tooDeep() -> Failure { failure("nested deeper than \(Self.deepest)") }

    /// An expression over others.
    private func node(_ kind: Expression.Kind, line: Int, over inner: [Expression?] = []) throws
        -> Expression
    {
        let depth = 1 + (inner.compactMap { $0?.depth }.max() ?? 0)
        guard depth <= Self.deepest else { throw tooDeep() }
        return Expression(kind, line: line, depth: depth)
    }
}

// From the loosest operators to the tightest.
extension TemplateParser {
    /// An expression with `if` and `else` in it.
    mutating func expression() throws -> Expression {
        try nested { parser in
            var expression = try parser.disjunction()
            while parser.isName("if") {
                let line = parser.next().line
                let condition = try parser.disjunction()
                let otherwise = parser.skip(name: "else") ? try parser.expression() : nil
                expression = try parser.node(
                    .choice(condition: condition, then: expression, otherwise: otherwise),
                    line: line,
                    over: [condition, expression, otherwise]
                )
            }
            return expression
        }
    }

    /// An expression, or several with commas between, which make a tuple; `choices` says whether
    /// `if` belongs to an expression here.
    mutating func tuple(choices: Bool = true) throws -> Expression {
        let line = line
        func one(_ parser: inout Self) throws -> Expression {
            choices ? try parser.expression() : try parser.nested { try $0.disjunction() }
        }
        let first = try one(&self)
        guard isMark(",") else { return first }
        var items = [first]
        while skip(mark: ",") {
            switch current.kind {
            case .variableEnd, .blockEnd, .mark(")"): break
            default:
                items.append(try one(&self))
                continue
            }
            break
        }
        return try node(.list(items, isTuple: true), line: line, over: items)
    }

    mutating func disjunction() throws -> Expression {
        var left = try conjunction()
        while isName("or") {
            let line = next().line
            let right = try conjunction()
            left = try node(.binary("or", left, right), line: line, over: [left, right])
        }
        return left
    }

    private mutating func conjunction() throws -> Expression {
        var left = try negation()
        while isName("and") {
            let line = next().line
            let right = try negation()
            left = try node(.binary("and", left, right), line: line, over: [left, right])
        }
        return left
    }

    private mutating func negation() throws -> Expression {
        guard isName("not") else { return try comparison() }
        let line = next().line
        let operand = try nested { try $0.negation() }
        return try node(.unary("not", operand), line: line, over: [operand])
    }

    private mutating func comparison() throws -> Expression {
        let line = line
        let first = try arithmetic(level: 0)
        var rest: [(mark: String, operand: Expression)] = []
        while let comparison = comparisonOperator() {
            rest.append((comparison, try arithmetic(level: 0)))
        }
        guard !rest.isEmpty else { return first }
        return try node(.compare(first, rest), line: line, over: [first] + rest.map(\.operand))
    }

    private mutating func comparisonOperator() -> String? {
        if skip(name: "in") { return "in" }
        if isName("not"), position + 1 < tokens.count, tokens[position + 1].kind == .name("in") {
            position += 2
            return "not in"
        }
        guard case .mark(let mark) = current.kind,
            ["==", "!=", "<", "<=", ">", ">="].contains(mark)
        else { return nil }
        position += 1
        return mark
    }

    /// The operators between two operands, the loosest first.
    private static let levels = [["+", "-"], ["~"], ["*", "/", "//", "%"], ["**"]]

    private mutating func arithmetic(level: Int) throws -> Expression {
        guard level < Self.levels.count else { return try unary() }
        var left = try arithmetic(level: level + 1)
        var pieces = [left]
        while case .mark(let mark) = current.kind, Self.levels[level].contains(mark) {
            let line = next().line
            let right = try arithmetic(level: level + 1)
            guard mark != "~" else {
                pieces.append(right)
                continue
            }
            left = try node(.binary(mark, left, right), line: line, over: [left, right])
        }
        guard pieces.count > 1 else { return left }
        return try node(.concatenation(pieces), line: pieces[0].line, over: pieces)
    }

    private mutating func unary(filters: Bool = true) throws -> Expression {
        var expression: Expression
        if case .mark(let sign) = current.kind, sign == "-" || sign == "+" {
            let line = next().line
            let operand = try nested { try $0.unary(filters: false) }
            expression = try node(.unary(sign, operand), line: line, over: [operand])
        } else {
            expression = try primary()
        }
        expression = try postfix(expression)
        guard filters else { return expression }
        while true {
            if isMark("|") {
                position += 1
                expression = try filter(of: expression)
            } else if isName("is") {
                expression = try test(of: expression)
            } else if isMark("(") {
                expression = try call(expression)
            } else {
                return expression
            }
        }
    }
}

// Operands.
extension TemplateParser {
    mutating func primary() throws -> Expression {
        let token = next()
        func constant(_ value: TemplateValue) throws -> Expression {
            try node(.constant(value), line: token.line)
        }
        switch token.kind {
        case .name("true"), .name("True"): return try constant(.bool(true))
        case .name("false"), .name("False"): return try constant(.bool(false))
        case .name("none"), .name("None"): return try constant(.null)
        case .name(let name): return try node(.name(name), line: token.line)
        case .integer(let value): return try constant(.integer(value))
        case .number(let value): return try constant(.number(value))
        case .string(var text):
            // Strings side by side are one.
            while case .string(let more) = current.kind {
                text += more
                position += 1
            }
            return try constant(.text(TemplateText(text)))
        case .mark("("):
            if skip(mark: ")") { return try node(.list([], isTuple: true), line: token.line) }
            let inner = try tuple()
            try expect(mark: ")")
            return inner
        case .mark("["):
            let items = try items(endedBy: "]") { try $0.expression() }
            return try node(.list(items, isTuple: false), line: token.line, over: items)
        case .mark("{"):
            let entries = try items(endedBy: "}") { parser in
                let key = try parser.expression()
                try parser.expect(mark: ":")
                return (key: key, value: try parser.expression())
            }
            let inner = entries.flatMap { [$0.key, $0.value] }
            return try node(.map(entries), line: token.line, over: inner)
        default: throw failure("unexpected \(token.description)", line: token.line)
        }
    }

    /// What stands between commas, up to a closing mark; a comma may stand before that.
    private mutating func items<T>(endedBy end: String, _ item: (inout Self) throws -> T) throws
        -> [T]
    {
        var items: [T] = []
        while !skip(mark: end) {
            if !items.isEmpty {
                try expect(mark: ",")
                if skip(mark: end) { break }
            }
            items.append(try item(&self))
        }
        return items
    }

    private mutating func postfix(_ expression: Expression) throws -> Expression {
        var expression = expression
        while true {
            let line = line
            if skip(mark: ".") {
                if case .integer(let index) = current.kind {
                    position += 1
                    let index = try node(.constant(.integer(index)), line: line)
                    expression = try node(.item(expression, index), line: line, over: [expression])
                } else {
                    let name = try expectName()
                    expression = try node(
                        .attribute(expression, name),
                        line: line,
                        over: [expression]
                    )
                }
            } else if skip(mark: "[") {
                expression = try subscripted(expression, line: line)
            } else if isMark("(") {
                expression = try call(expression)
            } else {
                return expression
            }
        }
    }

    /// What stands in brackets behind an expression: an item, or a slice.
    private mutating func subscripted(_ expression: Expression, line: Int) throws -> Expression {
        var parts: [Expression?] = [nil]
        while !skip(mark: "]") {
            if skip(mark: ":") {
                parts.append(nil)
            } else if parts[parts.count - 1] == nil {
                parts[parts.count - 1] = try self.expression()
            } else {
                throw failure("found \(current.description); expected ']'")
            }
        }
        let inner = [expression] + parts
        switch (parts.count, parts[0]) {
        case (1, let item?):
            return try node(.item(expression, item), line: line, over: inner)
        case (2, _), (3, _):
            let step = parts.count == 3 ? parts[2] : nil
            return try node(
                .slice(expression, from: parts[0], to: parts[1], step: step),
                line: line,
                over: inner
            )
        default: throw failure("brackets that hold no item and no slice", line: line)
        }
    }

    private mutating func call(_ function: Expression) throws -> Expression {
        let line = line
        let arguments = try arguments()
        return try node(.call(function, arguments), line: line, over: [function] + arguments.all)
    }

    mutating func arguments() throws -> Arguments {
        try expect(mark: "(")
        var arguments = Arguments()
        _ = try items(endedBy: ")") { parser in
            if parser.isMark("*") || parser.isMark("**") {
                throw parser.failure("arguments spread by '*' are not supported")
            }
            if case .name(let name) = parser.current.kind,
                parser.position + 1 < parser.tokens.count,
                parser.tokens[parser.position + 1].kind == .mark("=")
            {
                parser.position += 2
                arguments.named.append((name, try parser.expression()))
            } else if arguments.named.isEmpty {
                arguments.positional.append(try parser.expression())
            } else {
                throw parser.failure("an argument without a name behind one that has one")
            }
        }
        return arguments
    }

    /// A filter with its arguments, and those that follow it.
    mutating func filter(of operand: Expression?) throws -> Expression {
        let line = line
        let name = try expectName()
        let arguments = isMark("(") ? try arguments() : Arguments()
        return try node(
            .filter(operand, name, arguments),
            line: line,
            over: [operand] + arguments.all
        )
    }

    private mutating func test(of operand: Expression) throws -> Expression {
        let line = next().line
        let isNegated = skip(name: "not")
        let name = try expectName()
        var arguments = Arguments()
        switch current.kind {
        case .mark("("): arguments = try self.arguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw failure("a test behind a test")
        case .name, .string, .integer, .number, .mark("["), .mark("{"):
            let argument = try nested { try $0.primary() }
            arguments.positional = [try postfix(argument)]
        default: break
        }
        let test = try node(
            .test(operand, name, arguments),
            line: line,
            over: [operand] + arguments.all
        )
        return isNegated ? try node(.unary("not", test), line: line, over: [test]) : test
    }
}
