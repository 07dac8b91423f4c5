import Basics

// How values are written: as Python's `str`, `repr` and `json.dumps` do it.
extension TemplateEvaluator {
    /// A value as it is put into the prompt.
    func text(of value: TemplateValue) throws -> TemplateText {
        switch value {
        case .undefined: return TemplateText()
        case .text(let text): return text
        default:
            var text = TemplateText()
            try write(value, as: .python, into: &text, level: 0)
            return text
        }
    }

    /// The two ways to write what holds other values.
    enum Notation {
        case python
        case json(JSONStyle)
    }

    /// What `tojson` may be given.
    struct JSONStyle {
        var indent: TemplateText?
        var itemSeparator = TemplateText(", ")
        var keySeparator = TemplateText(": ")
        var isASCII = false
        var sortsKeys = false
    }

    func json(_ value: TemplateValue, _ style: JSONStyle) throws -> TemplateText {
        var text = TemplateText()
        try write(value, as: .json(style), into: &text, level: 0)
        return text
    }

    private func write(
        _ value: TemplateValue,
        as notation: Notation,
        into text: inout TemplateText,
        level: Int
    ) throws {
        let before = text.count
        try spend(1)
        if let word = try word(for: value, notation) {
            text.append(word)
        } else {
            switch value {
            case .text(let inner):
                try spend(inner.count)
                if case .json(let style) = notation {
                    text.append(Self.quoted(inner, isASCII: style.isASCII))
                } else {
                    text.append(Self.represented(inner))
                }
            case .list(let list):
                let pair = list.isTuple && !notation.isJSON ? ("(", ")") : ("[", "]")
                try write(list.items.count, pair, notation, into: &text, level) { index, text in
                    try write(list.items[index], as: notation, into: &text, level: level + 1)
                }
                if list.isTuple, !notation.isJSON, list.items.count == 1 {
                    text = text.slice(0..<text.count - 1)
                    text.append(",)")
                }
            case .map(let map):
                try write(map, notation, into: &text, level)
            default: throw failure("\(value.kindName) cannot be written")
            }
        }
        try spend(text.count - before)
    }

    /// What a simple value is written as; nil for others.
    private func word(for value: TemplateValue, _ notation: Notation) throws -> String? {
        switch value {
        case .null: return notation.isJSON ? "null" : "None"
        case .bool(let value):
            return notation.isJSON ? (value ? "true" : "false") : value ? "True" : "False"
        case .integer(let value): return String(value)
        case .number(let value): return Self.python(value)
        case .undefined:
            if notation.isJSON { try refuseUndefined(value) }
            return "Undefined"
        default: return nil
        }
    }

    private func write(
        _ map: TemplateMap,
        _ notation: Notation,
        into text: inout TemplateText,
        _ level: Int
    ) throws {
        var entries = map.entries
        if case .json(let style) = notation {
            entries = try entries.map { entry in
                let name = try entry.key.text ?? json(entry.key, JSONStyle())
                return TemplateMap.Entry(key: .text(name), value: entry.value)
            }
            if style.sortsKeys { entries = try sorted(entries) { $0.key } }
        }
        try write(entries.count, ("{", "}"), notation, into: &text, level) { index, text in
            try write(entries[index].key, as: notation, into: &text, level: level + 1)
            text.append(notation.keySeparator)
            try write(entries[index].value, as: notation, into: &text, level: level + 1)
        }
    }

    /// Brackets around items, on lines of their own where an indent is asked for.
    private func write(
        _ count: Int,
        _ brackets: (String, String),
        _ notation: Notation,
        into text: inout TemplateText,
        _ level: Int,
        _ item: (Int, inout TemplateText) throws -> Void
    ) throws {
        func newLine(_ level: Int, _ text: inout TemplateText) throws {
            guard let indent = notation.indent else { return }
            try spend(indent.count * level)
            text.append("\n")
            for _ in 0..<level { text.append(indent) }
        }
        text.append(brackets.0)
        for index in 0..<count {
            if index > 0 { text.append(notation.itemSeparator) }
            try newLine(level + 1, &text)
            try item(index, &text)
        }
        if count > 0 { try newLine(level, &text) }
        text.append(brackets.1)
    }

