import Basics

extension TemplateParser {
    /// The statements of a whole template.
    ///
    /// - Throws: `Failure.badData` with the line of what cannot be read.
    static func statements(of text: String) throws -> [Statement] {
        var parser = TemplateParser(try TemplateLexer.tokens(of: text))
        let statements = try parser.body(upTo: [])
        guard case .end = parser.current.kind else {
            throw parser.failure("unexpected \(parser.current.description)")
        }
        return statements
    }

    /// Statements up to a tag of one of the given names, of which the name is read next.
    private mutating func body(upTo ends: [String]) throws -> [Statement] {
        try nested { parser in
            var statements: [Statement] = []
            while true {
                let token = parser.current
                switch token.kind {
                case .end:
                    guard ends.isEmpty else {
                        let wanted = ends.map { "'\($0)'" }.joined(separator: " or ")
                        throw parser.failure("the template ends; expected \(wanted)")
                    }
                    return statements
                case .text(let text):
                    parser.position += 1
                    statements.append(Statement(line: token.line, kind: .text(text)))
                case .variableBegin:
                    parser.position += 1
                    let value = try parser.tuple()
                    try parser.expectEnd(of: .variableEnd)
                    statements.append(Statement(line: token.line, kind: .output(value)))
                default:
                    parser.position += 1
                    if case .name(let name) = parser.current.kind, ends.contains(name) {
                        return statements
                    }
                    statements.append(
                        Statement(line: token.line, kind: try parser.statement())
                    )
                }
            }
        }
    }

    private mutating func expectEnd(of kind: Token.Kind = .blockEnd) throws {
        guard current.kind == kind else {
            let wanted = Token(kind: kind, line: line).description
            throw failure("found \(current.description); expected \(wanted)")
        }
        position += 1
    }

    /// The statements of a block, whose first tag ends here, with the tag that closes it.
    private mutating func block(_ end: String) throws -> [Statement] {
        try expectEnd()
        let body = try body(upTo: [end])
        position += 1
        try expectEnd()
        return body
    }

    private mutating func statement() throws -> Statement.Kind {
        let line = line
        let name = try expectName()
        switch name {
        case "if": return try condition()
        case "for": return try loop()
        case "set": return try assignment()
        case "macro": return try macro()
        case "generation": return .generation(try block("endgeneration"))
        case "filter": return .filter(try filters(), body: try block("endfilter"))
        case "with": return try with()
        case "break", "continue":
            try expectEnd()
            return name == "break" ? .break : .continue
        default:
            throw failure("unknown statement '\(name)'", line: line)
        }
    }

    private mutating func condition() throws -> Statement.Kind {
        var branches: [(condition: Expression, body: [Statement])] = []
        while true {
            let condition = try tuple(choices: false)
            try expectEnd()
            branches.append((condition, try body(upTo: ["elif", "else", "endif"])))
            if skip(name: "elif") { continue }
            guard skip(name: "else") else {
                position += 1
                try expectEnd()
                return .condition(branches: branches, otherwise: [])
            }
            return .condition(branches: branches, otherwise: try block("endif"))
        }
    }

    private mutating func loop() throws -> Statement.Kind {
        let target = try target()
        guard skip(name: "in") else {
            throw failure("found \(current.description); expected 'in'")
        }
        let items = try tuple(choices: false)
        let condition = skip(name: "if") ? try expression() : nil
        if isName("recursive") { throw failure("recursive loops are not supported") }
        try expectEnd()
        let body = try body(upTo: ["else", "endfor"])
        var otherwise: [Statement] = []
        if skip(name: "else") {
            otherwise = try block("endfor")
        } else {
            position += 1
            try expectEnd()
        }
        return .loop(
            ForLoop(
                target: target,
                items: items,
                condition: condition,
                body: body,
                otherwise: otherwise
            )
        )
    }

    /// Names with commas between, or an attribute of a namespace.
    private mutating func target() throws -> AssignmentTarget {
        let first = try singleTarget()
        guard isMark(",") else { return first }
        var targets = [first]
        while skip(mark: ",") {
            guard !isName("in"), !isMark("="), !isMark(")") else { break }
            targets.append(try singleTarget())
        }
        return .several(targets)
    }

    private mutating func singleTarget() throws -> AssignmentTarget {
        if skip(mark: "(") {
            let inner = try nested { try $0.target() }
            try expect(mark: ")")
            return inner
        }
        let name = try expectName()
        if skip(mark: ".") { return .attribute(name, try expectName()) }
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
            throw failure("'\(name)' cannot be set")
        }
        return .name(name)
    }

    private mutating func assignment() throws -> Statement.Kind {
        let target = try target()
        if skip(mark: "=") {
            let value = try tuple()
            try expectEnd()
            return .set(target, value)
        }
        let filter = skip(mark: "|") ? try filters() : nil
        return .setBlock(target, filter: filter, body: try block("endset"))
    }

    /// One filter or several, over what is not an expression.
    private mutating func filters() throws -> Expression {
        var filter = try filter(of: nil)
        while skip(mark: "|") { filter = try self.filter(of: filter) }
        return filter
    }

    private mutating func with() throws -> Statement.Kind {
        var values: [(target: AssignmentTarget, value: Expression)] = []
        while case .name = current.kind {
            let target = try singleTarget()
            try expect(mark: "=")
            values.append((target, try expression()))
            if !skip(mark: ",") { break }
        }
        return .with(values, body: try block("endwith"))
    }

    private mutating func macro() throws -> Statement.Kind {
        let name = try expectName()
        try expect(mark: "(")
        var parameters: [(name: String, value: Expression?)] = []
        while !skip(mark: ")") {
            if !parameters.isEmpty { try expect(mark: ",") }
            let parameter = try expectName()
            parameters.append((parameter, skip(mark: "=") ? try expression() : nil))
        }
        let body = try block("endmacro")
        return .macro(MacroDefinition(name: name, parameters: parameters, body: body))
    }
}
