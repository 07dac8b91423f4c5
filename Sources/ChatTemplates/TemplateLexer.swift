import Basics

/// A word of a template.
struct Token {
    enum Kind: Equatable {
        case text([UInt32])
        case variableBegin, variableEnd, blockBegin, blockEnd
        case name(String)
        case string([UInt32])
        case integer(Int)
        case number(Double)
        case mark(String)
        case end
    }

    let kind: Kind
    let line: Int

    /// How a message calls it.
    var description: String {
        switch kind {
        case .text: "text"
        case .variableBegin: "'{{'"
        case .variableEnd: "'}}'"
        case .blockBegin: "'{%'"
        case .blockEnd: "'%}'"
        case .name(let name): "'\(name)'"
        case .string: "a string"
        case .integer, .number: "a number"
        case .mark(let mark): "'\(mark)'"
        case .end: "the end of the template"
        }
    }
}

/// Cuts a template into tokens, with white space treated as transformers has it: the first newline
/// behind a block goes (`trim_blocks`), and so does the space before a block that begins its line
/// (`lstrip_blocks`).
struct TemplateLexer {
    private let source: [UInt32]
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []
    /// Whether what was cut last ended a line.
    private var startsLine = true

    private init(_ text: String) {
        // Line ends become one character, and the last one goes.
        var scalars: [UInt32] = []
        for scalar in text.unicodeScalars {
            if scalar == "\n", scalars.last == 0x0D { scalars.removeLast() }
            scalars.append(scalar.value)
        }
        scalars = scalars.map { $0 == 0x0D ? 0x0A : $0 }
        if scalars.last == 0x0A { scalars.removeLast() }
        source = scalars
    }

    /// The tokens of a template, the last of which is `end`.
    ///
    /// - Throws: `Failure.badData` with the line of what is no token.
    static func tokens(of text: String) throws -> [Token] {
        var lexer = TemplateLexer(text)
        while lexer.position < lexer.source.count { try lexer.readText() }
        lexer.add(.end)
        return lexer.tokens
    }

    private mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

    private func failure(_ message: String) -> Failure {
        Failure(.badData, at: "line \(line)", message)
    }

    private func at(_ place: Int) -> Character? {
        place < source.count ? Character(TemplateText.scalar(source[place])) : nil
    }

    private func isNext(_ mark: String, at place: Int? = nil) -> Bool {
        let place = place ?? position
        return mark.unicodeScalars.enumerated().allSatisfy { index, scalar in
            place + index < source.count && source[place + index] == scalar.value
        }
    }

    private mutating func skipSpace() {
        while position < source.count, TemplateText.isSpace(source[position]) { advance() }
    }

    private mutating func advance(_ count: Int = 1) {
        for scalar in source[position..<position + count] where scalar == 0x0A { line += 1 }
        position += count
    }

    /// Text up to the next tag, and the tag.
    private mutating func readText() throws {
        let start = position
        while position < source.count, !["{%", "{{", "{#"].contains(where: { isNext($0) }) {
            position += 1
        }
        let text = source[start..<position]
        guard position < source.count else {
            position = start
            addText(text)
            return
        }
        let opening = isNext("{{") ? "{{" : isNext("{%") ? "{%" : "{#"
        let sign = at(position + 2).flatMap { "+-".contains($0) ? $0 : nil }
        let kept = stripped(text, before: opening, sign)
        position = start
        addText(kept)
        advance(text.count - kept.count + 2 + (sign == nil ? 0 : 1))
        switch opening {
        case "{#":
            let commentStart = position
            while position < source.count, !isNext("#}") { advance() }
            guard position < source.count else { throw failure("a comment that no '#}' ends") }
            let hasSign = position > commentStart
            let sign = hasSign ? String(TemplateText.scalar(source[position - 1])) : ""
            advance(2)
            afterTag(sign, trims: true)
        case "{{":
            add(.variableBegin)
            try readCode(closing: "}}")
            add(.variableEnd)
        default:
            if try readRaw() { return }
            add(.blockBegin)
            try readCode(closing: "%}")
            add(.blockEnd)
        }
    }

