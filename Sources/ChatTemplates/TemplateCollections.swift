import Basics

// Filters over collections, and over numbers.
extension TemplateEvaluator {
    /// The keys and values of a map, as pairs.
    func pairs(of value: TemplateValue) throws -> [TemplateValue] {
        guard case .map(let map) = value else {
            throw failure("\(value.kindName) has no items; expected a dict")
        }
        try spend(24 * map.entries.count)
        return try map.entries.map { entry in
            try made(.list(TemplateList([entry.key, entry.value], isTuple: true)))
        }
    }

    /// Sorted by a key, what is equal in its old order; the work of comparing counted.
    func sorted<T>(_ items: [T], reverse: Bool = false, by key: (T) throws -> TemplateValue)
        throws -> [T]
    {
        let keys = try items.map(key)
        let order = try items.indices.sorted { a, b in
            let (x, y) = reverse ? (keys[b], keys[a]) : (keys[a], keys[b])
            if try isBelow(x, y) { return true }
            return try !isBelow(y, x) && a < b
        }
        return order.map { items[$0] }
    }

    private func folded(_ value: TemplateValue, unless isSensitive: TemplateValue?) throws
        -> TemplateValue
    {
        guard isSensitive?.isTrue != true, case .text(let text) = value else { return value }
        return try made(.text(text.lowercased))
    }

