import Foundation

/// What a problem says, in a form that is equal for two spellings of one problem and for no others.
///
/// Letter case, white space, markup, punctuation between words and the spelling of mathematics
/// (`\frac{1}{2}`, `\dfrac12` and ½; `\le`, `<=` and ≤; 1{,}000 and 1,000) do not count. Numbers
/// with their decimal points, signs, operators and brackets do, and so does where two numbers part.
struct ProblemText {
    /// A part of a text.
    struct Piece {
        /// What the part is.
        enum Kind {
            /// Digits, with a decimal point and without thousands separators.
            case number
            /// Letters.
            case word
            /// Letters that stand for a quantity or a function, or a sign that means something.
            case operand
            /// A sign that relates what stands on its two sides.
            case sign
            /// A character that means something in some places only.
            case mark
            /// Brackets.
            case open, close
        }

        var kind: Kind
        var text: String
        /// Whether white space stands before it.
        var isApart: Bool
    }

    /// A longer text, in bytes, is no problem that anybody poses: its form is the text itself, as
    /// reading its signs takes many times its length of memory.
    static let longest = 1 << 18

    /// The form as bytes.
    static func form(of text: String) -> [UInt8] {
        guard text.utf8.count <= longest else { return Array(text.utf8) }
        var reader = ProblemText(text)
        return ProblemTextForm(reader.pieces()).bytes
    }

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var isApart = false
    /// How many groups are open, and how deep commands and groups are nested.
    private var (groups, depth) = (0, 0)
    /// The deepest nesting that is followed; what is nested deeper is passed over.
    private static let deepest = 64

