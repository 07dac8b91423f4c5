/// Splits an answer into tokens: LaTeX, plain text and the usual Unicode signs alike.
///
/// Spacing and sizing commands are dropped, font commands unwrapped, thousands separators
/// removed. One pass; `nil` where a character has no meaning in mathematics, or where there are
/// more than `WorkBudget.maximumTokens` tokens.
struct Lexer {
    private let characters: [Unicode.Scalar]
    private let budget: WorkBudget
    private var index = 0
    private var tokens: [Token] = []
    /// Depth of round and square brackets and `\{`; inside them a comma separates elements.
    private var bracketDepth = 0
    private var sawSpace = false

    private init(_ characters: [Unicode.Scalar], budget: WorkBudget) {
        self.characters = characters
        self.budget = budget
    }

    /// The tokens of an answer.
    static func tokens(of text: String, budget: WorkBudget) -> [Token]? {
        var lexer = Lexer(Array(text.unicodeScalars), budget: budget)
        while lexer.index < lexer.characters.count {
            guard lexer.step(), lexer.tokens.count <= WorkBudget.maximumTokens, budget.spend(1)
            else { return nil }
        }
        return lexer.tokens
    }

    private var current: Unicode.Scalar? { peek(0) }

    private func peek(_ offset: Int) -> Unicode.Scalar? {
        index + offset < characters.count ? characters[index + offset] : nil
    }

    private func startsHere(_ text: String) -> Bool {
        characters[index...].starts(with: text.unicodeScalars)
    }

    /// Reads one token, or skips what has no meaning.
    private mutating func step() -> Bool {
        guard let character = current else { return false }
        if character.properties.isWhitespace || character == "~" {
            sawSpace = true
            index += 1
            return true
        }
        defer { sawSpace = false }
        if character == "\\" { return command() }
        if character.isNumeral || character == "." && (peek(1)?.isNumeral ?? false) {
            return number()
        }
        if character.isLatinLetter { return letters() }
        index += 1
        if let spelled = LexerTables.unicode[character] {
            tokens += spelled
            return true
        }
        guard LexerTables.signs.contains(character) else { return false }
        if character == "*" && current == "*" {  // Python's power
            index += 1
            tokens.append(.sign("^"))
            return true
        }
        append(sign: Character(character))
        return true
    }

    private mutating func append(sign: Character) {
        if "([".contains(sign) { bracketDepth += 1 }
        if ")]".contains(sign) { bracketDepth = max(0, bracketDepth - 1) }
        tokens.append(.sign(sign))
    }

    // MARK: - Words

    private mutating func letters() -> Bool {
        let start = index
        while current?.isLatinLetter ?? false { index += 1 }
        let word = String(scalars: characters[start..<index])
        if let spelled = LexerTables.words[word.lowercased()], word.count > 1 {
            tokens.append(spelled)
        } else if word.count == 1 {
            tokens.append(.symbol(word))
        } else if word.count >= 4 || Unit.isUnit(word.lowercased()) {
            tokens.append(.word(word))
        } else {
            tokens += word.map { .symbol(String($0)) }
        }
        return true
    }

    // MARK: - Commands

    private mutating func command() -> Bool {
        index += 1
        guard let first = current else { return true }  // a trailing backslash
        guard first.isLatinLetter else {
            index += 1
            return controlSign(first)
        }
        let start = index
        while current?.isLatinLetter ?? false { index += 1 }
        let name = String(scalars: characters[start..<index])
        if LexerTables.dropped.contains(name) {
            sawSpace = true
        } else if LexerTables.wrappers.contains(name) {
            wrapper(name)
        } else if name == "begin" || name == "end" {
            guard let environment = braced() else { return false }
            tokens.append(name == "begin" ? .begin(environment) : .end(environment))
        } else if let spelled = LexerTables.commands[name] {
            tokens.append(spelled)
        } else if LexerTables.letters.contains(name) {
            tokens.append(.symbol("\\" + name))
        } else {
            return false
        }
        return true
    }