    func dictSort(_ input: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateValue {
        let by = try given[1].map { try text(of: $0).string } ?? "key"
        guard by == "key" || by == "value" else { throw failure("'dictsort' by '\(by)'") }
        let pairs = try pairs(of: input)
        return try list(
            sorted(pairs, reverse: given[2]?.isTrue ?? false) { pair in
                let value = try item(.integer(by == "key" ? 0 : 1), of: pair)
                return try folded(value, unless: given[0])
            }
        )
    }

    func sort(_ input: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateValue {
        try list(
            sorted(items(of: input), reverse: given[0]?.isTrue ?? false) { item in
                try folded(attribute(given[2], of: item), unless: given[1])
            }
        )
    }

    func unique(_ input: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateValue {
        var seen: [TemplateValue] = []
        var kept: [TemplateValue] = []
        for item in try items(of: input) {
            let key = try folded(attribute(given[1], of: item), unless: given[0])
            try spend(seen.count * key.extent.size)
            guard !seen.contains(where: { $0.equals(key) }) else { continue }
            seen.append(key)
            kept.append(item)
        }
        return try made(.iterator(TemplateIterator(kept)))
    }

    func sum(_ input: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateValue {
        try items(of: input).reduce(given[1] ?? .integer(0)) { sum, item in
            try binary("+", sum, attribute(given[0], of: item))
        }
    }

    /// A filter applied to each item, or an attribute of each: `map('upper')`, `map(attribute='x')`.
    func map(_ input: TemplateValue, _ arguments: CallArguments) throws -> TemplateValue {
        var items = try items(of: input)
        if arguments.positional.isEmpty {
            let given = try arguments.bound(to: ["attribute", "default"], of: "map", failure)
            guard given[0] != nil else { throw failure("'map' without a filter or an attribute") }
            items = try items.map { item in
                let value = try attribute(given[0], of: item)
                return value.isUndefined ? given[1] ?? value : value
            }
        } else {
            guard let name = arguments.positional[0].string else {
                throw failure("'map' by what is no name of a filter")
            }
            var rest = arguments
            rest.positional.removeFirst()
            items = try items.map { item in try nested { try filter(name, item, rest) } }
        }
        try spend(8 * items.count)
        return try made(.iterator(TemplateIterator(items)))
    }

    /// The items for which a test holds, or does not; of the items, or of an attribute.
    func select(_ name: String, _ input: TemplateValue, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        var rest = arguments
        var path: TemplateValue?
        if name.hasSuffix("attr") {
            guard !rest.positional.isEmpty else { throw failure("'\(name)' without an attribute") }
            path = rest.positional.removeFirst()
        }
        var testName: String?
        if !rest.positional.isEmpty {
            testName = rest.positional.removeFirst().string
            guard testName != nil else { throw failure("'\(name)' by what is no name of a test") }
        }
        let kept = try items(of: input).filter { item in
            let value = try attribute(path, of: item)
            let holds = try testName.map { try test($0, value, rest) } ?? value.isTrue
            return holds == name.hasPrefix("select")
        }
        try spend(8 * kept.count)
        return try made(.iterator(TemplateIterator(kept)))
    }

    func numberFilter(_ name: String, _ input: TemplateValue, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        func bound(_ names: String...) throws -> [TemplateValue?] {
            try arguments.bound(to: names, of: name, failure)
        }
        func parsed() throws -> Double? {
            if let number = input.number { return number }
            guard case .text(let text) = input else {
                try refuseUndefined(input)
                return nil
            }
            return Double(text.trimmed(.both).string.filter { $0 != "_" })
        }
        switch name {
        case "int":
            let given = try bound("default", "base")
            guard given[1].map({ $0.integer == 10 }) ?? true else {
                throw failure("'int' is supported in base 10 only")
            }
            if let integer = input.integer { return .integer(integer) }
            if let text = input.text, let integer = Int(text.trimmed(.both).string) {
                return .integer(integer)
            }
            if let number = try parsed(), let integer = Int(exactly: number.rounded(.towardZero)) {
                return .integer(integer)
            }
            return given[0] ?? .integer(0)
        case "float":
            let given = try bound("default")
            return try parsed().map { .number($0) } ?? given[0] ?? .number(0)
        case "abs":
            _ = try bound()
            if let integer = input.integer, integer != .min { return .integer(abs(integer)) }
            guard let number = input.number else { throw failure("'abs' of \(input.kindName)") }
            return .number(number.magnitude)
        default:
            let given = try bound("precision", "method")
            guard let number = input.number else { throw failure("'round' of \(input.kindName)") }
            guard given[0].map({ $0.integer == 0 }) ?? true else {
                throw failure("'round' is supported to whole numbers only")
            }
            switch given[1]?.string ?? "common" {
            case "common": return .number(number.rounded(.toNearestOrEven))
            case "floor": return .number(number.rounded(.down))
            case "ceil": return .number(number.rounded(.up))
            default: throw failure("'round' takes common, ceil or floor")
            }
        }
    }
}

// Tests: `value is name`.
extension TemplateEvaluator {
    func test(_ name: String, _ value: TemplateValue, _ arguments: CallArguments) throws -> Bool {
        func other() throws -> TemplateValue {
            guard let other = try arguments.bound(to: ["other"], of: name, failure)[0] else {
                throw failure("the test '\(name)' needs something to compare with")
            }
            return other
        }
        let comparisons = [
            "eq": "==", "equalto": "==", "ne": "!=", "lt": "<", "lessthan": "<", "le": "<=",
            "gt": ">", "greaterthan": ">", "ge": ">=", "in": "in",
        ]
        if let mark = comparisons[name] { return try compare(mark, value, other()) }
        if name == "sameas" {
            // Simple values are equal where they are the same; there is one true and one none.
            let other = try other()
            return value.kindName == other.kindName && value.equals(other)
        }
        if name == "divisibleby" {
            guard let integer = value.integer, let divisor = try other().integer, divisor != 0,
                divisor != -1
            else { throw failure("'divisibleby' of what cannot be divided") }
            return integer % divisor == 0
        }
        _ = try arguments.bound(to: [], of: name, failure)
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none":
            guard case .null = value else { return false }
            return true
        case "string": return value.text != nil
        case "mapping":
            guard case .map = value else { return false }
            return true
        case "boolean":
            guard case .bool = value else { return false }
            return true
        case "true":
            guard case .bool(true) = value else { return false }
            return true
        case "false":
            guard case .bool(false) = value else { return false }
            return true
        case "integer":
            guard case .integer = value else { return false }
            return true
        case "float":
            guard case .number = value else { return false }
            return true
        case "number": return value.number != nil
        case "odd", "even":
            guard let integer = value.integer else {
                throw failure("'\(name)' of \(value.kindName)")
            }
            return integer.isMultiple(of: 2) == (name == "even")
        case "iterable":
            switch value {
            case .undefined, .text, .list, .map, .iterator, .loop: return true
            default: return false
            }
        case "sequence":
            switch value {
            case .undefined, .text, .list, .map: return true
            default: return false
            }
        case "callable":
            switch value {
            case .macro, .function, .method, .undefined: return true
            default: return false
            }
        case "lower", "upper":
            let text = try text(of: value)
            let hasCase = text.scalars.contains { TemplateText.scalar($0).properties.isCased }
            return hasCase && text == (name == "lower" ? text.lowercased : text.uppercased)
        default: throw failure("unknown test '\(name)'")
        }
    }
}
