/// What an answer says, as a tree: the parser's result and what comparison works on.
///
/// Sums and products are flat lists, so the tree is no deeper than the brackets of the answer.
/// A difference is a sum with negated terms, a quotient a product with an inverse.
indirect enum Expression: Equatable, Sendable {
    /// An exact number. `places` is the count of decimals of a literal long enough to stand for
    /// a rounded value (see `Comparison`), otherwise `nil`.
    case number(Rational, places: Int?)
    /// A variable or a named constant without a value here, such as infinity.
    case symbol(String)
    case constant(Constant)
    case sum([Expression])
    case product([Expression])
    case inverse(Expression)
    case power(Expression, Expression)
    case function(Function, [Expression])
    /// A value with a unit or a label behind it.
    case measured(Expression, Unit)
    /// Both signs of a term; only until `signChoices` has written them out.
    case plusMinus(Expression)
    /// Elements in brackets: point, interval, array, or set (`{`).
    case group(open: Character, [Expression], close: Character)
    /// Elements without brackets; their order does not matter.
    case list([Expression])
    case union([Expression])
    case matrix([[Expression]])
    /// `left sign right`, such as an equation.
    case relation(String, Expression, Expression)

    /// A constant with a value.
    enum Constant: Sendable { case pi, e }

    /// A function with a value, of one argument unless noted.
    enum Function: String, Sendable {
        case sin, cos, tan, csc, sec, cot, arcsin, arccos, arctan, sinh, cosh, tanh
        case exp, ln, abs, floor, ceil, factorial
        /// Base 10.
        case lg
        /// Of base and argument.
        case log
        /// Of two whole numbers.
        case binomial
    }

    /// Whether this is a numeral, perhaps with a sign or a unit.
    var isNumeral: Bool {
        switch self {
        case .number: true
        case .measured(let value, _): value.isNumeral
        default: false
        }
    }

    static func integer(_ value: Int) -> Expression { .number(Rational(value), places: nil) }

    /// `-self`; a literal stays a literal and a unit stays outside.
    var negated: Expression {
        switch self {
        case .number(let value, let places): .number(value.negated, places: places)
        case .measured(let value, let unit): .measured(value.negated, unit)
        default: .product([.integer(-1), self])
        }
    }

    static func quotient(_ a: Expression, _ b: Expression) -> Expression {
        .product([a, .inverse(b)])
    }

    static func squareRoot(_ a: Expression) -> Expression {
        .power(a, .quotient(.integer(1), .integer(2)))
    }

    /// The expressions directly below this one.
    var children: [Expression] {
        switch self {
        case .number, .symbol, .constant: []
        case .inverse(let a), .measured(let a, _), .plusMinus(let a): [a]
        case .power(let a, let b), .relation(_, let a, let b): [a, b]
        case .sum(let list), .product(let list), .function(_, let list), .list(let list),
            .union(let list), .group(_, let list, _):
            list
        case .matrix(let rows): rows.flatMap(\.self)
        }
    }

    /// The names of all variables.
    var symbols: Set<String> {
        if case .symbol(let name) = self { return [name] }
        return children.reduce(into: []) { $0.formUnion($1.symbols) }
    }

    /// Whether a plus-minus sign occurs.
    var hasPlusMinus: Bool {
        if case .plusMinus = self { return true }
        return children.contains(where: \.hasPlusMinus)
    }

    /// The expression with every plus-minus read as plus (or as minus).
    func choosing(minus: Bool) -> Expression {
        func all(_ list: [Expression]) -> [Expression] { list.map { $0.choosing(minus: minus) } }
        switch self {
        case .plusMinus(let a):
            let chosen = a.choosing(minus: minus)
            return minus ? chosen.negated : chosen
        case .number, .symbol, .constant: return self
        case .inverse(let a): return .inverse(a.choosing(minus: minus))
        case .measured(let a, let unit): return .measured(a.choosing(minus: minus), unit)
        case .power(let a, let b): return .power(all([a])[0], all([b])[0])
        case .relation(let sign, let a, let b): return .relation(sign, all([a])[0], all([b])[0])
        case .sum(let list): return .sum(all(list))
        case .product(let list): return .product(all(list))
        case .function(let f, let list): return .function(f, all(list))
        case .list(let list): return .list(all(list))
        case .union(let list): return .union(all(list))
        case .group(let open, let list, let close):
            return .group(open: open, all(list), close: close)
        case .matrix(let rows): return .matrix(rows.map(all))
        }
    }

    /// The expression with a plus-minus written out as a list of both values.
    var signChoices: Expression {
        func writtenOut(_ elements: [Expression]) -> [Expression] {
            elements.flatMap { element -> [Expression] in
                if case .list(let both) = element.signChoices { return both }
                return [element]
            }
        }
        if case .list(let elements) = self { return .list(writtenOut(elements)) }
        if case .group("{", let elements, let close) = self {
            return .group(open: "{", writtenOut(elements), close: close)
        }
        return hasPlusMinus ? .list([choosing(minus: false), choosing(minus: true)]) : self
    }
}
