/// An expression, with the line it begins on.
final class Expression {
    enum Kind {
        case constant(TemplateValue)
        case name(String)
        case list([Expression], isTuple: Bool)
        case map([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, from: Expression?, to: Expression?, step: Expression?)
        case call(Expression, Arguments)
        /// A filter; without an operand, what a filter block or a block of `set` holds.
        case filter(Expression?, String, Arguments)
        case test(Expression, String, Arguments)
        case unary(String, Expression)
        case binary(String, Expression, Expression)
        /// `a < b <= c`
        case compare(Expression, [(mark: String, operand: Expression)])
        case concatenation([Expression])
        case choice(condition: Expression, then: Expression, otherwise: Expression?)
    }

    let line: Int
    let kind: Kind
    /// How deep expressions are nested in this one.
    let depth: Int

    init(_ kind: Kind, line: Int, depth: Int) {
        self.kind = kind
        self.line = line
        self.depth = depth
    }
}

/// What a call, a filter or a test is given.
struct Arguments {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []

    var all: [Expression] { positional + named.map(\.value) }
}

/// What a value is stored in.
enum AssignmentTarget {
    case name(String)
    /// `namespace.attribute`
    case attribute(String, String)
    case several([AssignmentTarget])
}

/// A statement, with the line it begins on.
struct Statement {
    indirect enum Kind {
        case text([UInt32])
        case output(Expression)
        case condition(
            branches: [(condition: Expression, body: [Statement])],
            otherwise: [Statement]
        )
        case loop(ForLoop)
        case set(AssignmentTarget, Expression)
        case setBlock(AssignmentTarget, filter: Expression?, body: [Statement])
        case with([(target: AssignmentTarget, value: Expression)], body: [Statement])
        case filter(Expression, body: [Statement])
        case macro(MacroDefinition)
        /// What the assistant said, where training looks for it; rendered as it stands.
        case generation([Statement])
        case `break`
        case `continue`
    }

    let line: Int
    let kind: Kind
}

struct ForLoop {
    let target: AssignmentTarget
    let items: Expression
    /// Which items the loop is about.
    let condition: Expression?
    let body: [Statement]
    /// What is rendered where there was no item.
    let otherwise: [Statement]
}

final class MacroDefinition {
    let name: String
    let parameters: [(name: String, value: Expression?)]
    let body: [Statement]

    init(name: String, parameters: [(name: String, value: Expression?)], body: [Statement]) {
        self.name = name
        self.parameters = parameters
        self.body = body
    }
}
