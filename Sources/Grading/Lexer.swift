/// Splits an answer into tokens: LaTeX, plain text and the usual Unicode signs alike.
///
/// Spacing and sizing commands are dropped, font commands unwrapped, thousands separators
/// removed. One pass; `nil` where a character has no meaning in mathematics, or where there are
/// more than `WorkBudget.maximumTokens` tokens.
struct Lexer {
    private let characters: [Character]
    private let budget: WorkBudget
    private var index = 0
    private var tokens: [Token] = []
    /// Depth of round and square brackets and `\{`; inside them a comma separates elements.
    private var bracketDepth = 0
    private var sawSpace = false

    private init(_ characters: [Character], budget: WorkBudget) {
        self.characters = characters
        self.budget = budget
    }

    /// The tokens of an answer.
    static func tokens(of text: String, budget: WorkBudget) -> [Token]? {
        var lexer = Lexer(Array(text), budget: budget)
        while lexer.index < lexer.characters.count {
            guard lexer.step(), lexer.tokens.count <= WorkBudget.maximumTokens, budget.spend(1)
            else { return nil }
        }
        return lexer.tokens
    }

    private var current: Character? { peek(0) }

    private func peek(_ offset: Int) -> Character? {
        index + offset < characters.count ? characters[index + offset] : nil
    }

    private func startsHere(_ text: String) -> Bool {
        characters[index...].starts(with: text)
    }

    /// Reads one token, or skips what has no meaning.
    private mutating func step() -> Bool {
        guard let character = current else { return false }
        if character.isWhitespace || character == "~" {
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
        append(sign: character)
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
        let word = String(characters[start..<index])
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
        let name = String(characters[start..<index])
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
    private mutating func controlSign(_ sign: Character) -> Bool {
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
        guard let contents = braced() else { return }
        let words = contents.filter { $0 != "," }.split(separator: " ").joined(separator: " ")
        let isFont =
            name.hasPrefix("math") && name != "mathrm" || name == "bm" || name == "boldsymbol"
        if ["and", "or"].contains(words) || contents.allSatisfy({ ", ".contains($0) }) {
            tokens.append(.sign(","))
        } else if contents.contains(where: { $0.isNumeral || ",\\".contains($0) })
            || name == "boxed" || isFont && words.count == 1
        {
            index = start  // the braces are read as a group
        } else {
            tokens.append(.text(words))
        }
    }

    /// Reads `{...}` and returns its contents; `nil` and no step where there is none.
    private mutating func braced() -> String? {
        var end = index
        while end < characters.count, characters[end].isWhitespace { end += 1 }
        guard end < characters.count, characters[end] == "{" else { return nil }
        let start = end + 1
        var depth = 0
        while end < characters.count {
            if characters[end] == "{" { depth += 1 }
            if characters[end] == "}" { depth -= 1 }
            if depth == 0 {
                budget.spend(end - index)
                index = end + 1
                return String(characters[start..<end])
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
        while let digit = current, digit.isNumeral, let byte = digit.asciiValue {
            literal.digits.append(byte)
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
        while let digit = current?.wholeNumberValue, current?.isNumeral ?? false {
            power = min(power * 10 + digit, 1_000_000)
            index += 1
        }
        literal.exponent = isNegative ? -power : power
    }
}

extension Character {
    /// `0` to `9`.
    var isNumeral: Bool { asciiValue.map(\.isDigit) ?? false }
    /// `A` to `Z`, `a` to `z`.
    var isLatinLetter: Bool { asciiValue.map(\.isLetter) ?? false }
}
