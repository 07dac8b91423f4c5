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
    var bracketDepth = 0
    /// Whether space stands before the next token.
    var sawSpace = false
    /// Whether semicolons separate elements, so that a comma between digits is a decimal comma.
    let hasSemicolons: Bool

    private init(_ characters: [Unicode.Scalar], budget: WorkBudget) {
        self.characters = characters
        self.budget = budget
        hasSemicolons = characters.contains(";")
    }

    /// The tokens of an answer.
    static func tokens(of text: String, budget: WorkBudget) -> [Token]? {
        var lexer = Lexer(Array(text.unicodeScalars), budget: budget)
        while lexer.index < lexer.characters.count {
            guard lexer.step(), lexer.tokens.count <= WorkBudget.maximumTokens, budget.spend(1)
            else { return nil }
        }
        return lexer.tokensWithoutLayout
    }

    /// The tokens without the lines and columns of a layout: a line that begins with a sign goes on,
    /// any other is one more element.
    private var tokensWithoutLayout: [Token] {
        guard tokens.contains(where: { if case .layout = $0 { true } else { false } }) else {
            return tokens
        }
        var result: [Token] = []
        var depth = 0
        for (index, token) in tokens.enumerated() {
            switch token {
            case .layout,
                .sign("&") where depth == 0:
                continue
            case .newRow where depth == 0:
                let next = tokens[(index + 1)...].first { $0 != .sign("&") }
                if next != .sign("="), next != nil { result.append(.sign(",")) }
            default:
                if case .begin = token { depth += 1 }
                if case .end = token { depth -= 1 }
                result.append(token)
            }
        }
        return result
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
        if character == "#", current?.isLatinLetter ?? current?.isNumeral ?? false { return true }
        if "'’′".unicodeScalars.contains(character), case .symbol(let name)? = tokens.last {
            tokens[tokens.count - 1] = .symbol(name + "'")
            return true
        }
        if character == "'", current == "s", case .word? = tokens.last {  // "Ann's"
            index += 1
            return true
        }
        if "'\"″".unicodeScalars.contains(character), endsInNumber {
            let isDouble = character != "'" || current == "'"
            if character == "'", isDouble { index += 1 }
            tokens.append(.word(isDouble ? "inches" : "feet"))
            return true
        }
        if let spelled = LexerTables.unicode[character] {
            tokens += spelled
            return true
        }
        guard LexerTables.signs.contains(character) else { return false }
        if character == "(", let modulus = bracketedModulus() {
            tokens.append(.text("mod " + modulus))
            return true
        }
        if character == "(", let base = bracketedBase() {
            tokens.append(.text("base " + base))
            return true
        }
        if character == "{", current == "}" {  // "{}_8C_2"
            index += 1
            return true
        }
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
    var endsInNumber: Bool { if case .number? = tokens.last { true } else { false } }

    private mutating func append(sign: Character) {
        if "([".contains(sign) { bracketDepth += 1 }
        if ")]".contains(sign) { bracketDepth = max(0, bracketDepth - 1) }
        tokens.append(.sign(sign))
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
