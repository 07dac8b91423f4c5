import Basics

// Filters: `value | name(arguments)`.
extension TemplateEvaluator {
    func filter(_ name: String, _ input: TemplateValue, _ arguments: CallArguments) throws
        -> TemplateValue
    {
        func bound(_ names: String...) throws -> [TemplateValue?] {
            try arguments.bound(to: names, of: name, failure)
        }
        func given() throws { _ = try arguments.bound(to: [], of: name, failure) }
        switch name {
        case "trim", "upper", "lower", "capitalize", "title", "string", "safe", "replace", "indent":
            return try textFilter(name, input, arguments)
        case "length", "count":
            try given()
            return .integer(try length(of: input))
        case "default", "d":
            let given = try bound("default_value", "boolean")
            let isReplaced = given[1]?.isTrue == true ? !input.isTrue : input.isUndefined
            return isReplaced ? given[0] ?? .text("") : input
        case "list":
            try given()
            return try list(items(of: input))
        case "first":
            try given()
            if case .iterator(let iterator) = input {
                return iterator.takeFirst() ?? .undefined("the first of nothing")
            }
            return try items(of: input).first ?? .undefined("the first of nothing")
        case "last":
            try given()
            if case .iterator = input {
                throw failure("'last' of an iterator; make it a list first")
            }
            return try items(of: input).last ?? .undefined("the last of nothing")
        case "reverse":
            try given()
            if case .text(let text) = input {
                return try made(.text(TemplateText(text.scalars.reversed())))
            }
            return try iterator(items(of: input).reversed())
        case "join": return try join(input, bound("d", "attribute"))
        case "tojson": return try toJSON(input, arguments)
        case "items":
            try given()
            if input.isUndefined { return try iterator([]) }
            return try iterator(pairs(of: input))
        case "dictsort": return try dictSort(input, bound("case_sensitive", "by", "reverse"))
        case "sort":
            return try sort(input, bound("reverse", "case_sensitive", "attribute"))
        case "unique": return try unique(input, bound("case_sensitive", "attribute"))
        case "min", "max":
            let given = try bound("case_sensitive", "attribute")
            let sorted = try sort(input, [.bool(name == "max"), given[0], given[1]])
            return try items(of: sorted).first ?? .undefined("the \(name) of nothing")
        case "sum": return try sum(input, bound("attribute", "start"))
        case "map": return try map(input, arguments)
        case "select", "reject", "selectattr", "rejectattr":
            return try select(name, input, arguments)
        case "int", "float", "abs", "round": return try numberFilter(name, input, arguments)
        default: throw failure("unknown filter '\(name)'")
        }
    }

    private func iterator(_ items: [TemplateValue]) throws -> TemplateValue {
        try spend(8 * items.count)
        return try made(.iterator(TemplateIterator(items)))
    }

    private func textFilter(_ name: String, _ input: TemplateValue, _ arguments: CallArguments)
        throws -> TemplateValue
    {
        let text = try text(of: input)
        try spend(text.count)
        switch name {
        case "replace":
            let given = try arguments.bound(to: ["old", "new", "count"], of: name, failure)
            guard let old = given[0], let new = given[1] else {
                throw failure("'replace' needs the old text and the new")
            }
            let count = given[2]?.integer
            return try replaced(text, self.text(of: old), self.text(of: new), count)
        case "trim":
            let given = try arguments.bound(to: ["chars"], of: name, failure)[0]
            return try made(.text(text.trimmed(.both, of: given?.text)))
        case "indent":
            return try indent(
                text,
                arguments.bound(to: ["width", "first", "blank"], of: name, failure)
            )
        default: break
        }
        _ = try arguments.bound(to: [], of: name, failure)
        switch name {
        case "upper": return try made(.text(text.uppercased))
        case "lower": return try made(.text(text.lowercased))
        case "capitalize": return try made(.text(text.capitalized))
        case "title":
            // Words begin behind white space, '-' and opening brackets.
            let capitals = text.mapped { properties, index in
                let isFirst = index == 0 || Self.beginsWord(behind: text[index - 1])
                return isFirst ? properties.uppercaseMapping : properties.lowercaseMapping
            }
            return try made(.text(capitals))
        default: return .text(text)
        }
    }