    private mutating func addText(_ text: ArraySlice<UInt32>) {
        if !text.isEmpty { add(.text(Array(text))) }
        advance(text.count)
        if !text.isEmpty { startsLine = false }
    }

    /// The text before a tag without the space that the tag takes away.
    private func stripped(_ text: ArraySlice<UInt32>, before opening: String, _ sign: Character?)
        -> ArraySlice<UInt32>
    {
        if sign == "-" {
            return text.prefix(TemplateText(text).trimmed(.end).count)
        }
        guard sign == nil, opening != "{{" else { return text }
        let last = text.lastIndex(of: 0x0A)
        guard last != nil || startsLine else { return text }
        let lineStart = last.map { $0 + 1 } ?? text.startIndex
        let isBlank = text[lineStart...].allSatisfy(TemplateText.isSpace)
        return isBlank ? text[..<lineStart] : text
    }

    /// What a tag takes away behind it.
    private mutating func afterTag(_ sign: String, trims: Bool) {
        let end = position
        if sign == "-" {
            skipSpace()
        } else if trims, sign != "+", at(position) == "\n" {
            advance()
        }
        startsLine = position > end && source[position - 1] == 0x0A
    }

    /// `{% raw %}` and all up to `{% endraw %}`; false where another tag begins.
    private mutating func readRaw() throws -> Bool {
        let (start, startLine) = (position, line)
        skipSpace()
        guard isNext("raw") else {
            (position, line) = (start, startLine)
            return false
        }
        advance(3)
        skipSpace()
        guard isNext("%}") || isNext("-%}") else {
            (position, line) = (start, startLine)
            return false
        }
        let strips = isNext("-%}")
        advance(strips ? 3 : 2)
        if strips { skipSpace() }
        startsLine = source[position - 1] == 0x0A
        let textStart = position
        while position < source.count {
            guard isNext("{%") else {
                position += 1
                continue
            }
            let text = source[textStart..<position]
            let opening = position
            position += 2
            let sign = at(position).flatMap { "+-".contains($0) ? $0 : nil }
            if sign != nil { position += 1 }
            while position < source.count, TemplateText.isSpace(source[position]) { position += 1 }
            if isNext("endraw") {
                position += 6
                while position < source.count, TemplateText.isSpace(source[position]) {
                    position += 1
                }
                let closing = ["+%}", "-%}", "%}"].first { isNext($0) }
                if let closing {
                    let end = position + closing.unicodeScalars.count
                    position = textStart
                    addText(stripped(text, before: "{%", sign))
                    advance(end - position)
                    afterTag(String(closing.dropLast(2)), trims: true)
                    return true
                }
            }
            position = opening + 1
        }
        throw failure("'raw' that no 'endraw' ends")
    }

    /// The tokens of a tag, up to its end.
    private mutating func readCode(closing: String) throws {
        var open: [String] = []
        while true {
            skipSpace()
            guard position < source.count else { throw failure("a tag that no '\(closing)' ends") }
            if open.isEmpty {
                let signs = closing == "%}" ? ["-", "+", ""] : ["-", ""]
                if let sign = signs.first(where: { isNext($0 + closing) }) {
                    advance(sign.count + 2)
                    afterTag(sign, trims: closing == "%}")
                    return
                }
            }
            try readToken(&open)
        }
    }

