/// What an answer says, as a tree: the parser's result and what comparison works on.
///
/// Sums and products are flat lists, so the tree is no deeper than the brackets of the answer.
/// A difference is a sum with negated terms, a quotient a product with an inverse.
indirect enum Expression: Equatable, Sendable {
    /// An exact number. `places` is the count of decimals of a literal long enough to stand for
    /// a rounded value (see `Comparison`), `endless` for one with a period, otherwise `nil`.
    case number(Rational, places: Int?)
    /// The first digits of a number that goes on in an unknown way, as in `3.14...`.
    case cutOff(Rational, places: Int)
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
    /// An operator or function without a value here, such as an integral: equal arguments give equal
    /// values. `\sum` and `\prod` are worked out where their bounds are numbers.
    case opaque(String, [Expression])
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
        /// Of whole numbers; `mod` of two.
        case gcd, lcm, mod
        case max, min
    }

    /// Whether this is a numeral, perhaps with a sign or a unit.
    var isNumeral: Bool {
        switch self {
        case .number, .cutOff: true
        case .measured(let value, _): value.isNumeral
        default: false
        }
    }

    /// The `places` of a decimal that repeats without end: it is exact, and no decimal that ends
    /// stands for it.
    static let endless = Int.max

    /// The condition that always holds, of the last line of a definition by cases.
    static let otherwise = "\\otherwise"

    /// Whether this is a number of degrees.
    var isDegrees: Bool { if case .measured(_, .degree) = self { true } else { false } }

    static func integer(_ value: Int) -> Expression { .number(Rational(value), places: nil) }

    /// `-self`; a literal stays a literal and a unit stays outside.
    var negated: Expression {
        switch self {
        case .number(let value, let places): .number(value.negated, places: places)
        case .cutOff(let value, let places): .cutOff(value.negated, places: places)
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
        case .number, .symbol, .constant, .cutOff: []
        case .inverse(let a), .measured(let a, _), .plusMinus(let a): [a]
        case .power(let a, let b), .relation(_, let a, let b): [a, b]
        case .sum(let list), .product(let list), .function(_, let list), .list(let list),
            .opaque(_, let list),
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

    /// Whether a part meets a condition.
    func contains(where condition: (Expression) -> Bool) -> Bool {
        condition(self) || children.contains { $0.contains(where: condition) }
    }

    /// Whether a factorial, binomial, remainder or sum occurs that depends on a variable, so that the
    /// variables are whole numbers.
    var isCombinatorial: Bool {
        contains { part in
            switch part {
            case .function(.factorial, let list), .function(.binomial, let list),
                .function(.gcd, let list), .function(.lcm, let list), .function(.mod, let list):
                list.contains { !$0.symbols.isEmpty }
            case .opaque("sum", let list), .opaque("prod", let list):
                list.count == 4 && !list[2].symbols.subtracting(["\\infty"]).isEmpty
            default: false
            }
        }
    }

    /// Whether a plus-minus sign occurs.
    var hasPlusMinus: Bool {
        if case .plusMinus = self { return true }
        return children.contains(where: \.hasPlusMinus)
    }

    /// The expression with every part directly below it changed.
    func mapped(_ change: (Expression) -> Expression) -> Expression {
        switch self {
        case .number, .symbol, .constant, .cutOff: self
        case .plusMinus(let a): .plusMinus(change(a))
        case .inverse(let a): .inverse(change(a))
        case .measured(let a, let unit): .measured(change(a), unit)
        case .power(let a, let b): .power(change(a), change(b))
        case .relation(let sign, let a, let b): .relation(sign, change(a), change(b))
        case .sum(let list): .sum(list.map(change))
        case .product(let list): .product(list.map(change))
        case .function(let f, let list): .function(f, list.map(change))
        case .opaque(let name, let list): .opaque(name, list.map(change))
        case .list(let list): .list(list.map(change))
        case .union(let list): .union(list.map(change))
        case .group(let open, let list, let close):
            .group(open: open, list.map(change), close: close)
        case .matrix(let rows): .matrix(rows.map { $0.map(change) })
        }
    }

    /// The expression with every plus-minus read as plus (or as minus).
    func choosing(minus: Bool) -> Expression {
        if case .plusMinus(let a) = self {
            let chosen = a.choosing(minus: minus)
            return minus ? chosen.negated : chosen
        }
        return mapped { $0.choosing(minus: minus) }
    }

    /// The expression with values put for some of its variables.
    func substituting(_ values: [String: Expression]) -> Expression {
        if case .symbol(let name) = self, let value = values[name] { return value }
        return mapped { $0.substituting(values) }
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