    private static func beginsWord(behind scalar: UInt32) -> Bool {
        TemplateText.isSpace(scalar) || "-({[<".unicodeScalars.contains { $0.value == scalar }
    }

    func replaced(_ text: TemplateText, _ old: TemplateText, _ new: TemplateText, _ count: Int?)
        throws -> TemplateValue
    {
        let limit = count.map { $0 < 0 ? .max : $0 } ?? .max
        var result = TemplateText()
        if old.isEmpty {
            // Between all characters, and at both ends.
            try spend(new.count * min(limit, text.count + 1) + text.count)
            for index in 0...text.count {
                if index < limit { result.append(new) }
                if index < text.count { result.append(text.scalars[index]) }
            }
            return .text(result)
        }
        try spendOnSearch(for: old, in: text)
        let pieces = text.split(old, limit: limit)
        try spend(new.count * (pieces.count - 1))
        for (index, piece) in pieces.enumerated() {
            if index > 0 { result.append(new) }
            result.append(piece)
        }
        return try made(.text(result))
    }

    private func indent(_ text: TemplateText, _ given: [TemplateValue?]) throws -> TemplateValue {
        let width: TemplateText
        switch given[0] {
        case .text(let text)?: width = text
        case let value:
            let count = max(0, value?.integer ?? 4)
            try spend(count)
            width = TemplateText([UInt32](repeating: 0x20, count: count))
        }
        let (indentsFirst, indentsBlank) = (given[1]?.isTrue == true, given[2]?.isTrue == true)
        var ended = text
        ended.append("\n")
        var result = TemplateText()
        for (index, line) in ended.lines.enumerated() {
            if index > 0 { result.append("\n") }
            let isIndented =
                index == 0 ? indentsFirst : indentsBlank || !line.isEmpty
            if isIndented {
                try spend(width.count)
                result.append(width)
            }
            result.append(line)
        }
        return try made(.text(result))
    }

    private func length(of value: TemplateValue) throws -> Int {
        switch value {
        case .undefined: return 0
        case .text(let text): return text.count
        case .list(let list): return list.items.count
        case .map(let map): return map.entries.count
        case .loop(let loop): return loop.items.count
        default: throw failure("\(value.kindName) has no length")
        }
    }

    /// An attribute of each item, by the name or the number that a filter is given.
    func attribute(_ path: TemplateValue?, of item: TemplateValue) throws -> TemplateValue {
        guard let path else { return item }
        guard case .text(let text) = path else { return try self.item(path, of: item) }
        var value = item
        for part in text.split(TemplateText(".")) {
            let index = Int(part.string).map(TemplateValue.integer)
            value = try self.item(index ?? .text(part), of: value)
        }
        return value
    }

    private func join(_ input: TemplateValue, _ given: [TemplateValue?]) throws -> TemplateValue {
        let separator = try given[0].map { try text(of: $0) } ?? TemplateText()
        var result = TemplateText()
        for (index, item) in try items(of: input).enumerated() {
            if index > 0 {
                try spend(separator.count)
                result.append(separator)
            }
            result.append(try text(of: attribute(given[1], of: item)))
            try spend(1)
        }
        return try made(.text(result))
    }

    private func toJSON(_ input: TemplateValue, _ arguments: CallArguments) throws -> TemplateValue
    {
        let names = ["ensure_ascii", "indent", "separators", "sort_keys"]
        let given = try arguments.bound(to: names, of: "tojson", failure)
        var style = JSONStyle()
        style.isASCII = given[0]?.isTrue ?? false
        style.sortsKeys = given[3]?.isTrue ?? false
        switch given[1] {
        case nil, .some(.null): break
        case .some(.text(let indent)): style.indent = indent
        case .some(let value):
            guard let width = value.integer else { throw failure("an indent of \(value.kindName)") }
            try spend(width)
            style.indent = TemplateText([UInt32](repeating: 0x20, count: max(0, width)))
        }
        if style.indent != nil { style.itemSeparator = TemplateText(",") }
        if case .some(.list(let pair)) = given[2] {
            guard pair.items.count == 2, let item = pair.items[0].text, let key = pair.items[1].text
            else { throw failure("'separators' are two texts") }
            (style.itemSeparator, style.keySeparator) = (item, key)
        }
        return .text(try json(input, style))
    }
}