    private static let marks = [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
        "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ]
    private static let closings = ["(": ")", "[": "]", "{": "}"]

    private mutating func readToken(_ open: inout [String]) throws {
        let first = source[position]
        let isDigit = (0x30...0x39).contains(first)
        if isDigit { return try readNumber() }
        if first == 0x22 || first == 0x27 { return try readString() }
        if isNamePart(first) {
            let start = position
            while position < source.count, isNamePart(source[position]) { position += 1 }
            return add(.name(TemplateText(source[start..<position]).string))
        }
        guard let mark = Self.marks.first(where: { isNext($0) }) else {
            let found = String(TemplateText.scalar(first)).printable
            throw failure("'\(found)' is no part of an expression")
        }
        if let closing = Self.closings[mark] { open.append(closing) }
        if [")", "]", "}"].contains(mark) {
            guard open.popLast() == mark else { throw failure("unexpected '\(mark)'") }
        }
        add(.mark(mark))
        position += mark.count
    }

    private func isNamePart(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        case ..<0x80: false
        default: TemplateText.scalar(scalar).properties.isXIDContinue
        }
    }

    /// A whole number, or one with a fraction or an exponent; `_` may stand between digits.
    private mutating func readNumber() throws {
        let start = position
        func digits(_ place: Int) -> Int {
            var place = place
            while let next = at(place), ("0"..."9").contains(next) || next == "_" { place += 1 }
            return place
        }
        position = digits(position)
        var isWhole = true
        if at(position) == ".", digits(position + 1) > position + 1, at(position + 1) != "_",
            start == 0 || source[start - 1] != 0x2E
        {
            position = digits(position + 1)
            isWhole = false
        }
        if at(position) == "e" || at(position) == "E" {
            let sign = at(position + 1).map { "+-".contains($0) ? 1 : 0 } ?? 0
            let end = digits(position + 1 + sign)
            if end > position + 1 + sign {
                position = end
                isWhole = false
            }
        }
        let text = TemplateText(source[start..<position]).string.filter { $0 != "_" }
        if isWhole, let value = Int(text) { return add(.integer(value)) }
        guard !isWhole, let value = Double(text) else {
            throw failure("the number \(text.prefix(40)) is too large")
        }
        add(.number(value))
    }
}

extension TemplateLexer {
    /// A string in quotes, with Python's escapes.
    private mutating func readString() throws {
        let quote = source[position]
        let startLine = line
        position += 1
        var text: [UInt32] = []
        while position < source.count, source[position] != quote {
            let scalar = source[position]
            advance()
            guard scalar == 0x5C, position < source.count else {
                text.append(scalar)
                continue
            }
            let escaped = source[position]
            advance()
            try readEscape(Character(TemplateText.scalar(escaped)), escaped, into: &text)
        }
        guard position < source.count else {
            line = startLine
            throw failure("a string that nothing ends")
        }
        position += 1
        tokens.append(Token(kind: .string(text), line: startLine))
    }

    private static let escapes: [Character: UInt32] = [
        "n": 0x0A, "t": 0x09, "r": 0x0D, "\\": 0x5C, "'": 0x27, "\"": 0x22, "a": 0x07, "b": 0x08,
        "f": 0x0C, "v": 0x0B,
    ]

    private mutating func readEscape(
        _ character: Character,
        _ scalar: UInt32,
        into text: inout [UInt32]
    ) throws {
        if let value = Self.escapes[character] { return text.append(value) }
        if character == "\n" { return }
        let digits: (most: Int, least: Int, radix: Int)? =
            switch character {
            case "0"..."7": (3, 1, 8)
            case "x": (2, 2, 16)
            case "u": (4, 4, 16)
            case "U": (8, 8, 16)
            default: nil
            }
        guard let digits else {
            // Python keeps the backslash before what it does not know.
            text += [0x5C, scalar]
            return
        }
        if digits.radix == 8 { position -= 1 }
        var number = ""
        while number.count < digits.most, let next = at(position), next.isASCII,
            next.hexDigitValue.map({ $0 < digits.radix }) ?? false
        {
            number.append(next)
            position += 1
        }
        guard number.count >= digits.least, let value = UInt32(number, radix: digits.radix),
            Unicode.Scalar(value) != nil
        else { throw failure("'\\\(character)\(number)' in a string is no character") }
        text.append(value)
    }
}
