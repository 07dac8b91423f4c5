import Basics

/// The variables of a part of a template, in front of those around it.
final class Scope {
    var variables: [String: TemplateValue] = [:]
    let parent: Scope?

    init(in parent: Scope? = nil) { self.parent = parent }

    func value(of name: String) -> TemplateValue? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.variables[name] { return value }
            scope = current.parent
        }
        return nil
    }
}

/// Renders one conversation by one template.
///
/// Work is counted: one for each statement, expression, scalar copied and value gone through. What
/// a template takes is so bounded in time and memory alike, whatever it says.
final class TemplateEvaluator {
    /// What is left of the work that the rendering may take.
    private var work: Int
    /// How many statements, expressions and calls are open.
    private var depth = 0
    /// The line of what is being evaluated.
    var line = 1
    var scope = Scope()
    let date: TemplateDate
    private(set) var output: [UInt32] = []
    /// What a filter block holds.
    private var blockText: TemplateValue = .null
    /// What can refer to itself, to be emptied at the end.
    private var namespaces: [TemplateNamespace] = []
    private var scopes: [Scope] = []

    /// The most that may be open at once, of which a nested expression takes two or three.
    private static let deepest = 400
    /// How deep values may be nested.
    private static let deepestValue = 100

    init(work: Int, date: TemplateDate, variables: [String: TemplateValue]) {
        self.work = work
        self.date = date
        for function in TemplateFunction.allCases {
            scope.variables[function.rawValue] = .function(function)
        }
        scope.variables.merge(variables) { $1 }
    }

    deinit {
        // One at a time: a chain of them let go at once would take the stack.
        for namespace in namespaces { namespace.values = TemplateMap() }
        for scope in scopes { scope.variables = [:] }
    }

    func failure(_ message: String) -> Failure {
        Failure(.badData, at: "line \(line)", message)
    }

    /// Counts work that is about to be done.
    ///
    /// - Throws: `Failure.badData` when there is none left.
    func spend(_ amount: Int) throws {
        work -= min(max(amount, 0), 1 << 40)
        guard work >= 0 else {
            throw failure("the template takes more work than any conversation needs")
        }
    }

    func nested<T>(_ body: () throws -> T) throws -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("calls are nested too deep") }
        try spend(1)
        return try body()
    }

    /// A new value, counted.
    func made(_ value: TemplateValue) throws -> TemplateValue {
        switch value {
        case .text(let text): try spend(text.count)
        case .list(let list): try spend(8 * list.items.count)
        case .map(let map): try spend(16 * map.entries.count)
        default: break
        }
        guard value.extent.depth <= Self.deepestValue else {
            throw failure("values are nested deeper than \(Self.deepestValue)")
        }
        return value
    }

    func list(_ items: [TemplateValue]) throws -> TemplateValue { try made(.list(.init(items))) }

    func newNamespace() -> TemplateNamespace {
        let namespace = TemplateNamespace()
        namespaces.append(namespace)
        return namespace
    }

    func write(_ text: TemplateText) throws {
        try spend(text.count)
        output += text.scalars
    }
}

// Statements.
extension TemplateEvaluator {
    /// What follows a statement.
    enum Flow { case next, `break`, `continue` }

    @discardableResult
    func run(_ statements: [Statement]) throws -> Flow {
        for statement in statements {
            line = statement.line
            let flow = try nested { try run(statement) }
            if flow != .next { return flow }
        }
        return .next
    }

