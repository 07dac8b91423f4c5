/// Number literals: thousands separators, decimals, periods, scientific notation.
extension Lexer {
    /// Reads the number that begins here.
    mutating func number() -> Bool {
        var literal = NumberLiteral(digits: [], spaceBefore: sawSpace)
        if let value = letteredNumeral() {
            literal.digits = Array(String(value).utf8)
            tokens.append(.number(literal))
            return true
        }
        digits(into: &literal)
        if (1...3).contains(literal.digits.count), literal.digits[0] != UInt8(ascii: "0") {
            if isEuropean {
                europeanRest(into: &literal)
                tokens.append(.number(literal))
                return true
            }
            while let separator = thousandsSeparator() {
                index += separator
                digits(into: &literal)
            }
        }
        if isDecimalComma {
            index += current == "," ? 1 : 3
            decimals(into: &literal)
        } else if current == ".", !literal.digits.isEmpty || peek(1)?.isNumeral ?? false {
            index += 1
            decimals(into: &literal)
        }
        exponent(into: &literal)
        tokens.append(.number(literal))
        return true
    }

    private mutating func digits(into literal: inout NumberLiteral) {
        while let digit = current, digit.isNumeral {
            literal.digits.append(UInt8(digit.value))
            index += 1
        }
    }

    /// The value of a numeral whose digits are letters too, and its base behind it: `2F_{16}`; nil,
    /// without a step, for any other.
    private mutating func letteredNumeral() -> Int? {
        let digits = characters[index...].prefix(12).prefix {
            $0.isNumeral || ("A"..."F").contains($0)
        }
        guard digits.contains(where: { !$0.isNumeral }), let mark = peek(digits.count), mark == "_"
        else { return nil }
        let isBraced = peek(digits.count + 1) == "{"
        let start = digits.endIndex + (isBraced ? 2 : 1)
        guard start < characters.count else { return nil }
        let base = characters[start...].prefix(2).prefix { $0.isNumeral }
        guard let radix = Int(String(scalars: base)), (11...36).contains(radix),
            !isBraced || base.endIndex < characters.count && characters[base.endIndex] == "}"
        else { return nil }
        guard let value = Int(String(scalars: digits), radix: radix) else { return nil }
        index = base.endIndex + (isBraced ? 1 : 0)
        return value
    }

    // MARK: - Thousands

    /// The length of a separator between thousands: `,` outside brackets, `,\!`, `{,}`, `\,`, a
    /// space.
    private func thousandsSeparator() -> Int? {
        var length: Int
        var explicit = true
        var isSpace = false
        if startsHere(",\\!") {
            length = 3
            while peek(length) == " " { length += 1 }
        } else if let braced = bracedComma {
            length = braced
        } else if startsHere("\\,") || startsHere("\\ ") || startsHere("\\;") {
            length = 2
            isSpace = true
        } else if current == "," {
            length = 1
            explicit = false
        } else if let space = current, " \u{A0}\u{202F}\u{2009}~".unicodeScalars.contains(space) {
            length = 1
            isSpace = true
        } else {
            return nil
        }
        guard explicit || bracketDepth == 0 else { return nil }
        guard let end = groupEnd(from: length) else { return nil }
        // "\log_2 128" is no thousand.
        if isSpace, followsIndexMark { return nil }
        // "3 100/200" is a mixed number.
        var next = end
        while isSpace, let character = peek(next), character == " " { next += 1 }
        return isSpace && (peek(next) == "/" || peek(end) == "^") ? nil : length
    }

    /// Whether the digit read last stands behind a `_` or `^`.
    private var followsIndexMark: Bool {
        switch tokens.last {
        case .sign("_")?, .sign("^")?: true
        default: false
        }
    }

    /// The length of `{,}` with a few spaces around or in it, as models write `14 {, }916`.
    private var bracedComma: Int? {
        var length = 0
        for sign in ["{", ",", "}"] as [Unicode.Scalar] {
            while length < 8, peek(length) == " " { length += 1 }
            guard peek(length) == sign else { return nil }
            length += 1
        }
        while length < 8, peek(length) == " " { length += 1 }
        return length
    }

