/// Operators over a range or of several arguments: sums, integrals, limits, determinants, gcd.
extension Parser {
    /// `\sum_{k=1}^n`, `\lim_{x \to 2}`, `\int_0^1`, `\det A`, with the product behind as the body.
    mutating func operation(_ name: String) throws(NotMathematics) -> Expression {
        var (low, high): (Expression?, Expression?) = (nil, nil)
        while low == nil || high == nil {
            if low == nil, take(.sign("_")) {
                low = try bound()
            } else if high == nil, take(.sign("^")) {
                high = try bound()
            } else {
                break
            }
        }
        let body = try nested { p throws(NotMathematics) in try p.product() }
        let none = Expression.symbol("")
        if name == "sum" || name == "prod",
            case .relation("=", .symbol(let variable), let first)? = low
        {
            return .opaque(name, [.symbol(variable), first, high ?? none, body])
        }
        return .opaque(name, [low ?? none, high ?? none, body])
    }

    /// What stands below or above an operator: mathematics, or else its tokens as a name.
    private mutating func bound() throws(NotMathematics) -> Expression {
        guard current == .sign("{") else {
            return try nested { p throws(NotMathematics) in
                p.take(.sign("-")) ? try p.primary().negated : try p.primary()
            }
        }
        let start = position
        if let inside = try? nested({ p throws(NotMathematics) in try p.primary() }) {
            return inside
        }
        position = start
        var depth = 0
        var name = ""
        while let token = current, name.utf8.count < 256, budget.spend(1) {
            if token == .sign("{") { depth += 1 }
            if token == .sign("}") { depth -= 1 }
            position += 1
            name += "\(token)"
            if depth == 0 { return .symbol(name) }
        }
        throw NotMathematics()
    }

    /// `\gcd(8, 12)`, `\max(a, b)`.
    mutating func several(_ name: String) throws(NotMathematics) -> Expression {
        guard let function = Expression.Function(rawValue: name), take(.sign("(")) else {
            throw NotMathematics()
        }
        let arguments = try nested { p throws(NotMathematics) in try p.elements() }
        try expect(.sign(")"))
        guard (1...16).contains(arguments.count) else { throw NotMathematics() }
        return .function(function, arguments)
    }

    // MARK: - Counting

    /// `C(n, k)` and `P(n, k)`; nil, without a step, where no two arguments follow.
    mutating func counted(_ name: String) throws(NotMathematics) -> Expression? {
        let start = position
        guard take(.sign("(")),
            let arguments = try? nested({ p throws(NotMathematics) in try p.elements() }),
            arguments.count == 2, take(.sign(")")), arguments.allSatisfy(\.isCount)
        else {
            position = start
            return nil
        }
        return Self.count(name, arguments[0], arguments[1])
    }

    /// `_8C_2` and `^8C_2`, of which the first sign has been read.
    mutating func choiceCount() throws(NotMathematics) -> Expression {
        let n = try nested { p throws(NotMathematics) in try p.primary() }
        guard case .symbol(let name)? = current, name == "C" || name == "P" else {
            throw NotMathematics()
        }
        position += 1
        guard take(.sign("_")) else { throw NotMathematics() }
        let k = try nested { p throws(NotMathematics) in try p.primary() }
        return Self.count(name, n, k)
    }

    private static func count(_ name: String, _ n: Expression, _ k: Expression) -> Expression {
        if name == "C" { return .function(.binomial, [n, k]) }
        return .quotient(.function(.factorial, [n]), .function(.factorial, [.sum([n, k.negated])]))
    }

    // MARK: - Determinants and transposes

    /// The determinant of a square matrix of up to four rows, written out.
    func determinant(_ rows: [[Expression]]) throws(NotMathematics) -> Expression {
        guard (1...4).contains(rows.count), rows.allSatisfy({ $0.count == rows.count }) else {
            throw NotMathematics()
        }
        return Self.expanded(rows)
    }

    /// By the first row: at most four levels deep.
    private static func expanded(_ rows: [[Expression]]) -> Expression {
        guard rows.count > 1 else { return rows[0][0] }
        return .sum(
            rows[0].indices.map { column in
                let minor = rows.dropFirst().map { row in
                    row.enumerated().filter { $0.offset != column }.map(\.element)
                }
                let term = Expression.product([rows[0][column], expanded(minor)])
                return column % 2 == 0 ? term : term.negated
            }
        )
    }

    /// A point or matrix with the `T` behind its `^` read; nil, without a step, where none follows.
    mutating func transposed(_ vector: Expression) -> Expression? {
        let marks: [Token] = [
            .symbol("T"), .text("T"), .symbol("t"), .symbol("\\top"), .symbol("\\intercal"),
        ]
        if let next = current, marks.contains(next) {
            position += 1
        } else if current == .sign("{"), let next = peek(1), marks.contains(next),
            peek(2) == .sign("}")
        {
            position += 3
        } else {
            return nil
        }
        // "[1, 2]^T" is no interval.
        if case .group("[", let items, "]") = vector { return .matrix(items.map { [$0] }) }
        guard case .matrix(let rows) = vector else { return vector }
        guard let columns = rows.first?.count, rows.allSatisfy({ $0.count == columns }) else {
            return vector
        }
        return .matrix((0..<columns).map { column in rows.map { $0[column] } })
    }
}

extension Expression {
    /// Whether this may be one of the numbers of a count: no name in capitals, no relation.
    fileprivate var isCount: Bool {
        !contains {
            if case .symbol(let name) = $0 { return name.first?.isUppercase ?? false }
            if case .relation = $0 { return true }
            return false
        }
    }

    /// Whether this is a point in brackets or a matrix.
    var isVector: Bool {
        switch self {
        case .group(let open, _, _): open == "(" || open == "["
        case .matrix: true
        default: false
        }
    }
}