    /// A backslash and one character that is no letter.
    private mutating func controlSign(_ sign: Unicode.Scalar) -> Bool {
        switch sign {
        case "\\": tokens.append(.newRow)
        case "{", "}":
            bracketDepth = max(0, bracketDepth + (sign == "{" ? 1 : -1))
            tokens.append(.command(sign == "{" ? "lbrace" : "rbrace"))
        case "%": tokens.append(.sign("%"))
        case "$": tokens.append(.currency("dollar"))
        case "|": tokens.append(.sign("|"))
        case ",", "!", ";", ":", " ", "(", ")", "[", "]", "/", ">", "\n": sawSpace = true
        default: return false
        }
        return true
    }

    /// `\text{...}` and its kin: separators, numbers and lone letters are read as mathematics,
    /// other words are kept as text.
    private mutating func wrapper(_ name: String) {
        let start = index
        guard let contents = braced() else { return }  // what follows is read as it stands
        let words = contents.filter { $0 != "," }.split(separator: " ").joined(separator: " ")
        let isFont =
            name.hasPrefix("math") && name != "mathrm" || name == "bm" || name == "boldsymbol"
        if ["and", "or"].contains(words) || contents.allSatisfy({ ", ".contains($0) }) {
            tokens.append(.sign(","))
        } else if contents.unicodeScalars.contains(where: {
            $0.isNumeral || $0 == "," || $0 == "\\"
        })
            || name == "boxed" || isFont && words.count == 1
        {
            index = start  // the braces are read as a group
        } else {
            tokens.append(.text(words))
        }
    }

    /// Most characters between the braces of a `\text{}`; a longer one is no mathematics.
    private static let longestText = 256

    /// Reads `{...}` and returns its contents; `nil` and no step where there is none.
    private mutating func braced() -> String? {
        var end = index
        while end < characters.count, characters[end].properties.isWhitespace { end += 1 }
        guard end < characters.count, characters[end] == "{" else { return nil }
        let start = end + 1
        var depth = 0
        while end < characters.count, end - start < Self.longestText {
            if characters[end] == "{" { depth += 1 }
            if characters[end] == "}" { depth -= 1 }
            if depth == 0 {
                budget.spend(end - index)
                index = end + 1
                return String(scalars: characters[start..<end])
            }
            end += 1
        }
        budget.spend(end - index)
        return nil
    }

    // MARK: - Numbers

    private mutating func number() -> Bool {
        var literal = NumberLiteral(digits: [], spaceBefore: sawSpace)
        digits(into: &literal)
        if (1...3).contains(literal.digits.count), literal.digits[0] != UInt8(ascii: "0") {
            while let separator = thousandsSeparator() {
                index += separator
                digits(into: &literal)
            }
        }
        if current == ".", !literal.digits.isEmpty || peek(1)?.isNumeral ?? false {
            index += 1
            let whole = literal.digits.count
            digits(into: &literal)
            literal.decimals = literal.digits.count - whole
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

    /// The length of a separator between thousands: `,` outside brackets, `,\!`, `{,}`, `\,`.
    private func thousandsSeparator() -> Int? {
        var length: Int
        var explicit = true
        if startsHere(",\\!") {
            length = 3
            while peek(length) == " " { length += 1 }
        } else if startsHere("{,}") {
            length = 3
        } else if startsHere("\\,") {
            length = 2
        } else if current == "," {
            length = 1
            explicit = false
        } else {
            return nil
        }
        guard explicit || bracketDepth == 0 else { return nil }
        guard (length..<length + 3).allSatisfy({ peek($0)?.isNumeral ?? false }) else { return nil }
        return peek(length + 3)?.isNumeral ?? false ? nil : length
    }

    /// `e5`, `E-5` right behind the digits.
    private mutating func exponent(into literal: inout NumberLiteral) {
        guard current == "e" || current == "E" else { return }
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

extension Unicode.Scalar {
    /// `0` to `9`.
    var isNumeral: Bool { isASCII && UInt8(value).isDigit }
    /// `A` to `Z`, `a` to `z`.
    var isLatinLetter: Bool { isASCII && UInt8(value).isLetter }
}

extension String {
    /// The text that some Unicode scalars spell.
    init(scalars: some Sequence<Unicode.Scalar>) {
        self.init(String.UnicodeScalarView(scalars))
    }
}
