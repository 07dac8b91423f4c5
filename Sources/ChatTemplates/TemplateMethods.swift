import Basics

// Methods of texts, lists and maps, as Python has them.
extension TemplateEvaluator {
    private static let textMethods: Set = [
        "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith",
        "replace", "upper", "lower", "title", "capitalize", "find", "rfind", "index", "count",
        "join", "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower", "removeprefix",
        "removesuffix", "partition", "rpartition",
    ]
    private static let mapMethods: Set = ["items", "keys", "values", "get", "copy"]
    private static let listMethods: Set = ["index", "count", "copy"]
    /// Those that would change a value; the sandbox of transformers refuses them too.
    private static let changingMethods: Set = [
        "append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault",
        "sort", "update",
    ]

    /// Whether a value has a method of a name.
    func hasMethod(_ name: String, _ value: TemplateValue) throws -> Bool {
        switch value {
        case .text: return Self.textMethods.contains(name)
        case .map(let map):
            if Self.changingMethods.contains(name), map[name] == nil { try refuseChange(name) }
            return Self.mapMethods.contains(name)
        case .list:
            if Self.changingMethods.contains(name) { try refuseChange(name) }
            return Self.listMethods.contains(name)
        case .loop: return name == "cycle" || name == "changed"
        default: return false
        }
    }

    private func refuseChange(_ name: String) throws {
        throw failure("'\(name)' would change a value, which chat templates may not")
    }

    func call(_ method: TemplateMethod, _ arguments: CallArguments) throws -> TemplateValue {
        switch method.receiver {
        case .text(let text):
            try spend(text.count)
            return try call(method.name, text, arguments)
        case .map(let map): return try call(method.name, map, arguments)
        case .list(let list): return try call(method.name, list, arguments)
        case .loop(let loop): return try call(method.name, loop, arguments)
        default: throw failure("'\(method.name)' is not there to be called")
        }
    }

    private func call(_ name: String, _ map: TemplateMap, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        try spend(8 * map.entries.count)
        if name == "get" {
            let given = try arguments.bound(to: ["key", "default"], of: name, failure)
            guard let key = given[0] else { throw failure("'get' without a key") }
            try spendOnLookup(of: key, in: map)
            return map[key] ?? given[1] ?? .null
        }
        _ = try arguments.bound(to: [], of: name, failure)
        switch name {
        case "keys": return try list(map.entries.map(\.key))
        case "values": return try list(map.entries.map(\.value))
        case "items": return try list(pairs(of: .map(map)))
        default: return try made(.map(map))
        }
    }

    private func call(_ name: String, _ list: TemplateList, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        if name == "copy" { return .list(list) }
        guard let item = try arguments.bound(to: ["value"], of: name, failure)[0] else {
            throw failure("'\(name)' without a value")
        }
        try spend(min(list.extent.size, list.items.count * item.extent.size))
        if name == "count" { return .integer(list.items.count { $0.equals(item) }) }
        guard let index = list.items.firstIndex(where: { $0.equals(item) }) else {
            throw failure("'index' of what is not in the list")
        }
        return .integer(index)
    }

    private func call(_ name: String, _ loop: LoopState, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        let given = arguments.positional
        if name == "cycle" {
            guard !given.isEmpty else { throw failure("'loop.cycle' of nothing") }
            return given[loop.index % given.count]
        }
        try spend(given.reduce(0) { $0 + $1.extent.size })
        defer { loop.last = given }
        guard let last = loop.last, last.count == given.count else { return .bool(true) }
        return .bool(!zip(last, given).allSatisfy { $0.equals($1) })
    }
}

