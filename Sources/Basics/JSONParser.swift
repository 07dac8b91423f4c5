import Foundation

extension JSON {
    /// Parses one JSON document.
    ///
    /// Refuses what RFC 8259 refuses, and besides: duplicate keys, nesting deeper than
    /// `maximumDepth`, bytes that are not UTF-8, and lone surrogates (`\ud83c` without its other
    /// half), which are no text. A byte-order mark is skipped.
    ///
    /// - Throws: `Failure.badData` with the byte offset.
    public init(parsing data: some Sequence<UInt8>, maximumDepth: Int = 64) throws {
        var parser = JSONParser(bytes: ContiguousArray(data), maximumDepth: maximumDepth)
        self = try parser.document()
    }

    /// Parses one JSON document, with U+FFFD for each lone surrogate: for answers of models, which
    /// may end in the middle of a character.
    ///
    /// - Throws: `Failure.badData` with the byte offset.
    public init(replacingLoneSurrogatesIn data: some Sequence<UInt8>) throws {
        var parser = JSONParser(bytes: ContiguousArray(data), maximumDepth: 64)
        parser.replacesLoneSurrogates = true
        self = try parser.document()
    }

    /// Parses one JSON document from text.
    public init(parsing text: String) throws { try self.init(parsing: text.utf8) }
}

/// A recursive-descent parser over bytes; the depth limit bounds its stack.
private struct JSONParser {
    let bytes: ContiguousArray<UInt8>
    let maximumDepth: Int
    var replacesLoneSurrogates = false
    var position = 0
    var depth = 0

    init(bytes: ContiguousArray<UInt8>, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        position = TextFile.markLength(bytes)
    }

    func failure(_ message: String) -> Failure {
        Failure(.badData, at: "byte \(position)", "not valid JSON: \(message)")
    }

    mutating func document() throws -> JSON {
        let result = try value()
        skipSpace()
        guard position == bytes.count else { throw failure("text after the end of the value") }
        return result
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    func peek() throws -> UInt8 {
        guard position < bytes.count else { throw failure(JSON.endsTooEarly) }
        return bytes[position]
    }

    mutating func value() throws -> JSON {
        skipSpace()
        switch try peek() {
        case UInt8(ascii: "{"): return try nested { try $0.object() }
        case UInt8(ascii: "["): return try nested { try $0.list() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    mutating func nested(_ body: (inout JSONParser) throws -> JSON) throws -> JSON {
        depth += 1
        guard depth <= maximumDepth else { throw failure("nested deeper than \(maximumDepth)") }
        defer { depth -= 1 }
        position += 1
        return try body(&self)
    }

    mutating func literal(_ text: StaticString, _ result: JSON) throws -> JSON {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count, bytes[position..<end].elementsEqual("\(text)".utf8) else {
            throw failure("expected a value")
        }
        position = end
        return result
    }

    mutating func list() throws -> JSON {
        var items: [JSON] = []
        skipSpace()
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            items.append(try value())
            if try endsAfterComma(UInt8(ascii: "]")) { return .array(items) }
        }
    }

    mutating func object() throws -> JSON {
        var members: [(key: String, value: JSON)] = []
        var seen: Set<[UInt8]> = []
        skipSpace()
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(JSONObject())
        }
        while true {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try string()
            guard seen.insert(Array(key.utf8)).inserted else {
                throw failure("duplicate key '\(key.prefix(60))'")
            }
            skipSpace()
            guard try peek() == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            members.append((key, try value()))
            if try endsAfterComma(UInt8(ascii: "}")) { return .object(JSONObject(members)) }
        }
    }

    /// Reads `,` (false: another element follows) or the closing bracket (true).
    mutating func endsAfterComma(_ close: UInt8) throws -> Bool {
        skipSpace()
        let byte = try peek()
        guard byte == UInt8(ascii: ",") || byte == close else {
            throw failure("expected ',' or '\(Character(Unicode.Scalar(close)))'")
        }
        position += 1
        return byte == close
    }

    mutating func digits() throws {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        guard position > start else { throw failure("expected a value") }
    }

    mutating func number() throws -> JSON {
        let start = position
        if try peek() == UInt8(ascii: "-") { position += 1 }
        let leadingZero = position < bytes.count && bytes[position] == 0x30
        try digits()
        if leadingZero && position > start + (bytes[start] == 0x2D ? 2 : 1) {
            throw failure("a number starts with 0")
        }
        var isWhole = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if position < bytes.count, [0x2B, 0x2D].contains(bytes[position]) { position += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            throw failure("the number \(text.prefix(40)) is out of range")
        }
        return .number(number)
    }

    mutating func string() throws -> String {
        position += 1
        var output: [UInt8] = []
        while true {
            let start = position
            while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5C,
                bytes[position] >= 0x20
            {
                position += 1
            }
            output.append(contentsOf: bytes[start..<position])
            let byte = try peek()
            if byte == 0x22 { break }
            guard byte == 0x5C else { throw failure("a control character inside a string") }
            position += 1
            try escape(into: &output)
        }
        position += 1
        guard let text = String(validating: output, as: UTF8.self) else {
            throw failure("a string that is not UTF-8")
        }
        return text
    }

    mutating func escape(into output: inout [UInt8]) throws {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"): output.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw failure("unknown escape")
        }
    }

    /// The scalar of a `\u` escape.
    mutating func unicodeEscape() throws -> Character {
        let high = try hexadecimal()
        guard (0xD800...0xDFFF).contains(high) else {
            return Unicode.Scalar(high).map(Character.init) ?? "\u{FFFD}"
        }
        guard high < 0xDC00, position + 1 < bytes.count, bytes[position] == 0x5C,
            bytes[position + 1] == UInt8(ascii: "u")
        else { return try lone(high) }
        let back = position
        position += 2
        let low = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(low) else {
            position = back
            return try lone(high)
        }
        let scalar = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
        return Unicode.Scalar(scalar).map(Character.init) ?? "\u{FFFD}"
    }

    /// What stands for a surrogate without its partner.
    func lone(_ surrogate: UInt32) throws -> Character {
        if replacesLoneSurrogates { return "\u{FFFD}" }
        var failure = failure("\\u\(String(surrogate, radix: 16)) is half of a character")
        failure.remedy = "Write the whole character, or \\ufffd in its place."
        throw failure
    }

    mutating func hexadecimal() throws -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(
                String(decoding: bytes[position..<position + 4], as: UTF8.self),
                radix: 16
            )
        else { throw failure("expected four hexadecimal digits") }
        position += 4
        return value
    }
}
