/// Splits an answer into tokens: LaTeX, plain text and the usual Unicode signs alike.
///
/// Spacing and sizing commands are dropped, font commands unwrapped, thousands separators
/// removed. One pass; `nil` where a character has no meaning in mathematics, or where there are
/// more than `WorkBudget.maximumTokens` tokens.
struct Lexer {
    let characters: [Unicode.Scalar]
    let budget: WorkBudget
    var index = 0
    var tokens: [Token] = []
    /// Depth of round and square brackets and `\{`; inside them a comma separates elements.
    private(set) var bracketDepth = 0
    private(set) var sawSpace = false

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

    var current: Unicode.Scalar? { peek(0) }

    func peek(_ offset: Int) -> Unicode.Scalar? {
        index + offset < characters.count ? characters[index + offset] : nil
    }

    func startsHere(_ text: String) -> Bool {
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
        if "'’′".unicodeScalars.contains(character), case .symbol(let name)? = tokens.last {
            tokens[tokens.count - 1] = .symbol(name + "'")
            return true
        }
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
        if current == "=", let sign = ["<": "≤", ">": "≥", "!": "≠"][character] as Character?,
            character != "!" || sawSpace || !endsInNumber
        {
            index += 1
            tokens.append(.sign(sign))
            return true
        }
        append(sign: Character(character))
        return true
    }

    /// Whether a "!" here belongs to a number: "5!=120".
    private var endsInNumber: Bool { if case .number? = tokens.last { true } else { false } }

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
        } else if word == "U", let last = tokens.last, [.sign(")"), .sign("]")].contains(last) {
            tokens.append(.sign("∪"))
        } else if let power = current, "²³".unicodeScalars.contains(power),
            Unit.isUnit(word.lowercased()), endsInNumber
        {
            tokens.append(.text(word))
        } else if word.count == 1 {
            tokens.append(.symbol(word))
        } else if word.count >= 4 || Unit.isUnit(word.lowercased()) || isNoun(word) {
            tokens.append(.word(word))
        } else {
            tokens += word.map { .symbol(String($0)) }
        }
        return true
    }

    /// Whether three letters behind a number and a space are a word, as in "7 men" and "18 per day",
    /// and no product of variables: consonant, vowel, consonant.
    private func isNoun(_ word: String) -> Bool {
        let letters = Array(word.utf8)
        guard letters.count == 3, sawSpace, endsInNumber else { return false }
        let vowels = "aeiou".utf8
        return letters.allSatisfy { (0x61...0x7A).contains($0) } && vowels.contains(letters[1])
            && !vowels.contains(letters[0]) && !vowels.contains(letters[2])
    }

    // MARK: - Commands

    private mutating func command() -> Bool {
        index += 1
        guard let first = current else { return true }  // a trailing backslash
        guard first.isLatinLetter else {
            index += 1
            return first == "\\" && isDoubled ? namedCommand() : controlSign(first)
        }
        return namedCommand()
    }

    /// Whether a backslash was doubled on its way through some program, as in `\\frac{1}{2}`:
    /// a known command follows, and there are no rows that it could separate.
    private var isDoubled: Bool {
        guard !tokens.contains(where: { if case .begin = $0 { true } else { false } }) else {
            return false
        }
        let name = String(scalars: characters[index...].prefix { $0.isLatinLetter })
        return name.count > 1 && LexerTables.isKnown(name)
    }

    private mutating func namedCommand() -> Bool {
        let start = index
        while current?.isLatinLetter ?? false { index += 1 }
        let name = String(scalars: characters[start..<index])
        if LexerTables.dropped.contains(name) {
            sawSpace = true
        } else if LexerTables.wrappers.contains(name), !isReals(name) {
            wrapper(name)
        } else if name == "begin" || name == "end" {
            guard let environment = braced() else { return false }
            tokens.append(name == "begin" ? .begin(environment) : .end(environment))
            if name == "begin" && environment == "array" { _ = braced() }  // column types
        } else if LexerTables.accents.contains(name) {
            let letter = braced() ?? current.map { String(scalars: [$0]) } ?? ""
            if letter.unicodeScalars.count == 1, current.map({ String(scalars: [$0]) }) == letter {
                index += 1
            }
            tokens.append(.symbol("\\\(name){\(letter.filter { $0 != " " })}"))
        } else if name == "pmod" || name == "bmod" || name == "mod" {
            while current == " " { index += 1 }
            let digits = characters[index...].prefix { $0.isNumeral }
            let modulus = braced() ?? String(scalars: digits)
            if !digits.isEmpty { index += digits.count }
            tokens.append(.text("mod " + modulus))
        } else if isReals(name) {
            index += 3
            tokens.append(.symbol("\\reals"))
        } else if let spelled = LexerTables.commands[name] {
            tokens.append(spelled)
        } else if LexerTables.letters.contains(name) {
            tokens.append(.symbol("\\" + name))
        } else if name.hasPrefix("quad") {  // "\quadx"
            index = start + 4
        } else {
            return false
        }
        return true
    }

    /// Whether `\mathbb{R}` stands here.
    private func isReals(_ name: String) -> Bool { name == "mathbb" && startsHere("{R}") }

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
        if name == "operatorname" || name == "mathrm", let function = LexerTables.words[words] {
            tokens.append(function)
        } else if ["and", "or"].contains(words) || contents.allSatisfy({ ", ".contains($0) }) {
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
    mutating func braced() -> String? {
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