    private init(_ text: String) {
        var spelled = String.UnicodeScalarView()
        spelled.reserveCapacity(text.unicodeScalars.count)
        var wasRaised = false
        for scalar in text.unicodeScalars {
            let raised = ProblemSigns.raised[scalar]
            defer { wasRaised = raised != nil }
            if let raised {
                // Raised characters side by side are one exponent: {10}, not {1}{0}.
                if wasRaised { spelled.removeLast() }
                spelled.append(contentsOf: "\(wasRaised ? "" : "^{")\(raised)}".unicodeScalars)
            } else if let other = ProblemSigns.spellings[scalar] {
                spelled.append(contentsOf: other.unicodeScalars)
            } else {
                spelled.append(scalar)
            }
        }
        scalars = Array(String(spelled).precomposedStringWithCompatibilityMapping.unicodeScalars)
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        scalars.indices.contains(index + offset) ? scalars[index + offset] : nil
    }

    private mutating func made(_ kind: Piece.Kind, _ text: String) -> Piece {
        defer { isApart = false }
        return Piece(kind: kind, text: text, isApart: isApart)
    }

    /// All pieces up to the end of the text, or of the group that was entered.
    private mutating func pieces() -> [Piece] {
        var pieces: [Piece] = []
        while let scalar = peek() {
            if scalar == "}" {
                index += 1
                if groups > 0 { return pieces }
                continue
            }
            pieces += next()
        }
        return pieces
    }

    /// What begins at the current place, which is moved behind it.
    private mutating func next() -> [Piece] {
        guard let scalar = peek() else { return [] }
        guard depth < Self.deepest, !scalar.properties.isWhitespace else {
            index += 1
            isApart = true
            return []
        }
        depth += 1
        defer { depth -= 1 }
        if scalar.isDigit || isDecimalPoint(scalar) { return [made(.number, number())] }
        if scalar.properties.isAlphabetic || scalar.properties.generalCategory.isMark {
            return [word()]
        }
        switch scalar {
        case "\\": return command()
        case "{": return group()
        // It begins and ends mathematics, or is money.
        case "$":
            index += 1
            return []
        case "^", "_":
            index += 1
            let argument = argument()
            // 90^\circ is 90 degrees, and a subscript is told by its place.
            if scalar == "_" || argument.map(\.text) == ["°"] { return bracketed(argument) }
            return [made(.sign, "^")] + bracketed(argument)
        default: return [sign()]
        }
    }

    /// A point before digits and behind nothing that it could end.
    private func isDecimalPoint(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar == ".", peek(1)?.isDigit == true else { return false }
        guard let before = peek(-1) else { return true }
        return !before.properties.isAlphabetic && !before.isDigit && before != "."
    }

    private mutating func number() -> String {
        var text = peek() == "." ? "0" : ""
        while let scalar = peek() {
            if scalar.isDigit {
                text.unicodeScalars.append(scalar)
                index += 1
            } else if scalar == ".", peek(1)?.isDigit == true {
                text += "."
                index += 1
            } else if let length = thousandsSeparator(after: text) {
                index += length
            } else {
                break
            }
        }
        return text
    }

    /// The length of a separator here that parts the thousands of one number; nil for none.
    ///
    /// A plain comma may also part the numbers of a list or a pair: it separates thousands where
    /// all groups behind it have three digits and no brackets stand around them, as in (1,234).
    private func thousandsSeparator(after text: String) -> Int? {
        guard text.utf8.allSatisfy({ $0 != UInt8(ascii: ".") }) else { return nil }
        let separators: [[Unicode.Scalar]] = [[","], ["{", ",", "}"], ["\\", ","], ["\\", "!"]]
        for separator in separators
        where separator.indices.allSatisfy({ peek($0) == separator[$0] }) {
            let isComma = separator.count == 1
            guard hasThreeDigits(at: separator.count) else { return nil }
            guard isComma else { return separator.count }
            return commasPartThousands() ? 1 : nil
        }
        return nil
    }

    private func hasThreeDigits(at offset: Int) -> Bool {
        (offset..<offset + 3).allSatisfy { peek($0)?.isDigit == true }
            && peek(offset + 3)?.isDigit != true
    }

    private func commasPartThousands() -> Bool {
        var start = index
        while start > 0, scalars[start - 1].isDigit || scalars[start - 1] == "," { start -= 1 }
        var end = index
        while end < scalars.count, scalars[end].isDigit || scalars[end] == "," { end += 1 }
        let groups = scalars[start..<end].split(separator: ",", omittingEmptySubsequences: false)
        let full = groups.last?.isEmpty == true ? groups.dropLast() : groups[...]
        guard let first = full.first, (1...3).contains(first.count), first.first != "0",
            full.dropFirst().allSatisfy({ $0.count == 3 })
        else { return false }
        let brackets: Set<Unicode.Scalar> = ["(", "[", "{", ")", "]", "}"]
        let isEnclosed =
            start > 0 && brackets.contains(scalars[start - 1]) && end < scalars.count
            && brackets.contains(scalars[end])
        return !isEnclosed
    }

    private mutating func word() -> Piece {
        var text = String.UnicodeScalarView()
        while let scalar = peek(),
            scalar.properties.isAlphabetic && !scalar.isDigit
                || scalar.properties.generalCategory.isMark
        {
            text.append(scalar)
            index += 1
        }
        return named(String(text))
    }

    /// A word, or the quantity, function or sign that it names.
    private mutating func named(_ text: String) -> Piece {
        let small = text.lowercased()
        if small == "sqrt" { return made(.operand, "√") }
        let isQuantity =
            ProblemSigns.operands.contains(small)
            || text.count <= 2 && !ProblemSigns.shortWords.contains(small)
        return made(isQuantity ? .operand : .word, small)
    }

    private mutating func sign() -> Piece {
        for (spelled, meant) in ProblemSigns.digraphs
        where spelled.indices.allSatisfy({ peek($0) == spelled[$0] }) {
            index += spelled.count
            return made(meant == "…" ? .mark : .sign, meant)
        }
        guard let scalar = peek() else { return made(.mark, "") }
        index += 1
        if scalar == "*" {
            // **bold** begins and ends with one mark.
            let start = index - 1
            while peek() == "*" { index += 1 }
            return made(.mark, String(repeating: "*", count: index - start))
        }
        let text = String(Character(ProblemSigns.plain[scalar] ?? scalar))
        switch scalar {
        case "(", "[", "⟨", "⌊", "⌈": return made(.open, text)
        case ")", "]", "⟩", "⌋", "⌉": return made(.close, text)
        case "%", "°", "∞": return made(.operand, text)
        default:
            let isMark = ProblemSigns.marks.contains(text) || !scalar.isSymbol
            return made(isMark ? .mark : .sign, text)
        }
    }

    private mutating func group() -> [Piece] {
        index += 1
        groups += 1
        defer { groups -= 1 }
        return pieces()
    }

    /// What a command, `^` or `_` takes: a group, a command, a digit or a letter.
    private mutating func argument() -> [Piece] {
        while peek()?.properties.isWhitespace == true { index += 1 }
        guard let scalar = peek(), scalar != "}" else { return [] }
        if scalar == "{" { return group() }
        guard scalar.isDigit || scalar.properties.isAlphabetic else {
            let first = next()
            // x^-1 is x^{-1}.
            let isNegative = scalar == "-" || scalar == "−"
            guard isNegative, let follower = peek(), follower != "-", follower != "−" else {
                return first
            }
            return first + argument()
        }
        if scalar.isDigit, peek(-1) == "^" || peek(-1) == "_" { return [made(.number, number())] }
        index += 1
        return [made(scalar.isDigit ? .number : .operand, String(Character(scalar)).lowercased())]
    }

    private mutating func bracketed(_ pieces: [Piece]) -> [Piece] {
        guard pieces.count > 1 else { return pieces }
        return [made(.open, "(")] + pieces + [made(.close, ")")]
    }

    /// What a backslash begins.
    private mutating func command() -> [Piece] {
        index += 1
        guard let first = peek() else { return [] }
        guard first.isASCII, first.properties.isAlphabetic else {
            index += 1
            switch first {
            case "{": return [made(.open, "{")]
            case "}": return [made(.close, "}")]
            case "%", "#", "&", "|":
                index -= 1
                return [sign()]
            default:
                isApart = true
                return []
            }
        }
        let start = index
        while let scalar = peek(), scalar.isASCII, scalar.properties.isAlphabetic { index += 1 }
        let name = String(String.UnicodeScalarView(scalars[start..<index]))
        if let meant = ProblemSigns.commands[name] {
            let kind: Piece.Kind =
                ["°", "∞"].contains(meant)
                ? .operand : ProblemSigns.marks.contains(meant) ? .mark : .sign
            return [made(kind, meant)]
        }
        if let bracket = ProblemSigns.brackets[name] {
            return [made(bracket.isOpen ? .open : .close, bracket.text)]
        }
        if ProblemSigns.silent.contains(name) { return [] }
        if ProblemSigns.silentWithArgument.contains(name) {
            _ = argument()
            return []
        }
        switch name {
        case "frac", "dfrac", "tfrac", "cfrac":
            let top = bracketed(argument())
            return top + [made(.sign, "/")] + bracketed(argument())
        case "sqrt":
            let root = made(.operand, "√")
            var degree: [Piece] = []
            if peek() == "[" {
                while peek() != nil, peek() != "]" {
                    degree += next()
                }
                degree += next()
            }
            return [root] + degree + bracketed(argument())
        default:
            var pieces = [named(name)]
            while peek() == "{" {
                let inner = group()
                // An accent over one letter: \bar{x}_1 is \bar{x_1}.
                let isLetter = inner.first?.kind == .operand && inner.first?.text.count == 1
                let isIndexed =
                    inner.count == 1 || inner.count == 2 && inner[1].kind == .number
                pieces +=
                    isLetter && isIndexed
                    ? inner : [made(.open, "(")] + inner + [made(.close, ")")]
            }
            return pieces
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }

    fileprivate var isSymbol: Bool {
        switch properties.generalCategory {
        case .mathSymbol, .otherSymbol, .currencySymbol: true
        default: false
        }
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isMark: Bool {
        self == .nonspacingMark || self == .spacingMark || self == .enclosingMark
    }
}
