/// A value in a template, as Python has it.
enum TemplateValue {
    /// What is not there; with the name that was asked for.
    case undefined(String)
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(TemplateText)
    case list(TemplateList)
    case map(TemplateMap)
    /// What a filter makes step by step: it can be gone through once, has no length, and is true.
    case iterator(TemplateIterator)
    case namespace(TemplateNamespace)
    case loop(LoopState)
    case macro(TemplateMacro)
    case function(TemplateFunction)
    case method(TemplateMethod)

    static func text(_ string: String) -> TemplateValue { .text(TemplateText(string)) }
}

/// Items in order, a list or a tuple, which cannot be changed, as in the sandbox of transformers.
struct TemplateList {
    let items: [TemplateValue]
    var isTuple = false
    let extent: Extent

    init(_ items: [TemplateValue], isTuple: Bool = false) {
        self.items = items
        self.isTuple = isTuple
        extent = Extent(over: items)
    }
}

/// How large a value is.
///
/// The limits on work are kept by it: a value may hold another one twice, and
/// that another one twice, so that going through all of it takes more than it took to make.
struct Extent {
    /// How deep values are nested, this one included.
    var depth = 1
    /// About how long it takes to go through.
    var size = 1

    init(size: Int = 1) { self.size = size }

    init(over items: [TemplateValue]) {
        for item in items { add(item) }
    }

    mutating func add(_ item: TemplateValue) {
        let inner = item.extent
        depth = max(depth, 1 + inner.depth)
        size = min(size + inner.size, 1 << 40)
    }
}

/// Keys and values in order.
struct TemplateMap {
    struct Entry {
        let key: TemplateValue
        var value: TemplateValue
    }

    private(set) var entries: [Entry] = []
    private(set) var extent = Extent()

    subscript(_ key: TemplateValue) -> TemplateValue? {
        entries.first { $0.key.equals(key) }?.value
    }

    subscript(_ key: String) -> TemplateValue? { self[.text(key)] }

    mutating func set(_ key: TemplateValue, _ value: TemplateValue) {
        extent.add(key)
        extent.add(value)
        if let index = entries.firstIndex(where: { $0.key.equals(key) }) {
            entries[index].value = value
        } else {
            entries.append(Entry(key: key, value: value))
        }
    }
}

/// Values one after another, each taken once.
final class TemplateIterator {
    private var rest: ArraySlice<TemplateValue>
    let extent: Extent

    init(_ items: [TemplateValue]) {
        rest = items[...]
        extent = Extent(over: items)
    }

    func takeFirst() -> TemplateValue? { rest.popFirst() }

    func takeAll() -> [TemplateValue] {
        defer { rest = [] }
        return Array(rest)
    }
}

/// What `namespace()` makes: names whose values can be changed from inside a loop.
final class TemplateNamespace {
    var values = TemplateMap()
}

/// What `loop` is inside a loop.
final class LoopState {
    let items: [TemplateValue]
    var index = 0
    /// What `loop.changed` was last asked about.
    var last: [TemplateValue]?

    init(_ items: [TemplateValue]) { self.items = items }

    /// A member; nil for one that loops do not have.
    func member(_ name: String) -> TemplateValue? {
        switch name {
        case "index": .integer(index + 1)
        case "index0": .integer(index)
        case "revindex": .integer(items.count - index)
        case "revindex0": .integer(items.count - index - 1)
        case "first": .bool(index == 0)
        case "last": .bool(index == items.count - 1)
        case "length": .integer(items.count)
        // Only recursive loops, which are not supported, have more.
        case "depth": .integer(1)
        case "depth0": .integer(0)
        case "previtem": index > 0 ? items[index - 1] : .undefined("loop.previtem")
        case "nextitem":
            index + 1 < items.count ? items[index + 1] : .undefined("loop.nextitem")
        default: nil
        }
    }
}

/// A macro with the variables around its definition.
final class TemplateMacro {
    let definition: MacroDefinition
    let scope: Scope

    init(_ definition: MacroDefinition, in scope: Scope) {
        self.definition = definition
        self.scope = scope
    }
}

/// The functions that every template can call.
enum TemplateFunction: String, CaseIterable {
    case range, dict, namespace
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

/// A method of a value.
final class TemplateMethod {
    let receiver: TemplateValue
    let name: String

    init(_ receiver: TemplateValue, _ name: String) {
        self.receiver = receiver
        self.name = name
    }
}

extension TemplateValue {
    /// How large the value is.
    ///
    /// What can be changed counts as one: its values are let go one at a
    /// time when the rendering ends.
    var extent: Extent {
        switch self {
        case .text(let text): Extent(size: 1 + text.count / 8)
        case .list(let list): list.extent
        case .map(let map): map.extent
        case .iterator(let iterator): iterator.extent
        case .method(let method): Extent(over: [method.receiver])
        default: Extent()
        }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .text(let text): !text.isEmpty
        case .list(let list): !list.items.isEmpty
        case .map(let map): !map.entries.isEmpty
        case .loop(let loop): !loop.items.isEmpty
        case .iterator, .namespace, .macro, .function, .method: true
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var text: TemplateText? { if case .text(let text) = self { text } else { nil } }
    var string: String? { text?.string }

    /// A whole number; truth values count as 0 and 1.
    var integer: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var number: Double? {
        if case .number(let value) = self { value } else { integer.map(Double.init) }
    }

    func equals(_ other: TemplateValue) -> Bool {
        if let a = integer, let b = other.integer { return a == b }
        if let a = number, let b = other.number { return a == b }
        switch (self, other) {
        case (.undefined, .undefined), (.null, .null): return true
        case (.text(let a), .text(let b)): return a == b
        case (.list(let a), .list(let b)):
            return a.isTuple == b.isTuple && a.items.count == b.items.count
                && zip(a.items, b.items).allSatisfy { $0.equals($1) }
        case (.map(let a), .map(let b)):
            return a.entries.count == b.entries.count
                && a.entries.allSatisfy { entry in b[entry.key]?.equals(entry.value) ?? false }
        case (.namespace(let a), .namespace(let b)): return a === b
        case (.iterator(let a), .iterator(let b)): return a === b
        case (.macro(let a), .macro(let b)): return a === b
        case (.loop(let a), .loop(let b)): return a === b
        case (.function(let a), .function(let b)): return a == b
        default: return false
        }
    }

    /// What kind of value this is, as Python calls it.
    var kindName: String {
        switch self {
        case .undefined: "undefined"
        case .null: "none"
        case .bool: "a truth value"
        case .integer, .number: "a number"
        case .text: "text"
        case .list(let list): list.isTuple ? "a tuple" : "a list"
        case .map: "a dict"
        case .iterator: "an iterator"
        case .namespace: "a namespace"
        case .loop: "a loop"
        case .macro: "a macro"
        case .function, .method: "a function"
        }
    }
}