// Methods of texts.
extension TemplateEvaluator {
    private func call(_ name: String, _ text: TemplateText, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        func bound(_ names: String...) throws -> [TemplateValue?] {
            try arguments.bound(to: names, of: name, failure)
        }
        func part(_ value: TemplateValue?) throws -> TemplateText {
            guard case .text(let part)? = value else {
                throw failure("'\(name)' of \(value?.kindName ?? "nothing"); expected text")
            }
            try spendOnSearch(for: part, in: text)
            return part
        }
        switch name {
        case "strip", "lstrip", "rstrip":
            let given = try bound("chars")[0]
            let ends: TemplateText.Ends =
                name == "strip" ? .both : name == "lstrip" ? .start : .end
            return try made(.text(text.trimmed(ends, of: given?.text)))
        case "split", "rsplit": return try split(name, text, bound("sep", "maxsplit"))
        case "splitlines": return try list(text.lines.map { .text($0) })
        case "startswith", "endswith":
            guard let given = try bound("prefix")[0] else { throw failure("'\(name)' of nothing") }
            let isTuple = if case .list(let list) = given { list.isTuple } else { false }
            return .bool(
                try (isTuple ? items(of: given) : [given]).contains { value in
                    let part = try part(value)
                    return text.holds(part, at: name == "startswith" ? 0 : text.count - part.count)
                }
            )
        case "replace":
            let given = try bound("old", "new", "count")
            return try replaced(text, part(given[0]), part(given[1]), given[2]?.integer)
        case "removeprefix", "removesuffix":
            let part = try part(bound("part")[0])
            let isPrefix = name == "removeprefix"
            guard text.holds(part, at: isPrefix ? 0 : text.count - part.count) else {
                return .text(text)
            }
            let range = isPrefix ? part.count..<text.count : 0..<text.count - part.count
            return try made(.text(text.slice(range)))
        case "find", "rfind", "index":
            let part = try part(bound("sub")[0])
            let place = name == "rfind" ? text.findLast(part) : text.find(part)
            if place == nil, name == "index" { throw failure("'index' of what is not in the text") }
            return .integer(place ?? -1)
        case "count":
            let part = try part(bound("sub")[0])
            return .integer(part.isEmpty ? text.count + 1 : text.split(part).count - 1)
        case "partition", "rpartition":
            let part = try part(bound("sep")[0])
            guard !part.isEmpty else { throw failure("'\(name)' at nothing") }
            return try partitioned(text, part, fromEnd: name == "rpartition")
        case "join":
            return try filter(
                "join",
                bound("items")[0] ?? .null,
                CallArguments(positional: [.text(text)])
            )
        default:
            _ = try bound()
            return try letters(name, text)
        }
    }

    private func letters(_ name: String, _ text: TemplateText) throws -> TemplateValue {
        switch name {
        case "upper": return try made(.text(text.uppercased))
        case "lower": return try made(.text(text.lowercased))
        case "title": return try made(.text(text.titlecased))
        case "capitalize": return try made(.text(text.capitalized))
        case "isdigit":
            return .bool(
                text.allSatisfy { $0.numericType == .decimal || $0.numericType == .digit }
            )
        case "isalpha": return .bool(text.allSatisfy(\.isLetter))
        case "isalnum": return .bool(text.allSatisfy { $0.isLetter || $0.numericType != nil })
        case "isspace":
            return .bool(
                !text.isEmpty && (0..<text.count).allSatisfy { TemplateText.isSpace(text[$0]) }
            )
        case "isupper": return .bool(try test("upper", .text(text), CallArguments()))
        case "islower": return .bool(try test("lower", .text(text), CallArguments()))
        default: throw failure("'\(name)' is not there to be called")
        }
    }

    private func split(_ name: String, _ text: TemplateText, _ given: [TemplateValue?]) throws
        -> TemplateValue
    {
        let limit = given[1]?.integer.map { $0 < 0 ? .max : $0 } ?? .max
        switch given[0] {
        case nil, .some(.null):
            guard name == "split" || limit == .max else {
                throw failure("'rsplit' with a limit needs a separator")
            }
            return try list(text.words(limit: limit).map { .text($0) })
        case .some(.text(let separator)):
            guard !separator.isEmpty else { throw failure("'\(name)' at nothing") }
            try spendOnSearch(for: separator, in: text)
            let pieces =
                name == "split"
                ? text.split(separator, limit: limit)
                : text.splitFromEnd(separator, limit: limit)
            return try list(pieces.map { .text($0) })
        case .some(let value): throw failure("'\(name)' at \(value.kindName); expected text")
        }
    }

    private func partitioned(_ text: TemplateText, _ part: TemplateText, fromEnd: Bool) throws
        -> TemplateValue
    {
        let empty = TemplateText()
        let place = fromEnd ? text.findLast(part) : text.find(part)
        let pieces =
            place.map { place in
                [
                    text.slice(0..<place), text.slice(place..<place + part.count),
                    text.slice(place + part.count..<text.count),
                ]
            } ?? (fromEnd ? [empty, empty, text] : [text, empty, empty])
        return try made(.list(TemplateList(pieces.map { .text($0) }, isTuple: true)))
    }
}

extension Unicode.Scalar.Properties {
    /// Whether Python calls it a letter.
    fileprivate var isLetter: Bool {
        switch generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: false
        }
    }
}
