/// LaTeX commands, font changes and text.
extension Lexer {
    /// Reads the command that begins here.
    mutating func command() -> Bool {
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
        } else if LexerTables.droppedWithArgument.contains(name) {
            _ = braced()
            sawSpace = true
        } else if name == "fcolorbox" {
            _ = (braced(), braced())
        } else if LexerTables.wrappers.contains(name), !isReals(name) {
            if current == "*" { index += 1 }
            wrapper(name)
        } else if name == "begin" || name == "end" {
            return environment(name)
        } else if LexerTables.accents.contains(name) {
            accent(name)
        } else if name == "pmod" || name == "bmod" || name == "mod" {
            modulus(isRemainder: name != "pmod")
        } else if isReals(name) {
            index += 3
            tokens.append(.symbol("\\reals"))
        } else if let spelled = LexerTables.commands[name] {
            tokens.append(spelled)
        } else if LexerTables.letters.contains(name) {
            let plain = LexerTables.variants[name] ?? name
            tokens.append(.symbol("\\" + plain))
        } else if name.hasPrefix("quad") {  // "\quadx"
            index = start + 4
        } else {
            return false
        }
        return true
    }

    /// `\begin{...}` and `\end{...}`; environments that only lay out lines are dropped.
    private mutating func environment(_ name: String) -> Bool {
        guard let environment = braced() else { return false }
        if LexerTables.layouts.contains(environment) {
            tokens.append(.layout(begins: name == "begin"))
            return true
        }
        tokens.append(name == "begin" ? .begin(environment) : .end(environment))
        if name == "begin" && environment == "array" { _ = braced() }  // column types
        return true
    }

    /// A mark over a letter: the unit vectors `\hat{i}` and `\vec{j}`, or one more name.
    private mutating func accent(_ name: String) {
        let single = current.map { String(scalars: [$0]) } ?? ""
        var letter = braced() ?? single
        if letter.unicodeScalars.count == 1, single == letter { index += 1 }
        letter = letter.filter { $0 != " " }
        for (spelling, plain) in [("\\imath", "i"), ("\\jmath", "j"), ("\\mathbf{", ""), ("}", "")]
        {
            letter = letter.replacing(spelling, with: plain)
        }
        let isVector = ["hat", "vec", "widehat", "overrightarrow"].contains(name)
        if isVector, ["i", "j", "k"].contains(letter) {
            tokens.append(.symbol("\\unit{\(letter)}"))
        } else {
            tokens.append(.symbol("\\\(name){\(letter)}"))
        }
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
        case "|": tokens.append(.sign("‖"))
        case "#": break  // "\#A" is named as A is
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
        let words = contents.filter { $0 != "," && $0 != "~" }.split(separator: " ").joined(
            separator: " "
        )
        let lower = words.lowercased()
        let isFont =
            name.hasPrefix("math") && name != "mathrm" || name == "bm" || name == "boldsymbol"
        let isBold = ["mathbf", "bm", "boldsymbol"].contains(name)
        if isBold, ["i", "j", "k", "\\imath", "\\jmath"].contains(words) {
            tokens.append(
                .symbol(
                    "\\unit{\(words.last(where: { "ijk".contains($0) }) ?? words.first ?? "i")}"
                )
            )
        } else if Unit.isUnit(lower), endsInNumber, LexerTables.words[lower] != nil {
            tokens.append(.text(words))  // "45 \text{ min}"
        } else if ["operatorname", "mathrm", "text"].contains(name),
            let function = LexerTables.words[lower],
            case .command = function
        {
            tokens.append(function)
        } else if name == "operatorname" || name == "mathrm",
            let function = LexerTables.commands[words],
            case .command = function
        {
            tokens.append(function)
        } else if let value = WordMeaning.numbers[lower] {
            tokens.append(
                .number(
                    NumberLiteral(
                        digits: Array(String(value).utf8),
                        spaceBefore: sawSpace,
                        isWord: true
                    )
                )
            )
        } else if ["if", "for", "when"].contains(lower), tokens.contains(.begin("cases")) {
            sawSpace = true
        } else if ["otherwise", "else", "elsewhere"].contains(lower),
            tokens.contains(.begin("cases"))
        {
            tokens.append(.symbol(Expression.otherwise))
        } else if lower.hasPrefix("("), lower.hasSuffix(")"), endsInNumber,
            let base = Self.base(of: String(lower.dropFirst().dropLast()))
        {
            tokens.append(.text("base " + base))
        } else if lower == "and" {
            tokens.append(.sign("∧"))
        } else if lower == "or" {
            tokens.append(.sign("∨"))
        } else if contents.allSatisfy({ ", ".contains($0) }) {
            tokens.append(.sign(","))
        } else if lower == "to", endsInNumber {
            tokens.append(.sign(":"))
        } else if !isFont, words.count > 1, let unit = Unit.spelled(contents),
            LexerTables.words[lower] == nil
        {
            tokens.append(.text(unit))
        } else if contents.unicodeScalars.contains(where: {
            $0.isNumeral || $0 == "," || $0 == "\\"
        }) || name == "boxed" || isFont && words.count == 1
            || WordMeaning.numbers[String(lower.prefix { $0.isLetter })] != nil
        {
            index = start  // the braces are read as a group
        } else if opensAnswer(lower) {
            tokens += lower.split(separator: " ").map { .word(String($0)) }
        } else {
            tokens.append(.text(words))
        }
    }

    /// Whether the words of a text command stand where an answer begins and belong to it: "negative",
    /// "at least", "seven".
    private func opensAnswer(_ words: String) -> Bool {
        switch tokens.last {
        case nil, .sign(",")?, .sign("=")?, .sign("∧")?, .sign("∨")?: break
        default: return false
        }
        let first = words.prefix { $0.isLetter }
        return LexerTables.prefixes.contains(String(first))
    }
}