    private func run(_ statement: Statement) throws -> Flow {
        switch statement.kind {
        case .text(let text): try write(TemplateText(text))
        case .output(let expression): try write(text(of: evaluate(expression)))
        case .condition(let branches, let otherwise):
            for branch in branches where try evaluate(branch.condition).isTrue {
                return try run(branch.body)
            }
            return try run(otherwise)
        case .loop(let loop): return try run(loop)
        case .set(let target, let value): try assign(evaluate(value), to: target)
        case .setBlock(let target, let filter, let body):
            var value = TemplateValue.text(try captured(body))
            if let filter { value = try filtered(value, by: filter) }
            try assign(value, to: target)
        case .with(let values, let body):
            let values = try values.map { ($0.target, try evaluate($0.value)) }
            return try inScope {
                for (target, value) in values { try assign(value, to: target) }
                return try run(body)
            }
        case .filter(let filter, let body):
            let text = try captured(body)
            try write(self.text(of: filtered(.text(text), by: filter)))
        case .macro(let definition):
            scopes.append(scope)
            scope.variables[definition.name] = .macro(TemplateMacro(definition, in: scope))
        case .generation(let body): try write(captured(body))
        case .break: return .break
        case .continue: return .continue
        }
        return .next
    }

    private func inScope<T>(_ new: Scope? = nil, _ body: () throws -> T) throws -> T {
        let outer = scope
        scope = new ?? Scope(in: outer)
        defer { scope = outer }
        try spend(4)
        return try body()
    }

    /// What statements write, instead of its being written.
    private func captured(_ body: [Statement], in new: Scope? = nil) throws -> TemplateText {
        let outer = output
        output = []
        defer { output = outer }
        try inScope(new) { _ = try run(body) }
        return TemplateText(output)
    }

    private func filtered(_ value: TemplateValue, by filter: Expression) throws -> TemplateValue {
        let outer = blockText
        blockText = value
        defer { blockText = outer }
        return try evaluate(filter)
    }

    private func assign(_ value: TemplateValue, to target: AssignmentTarget) throws {
        switch target {
        case .name(let name): scope.variables[name] = value
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace)? = scope.value(of: name) else {
                throw failure("'\(name)' is no namespace: its attributes cannot be set")
            }
            try spend(namespace.values.entries.count)
            namespace.values.set(.text(attribute), value)
        case .several(let targets):
            let items = try items(of: value)
            guard items.count == targets.count else {
                throw failure("\(items.count) values for \(targets.count) names")
            }
            for (target, item) in zip(targets, items) { try assign(item, to: target) }
        }
    }

    private func run(_ loop: ForLoop) throws -> Flow {
        var items = try items(of: evaluate(loop.items))
        if let condition = loop.condition {
            items = try items.filter { item in
                try inScope {
                    try assign(item, to: loop.target)
                    return try evaluate(condition).isTrue
                }
            }
        }
        guard !items.isEmpty else { return try inScope { try run(loop.otherwise) } }
        let state = LoopState(items)
        for (index, item) in items.enumerated() {
            state.index = index
            let flow = try inScope {
                try assign(item, to: loop.target)
                scope.variables["loop"] = .loop(state)
                return try run(loop.body)
            }
            if flow == .break { break }
        }
        return .next
    }

    /// Calls a macro, which gives what it writes.
    func call(_ macro: TemplateMacro, _ arguments: CallArguments) throws -> TemplateValue {
        let definition = macro.definition
        let given = try arguments.bound(
            to: definition.parameters.map(\.name),
            of: definition.name,
            failure
        )
        let scope = Scope(in: macro.scope)
        let outer = self.scope
        self.scope = scope
        defer { self.scope = outer }
        for (parameter, value) in zip(definition.parameters, given) {
            scope.variables[parameter.name] =
                try value ?? parameter.value.map { try evaluate($0) } ?? .undefined(parameter.name)
        }
        return .text(try nested { try captured(definition.body, in: scope) })
    }
}

// Expressions.
extension TemplateEvaluator {
    func evaluate(_ expression: Expression) throws -> TemplateValue {
        let outer = line
        line = expression.line
        defer { line = outer }
        return try nested { try value(of: expression) }
    }

