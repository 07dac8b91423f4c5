import Foundation

extension JSON {
    /// One line of JSON, members in order; numbers in their shortest exact form.
    ///
    /// It is one line to every reader: characters that some take for line ends (U+0085, U+2028,
    /// U+2029) are escaped, and with them all control characters.
    public var compact: String {
        var text = ""
        write(into: &text, indent: nil, level: 0)
        return text
    }

    /// The same for digests: nothing above ASCII is escaped, so that equal values keep the digests
    /// that they have always had.
    public var digestText: String {
        var text = ""
        write(into: &text, indent: nil, level: 0, isForDigest: true)
        return text
    }

    /// Indented JSON for people, with a final newline.
    public var pretty: String {
        var text = ""
        write(into: &text, indent: "  ", level: 0)
        return text + "\n"
    }

    /// A list of numbers; a value that is not finite becomes `null`.
    public static func numbers(_ values: some Sequence<Float>) -> JSON {
        .array(values.map { JSON.number($0) })
    }

    /// A list of whole numbers.
    public static func integers(_ values: some Sequence<some BinaryInteger>) -> JSON {
        .array(values.map { .integer(Int($0)) })
    }

    /// A 32-bit number in its own shortest decimal form, not that of its 64-bit widening.
    public static func number(_ value: Float) -> JSON {
        .number(value.isFinite ? Double("\(value)") ?? Double(value) : .nan)
    }

    private func write(
        into text: inout String,
        indent: String?,
        level: Int,
        isForDigest: Bool = false
    ) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .string(let value): JSON.quote(value, into: &text, isForDigest)
        case .array(let items):
            JSON.list(items, "[", "]", into: &text, indent: indent, level: level) { item, text in
                item.write(
                    into: &text,
                    indent: indent,
                    level: level + 1,
                    isForDigest: isForDigest
                )
            }
        case .object(let object):
            JSON.list(object.members, "{", "}", into: &text, indent: indent, level: level) {
                member,
                text in
                JSON.quote(member.key, into: &text, isForDigest)
                text += indent == nil ? ":" : ": "
                member.value.write(
                    into: &text,
                    indent: indent,
                    level: level + 1,
                    isForDigest: isForDigest
                )
            }
        }
    }

    private static func list<T>(
        _ items: [T],
        _ open: String,
        _ close: String,
        into text: inout String,
        indent: String?,
        level: Int,
        _ each: (T, inout String) -> Void
    ) {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            if let indent { text += "\n" + String(repeating: indent, count: level + 1) }
            each(item, &text)
        }
        if let indent, !items.isEmpty { text += "\n" + String(repeating: indent, count: level) }
        text += close
    }

    private static func quote(_ string: String, into text: inout String, _ isForDigest: Bool) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _
            where scalar.value < 0x20 || scalar.value == 0x7F
                || !isForDigest && scalar.isLineEndOrControl:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

extension Unicode.Scalar {
    /// Whether this is a control character above ASCII, or ends a line for some readers.
    fileprivate var isLineEndOrControl: Bool {
        (0x80...0x9F).contains(value) || value == 0x2028 || value == 0x2029
    }
}