    /// The offset behind three digits at `offset` that no fourth follows.
    private func groupEnd(from offset: Int) -> Int? {
        guard (offset..<offset + 3).allSatisfy({ peek($0)?.isNumeral ?? false }) else { return nil }
        return peek(offset + 3)?.isNumeral ?? false ? nil : offset + 3
    }

    /// Whether full stops separate thousands here: `1.234.567`, or `1.234,5` with a decimal comma.
    private var isEuropean: Bool {
        guard current == ".", let end = groupEnd(from: 1) else { return false }
        if peek(end) == ".", groupEnd(from: end + 1) != nil { return true }
        guard peek(end) == ",", peek(end + 1)?.isNumeral ?? false else { return false }
        return groupEnd(from: end + 1) == nil
    }

    private mutating func europeanRest(into literal: inout NumberLiteral) {
        while current == ".", groupEnd(from: 1) != nil {
            index += 1
            digits(into: &literal)
        }
        guard current == ",", peek(1)?.isNumeral ?? false else { return }
        index += 1
        let whole = literal.digits.count
        digits(into: &literal)
        literal.decimals = literal.digits.count - whole
    }

    // MARK: - Decimals

    /// Whether a decimal comma stands here: `4{,}5`, or `1,5` in brackets between semicolons.
    private var isDecimalComma: Bool {
        if startsHere("{,}") { return peek(3)?.isNumeral ?? false }
        return current == "," && hasSemicolons && bracketDepth > 0 && (peek(1)?.isNumeral ?? false)
    }

    private mutating func decimals(into literal: inout NumberLiteral) {
        let whole = literal.digits.count
        digits(into: &literal)
        if let period = bracketedPeriod(literal) ?? period() {
            literal.digits += period
            literal.repeating = period.count
        }
        literal.decimals = literal.digits.count - whole
        for ellipsis in ["...", "\\ldots", "\\dots", "\\cdots", "…"]
        where literal.decimals > 0 && literal.repeating == 0 && startsHere(ellipsis) {
            index += ellipsis.unicodeScalars.count
            literal.isCutOff = true
        }
    }

    /// The digits of `0.(3)`.
    private mutating func bracketedPeriod(_ literal: NumberLiteral) -> [UInt8]? {
        guard current == "(", literal.digits.first == UInt8(ascii: "0") else { return nil }
        let digits = characters[(index + 1)...].prefix(32).prefix { $0.isNumeral }
        guard !digits.isEmpty, digits.endIndex < characters.count,
            characters[digits.endIndex] == ")"
        else { return nil }
        index = digits.endIndex + 1
        return digits.map { UInt8($0.value) }
    }

    /// The digits under the bar of `\overline{6}`, `\bar{6}` or `\dot{6}`.
    private mutating func period() -> [UInt8]? {
        for name in ["\\overline", "\\bar", "\\dot"] where startsHere(name) {
            let start = index
            index += name.unicodeScalars.count
            if let digit = current, digit.isNumeral {
                index += 1
                return [UInt8(digit.value)]
            }
            if let contents = braced()?.utf8, !contents.isEmpty,
                contents.allSatisfy(\.isDigit)
            {
                return Array(contents)
            }
            index = start
        }
        return nil
    }

    /// `e5`, `E-5` right behind the digits.
    private mutating func exponent(into literal: inout NumberLiteral) {
        guard literal.repeating == 0, !literal.isCutOff, current == "e" || current == "E" else {
            return
        }
        let isNegative = peek(1) == "-" || peek(1) == "−"
        let signed = isNegative || peek(1) == "+"
        guard peek(signed ? 2 : 1)?.isNumeral ?? false else { return }
        index += signed ? 2 : 1
        var power = 0
        while let digit = current, digit.isNumeral {
            power = min(power * 10 + Int(digit.value) - 0x30, 1_000_000)
            index += 1
        }
        literal.exponent = isNegative ? -power : power
    }
}