    private func value(of expression: Expression) throws -> TemplateValue {
        switch expression.kind {
        case .constant(let value): return value
        case .name(let name): return scope.value(of: name) ?? .undefined(name)
        case .list(let items, let isTuple):
            return try made(.list(.init(items.map { try evaluate($0) }, isTuple: isTuple)))
        case .map(let entries):
            var map = TemplateMap()
            for (key, value) in entries {
                try set(evaluate(key), evaluate(value), in: &map)
            }
            return try made(.map(map))
        case .attribute(let owner, let name): return try attribute(name, of: evaluate(owner))
        case .item(let owner, let index):
            return try item(evaluate(index), of: evaluate(owner))
        case .slice(let owner, let from, let to, let step):
            let bounds = try [from, to, step].map { try $0.map { try evaluate($0) } }
            return try slice(evaluate(owner), bounds)
        case .call(let function, let arguments):
            return try call(evaluate(function), evaluated(arguments))
        case .filter(let operand, let name, let arguments):
            let input = try operand.map { try evaluate($0) } ?? blockText
            return try filter(name, input, evaluated(arguments))
        case .test(let operand, let name, let arguments):
            return .bool(try test(name, evaluate(operand), evaluated(arguments)))
        case .unary(let mark, let operand): return try unary(mark, evaluate(operand))
        case .binary("and", let a, let b):
            let left = try evaluate(a)
            return left.isTrue ? try evaluate(b) : left
        case .binary("or", let a, let b):
            let left = try evaluate(a)
            return left.isTrue ? left : try evaluate(b)
        case .binary(let mark, let a, let b): return try binary(mark, evaluate(a), evaluate(b))
        case .compare(let first, let rest):
            var left = try evaluate(first)
            for (mark, operand) in rest {
                let right = try evaluate(operand)
                guard try compare(mark, left, right) else { return .bool(false) }
                left = right
            }
            return .bool(true)
        case .concatenation(let pieces):
            var text = TemplateText()
            for piece in pieces { text.append(try self.text(of: evaluate(piece))) }
            return try made(.text(text))
        case .choice(let condition, let then, let otherwise):
            if try evaluate(condition).isTrue { return try evaluate(then) }
            return try otherwise.map { try evaluate($0) } ?? .undefined("a value without 'else'")
        }
    }

    private func evaluated(_ arguments: Arguments) throws -> CallArguments {
        CallArguments(
            positional: try arguments.positional.map { try evaluate($0) },
            named: try arguments.named.map { ($0.name, try evaluate($0.value)) }
        )
    }

    /// Puts a value into a map, of which only what Python can hash is a key.
    func set(_ key: TemplateValue, _ value: TemplateValue, in map: inout TemplateMap) throws {
        switch key {
        case .text, .integer, .number, .bool, .null: break
        default: throw failure("\(key.kindName) cannot be a key")
        }
        try spendOnLookup(of: key, in: map)
        map.set(key, value)
    }

    func spendOnLookup(of key: TemplateValue, in map: TemplateMap) throws {
        try spend(map.entries.count * key.extent.size)
    }
}

/// The values that a call is given.
struct CallArguments {
    var positional: [TemplateValue] = []
    var named: [(name: String, value: TemplateValue)] = []

    var isEmpty: Bool { positional.isEmpty && named.isEmpty }

    /// The arguments in the order of the parameters; nil for those not given.
    func bound(
        to names: [String],
        of function: String,
        _ failure: (String) -> Failure
    ) throws -> [TemplateValue?] {
        guard positional.count <= names.count else {
            throw failure(
                "'\(function)' is given \(positional.count) arguments; expected at most "
                    + "\(names.count)"
            )
        }
        var values = positional.map(Optional.some)
        values += Array(repeating: nil, count: names.count - positional.count)
        for (name, value) in named {
            guard let index = names.firstIndex(of: name) else {
                throw failure("'\(function)' has no argument '\(name)'")
            }
            guard values[index] == nil else { throw failure("'\(name)' is given twice") }
            values[index] = value
        }
        return values
    }
}