    /// A text in JSON's quotes.
    private static func quoted(_ text: TemplateText, isASCII: Bool) -> TemplateText {
        var result = TemplateText("\"")
        for index in 0..<text.count {
            let bit = text.scalars[index] & TemplateText.fromMessage
            let scalar = text[index]
            let escape: String? =
                switch scalar {
                case 0x22: "\\\""
                case 0x5C: "\\\\"
                case 0x0A: "\\n"
                case 0x0D: "\\r"
                case 0x09: "\\t"
                case 0x08: "\\b"
                case 0x0C: "\\f"
                case ..<0x20: "\\u" + hexadecimal(scalar, digits: 4)
                case 0x7F... where isASCII:
                    String(TemplateText.scalar(scalar)).utf16.map { unit in
                        "\\u" + hexadecimal(UInt32(unit), digits: 4)
                    }.joined()
                default: nil
                }
            append(escape, or: scalar, bit, to: &result)
        }
        result.append("\"")
        return result
    }

    /// A text in the quotes that Python chooses.
    private static func represented(_ text: TemplateText) -> TemplateText {
        let single = text.scalars.contains { $0 & ~TemplateText.fromMessage == 0x27 }
        let double = text.scalars.contains { $0 & ~TemplateText.fromMessage == 0x22 }
        let quote: UInt32 = single && !double ? 0x22 : 0x27
        var result = TemplateText([quote])
        for index in 0..<text.count {
            let bit = text.scalars[index] & TemplateText.fromMessage
            let scalar = text[index]
            let escape: String? =
                switch scalar {
                case 0x5C: "\\\\"
                case 0x0A: "\\n"
                case 0x0D: "\\r"
                case 0x09: "\\t"
                case quote: "\\" + String(TemplateText.scalar(quote))
                case 0x20..<0x7F: nil
                case ..<0x100 where !isPrintable(scalar): "\\x" + hexadecimal(scalar, digits: 2)
                case ..<0x10000 where !isPrintable(scalar): "\\u" + hexadecimal(scalar, digits: 4)
                case _ where !isPrintable(scalar): "\\U" + hexadecimal(scalar, digits: 8)
                default: nil
                }
            append(escape, or: scalar, bit, to: &result)
        }
        result.append(quote)
        return result
    }

    private static func append(
        _ escape: String?,
        or scalar: UInt32,
        _ bit: UInt32,
        to text: inout TemplateText
    ) {
        guard let escape else { return text.append(scalar | bit) }
        for part in escape.unicodeScalars { text.append(part.value | bit) }
    }

    private static func isPrintable(_ scalar: UInt32) -> Bool {
        switch TemplateText.scalar(scalar).properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator, .spaceSeparator:
            false
        default: true
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The shortest decimal form, with an exponent where Python writes one.
    static func python(_ value: Double) -> String {
        guard value.isFinite, value != 0 else {
            return value.isNaN
                ? "nan" : value == 0 ? (value.sign == .minus ? "-0.0" : "0.0") : "\(value)"
        }
        // Swift's digits are the shortest, too; only where the exponent begins differs.
        let parts = "\(value.magnitude)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
        var digits = mantissa[0] + fraction
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].count - 1
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let sign = value < 0 ? "-" : ""
        if exponent < -4 || exponent >= 16 {
            let rest = digits.dropFirst()
            let size = exponent.magnitude
            return sign + digits.prefix(1) + (rest.isEmpty ? "" : ".\(rest)") + "e"
                + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + "\(size)"
        }
        if exponent < 0 {
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
        }
        let padded = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let rest = padded.dropFirst(exponent + 1)
        return sign + padded.prefix(exponent + 1) + "." + (rest.isEmpty ? "0" : rest)
    }
}

extension TemplateEvaluator.Notation {
    fileprivate var isJSON: Bool { if case .json = self { true } else { false } }
    fileprivate var indent: TemplateText? {
        if case .json(let style) = self { style.indent } else { nil }
    }
    fileprivate var itemSeparator: TemplateText {
        if case .json(let style) = self { style.itemSeparator } else { TemplateText(", ") }
    }
    fileprivate var keySeparator: TemplateText {
        if case .json(let style) = self { style.keySeparator } else { TemplateText(": ") }
    }
}
