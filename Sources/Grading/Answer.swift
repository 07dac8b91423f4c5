/// An answer made ready for comparison: as text, as a choice letter, as mathematics.
struct Answer {
    /// The answer without wrappers and idle space; equal keys are equal answers.
    let key: String
    /// The key without the letter of a choice that stands in front of a value, as in "(B) 12".
    let value: String
    /// The letter, where the answer is or begins with the letter of a choice, as in "(B) 12".
    let choice: Character?
    /// Whether the answer is that letter and nothing else.
    let isOnlyChoice: Bool
    /// The answer as mathematics; `nil` where it is words or is not understood.
    let expression: Expression?
    /// The number that the answer is under the reading of its one comma as a decimal comma.
    let decimalComma: Expression?

    /// The time or date that the answer is.
    let moment: Moment?
    /// Whether the answer is what a sentence says of its subject; then `whole` is the sentence.
    var isPredicate = false
    /// The whole text in small letters.
    var whole = ""

    /// Whether nothing is left once wrappers and space are gone.
    var isBlank: Bool { key.isEmpty }

    /// The key with the letter case of words ignored; letters of formulas keep theirs.
    var words: String { FoldedText.folded(value) }

    /// Whether the answer holds no digit.
    var isInWords: Bool { !key.utf8.contains(where: \.isDigit) }

    /// Reads what a text states as its answer.
    init(_ text: String, budget: WorkBudget) {
        let text =
            text.utf8.count <= WorkBudget.maximumLength
            ? Clauses.withSigns(Typography.plain(text)) : text
        let statement = Statement(in: text)
        self.init(asItStands: statement.text, budget: budget)
        guard statement.isPredicate, expression == nil else { return }
        isPredicate = true
        whole = FoldedText.folded(Self.key(of: text))
    }

    private init(asItStands text: String, budget: WorkBudget) {
        budget.spend(text.utf8.count)
        guard text.utf8.count <= WorkBudget.maximumLength else {
            (key, value, choice, isOnlyChoice, expression) = (text, text, nil, false, nil)
            (decimalComma, moment) = (nil, nil)
            return
        }
        let text = Clauses.plain(Self.stripped(text))
        key = Self.key(of: text)
        (choice, isOnlyChoice) = Self.choice(in: key)
        func parsed(_ text: String) -> Expression? {
            Lexer.tokens(of: text, budget: budget).flatMap { Parser.parse($0, budget: budget) }
        }
        moment = Moment(key)
        let isChoiceWithValue = choice != nil && !isOnlyChoice
        value = isChoiceWithValue ? Self.behindChoice(key) : key
        expression =
            WordArithmetic.expression(value, leaf: parsed)
            ?? (Self.isProse(value)
                ? StockPhrase.expression(FoldedText.folded(value))
                : parsed(isChoiceWithValue ? value : text))
        decimalComma = Self.withDecimalPoint(text).flatMap(parsed)
    }

    /// "-1,5 €" as "-1.5 €"; `nil` where there is not exactly one comma between digits, or it may
    /// separate thousands.
    private static func withDecimalPoint(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count <= 32, let comma = bytes.firstIndex(of: UInt8(ascii: ",")),
            bytes.lastIndex(of: UInt8(ascii: ",")) == comma,
            bytes.dropFirst(comma + 1).first?.isDigit == true
        else { return nil }
        var whole = bytes[..<comma]
        if let sign = whole.first, "+-".utf8.contains(sign) { whole.removeFirst() }
        let decimals = bytes[(comma + 1)...].prefix(while: \.isDigit)
        // A unit behind, or a 0 that no number of a list begins with, tells it from a list.
        let behind = bytes[decimals.endIndex...].first { !$0.isSpace }
        let isMarked = behind.map { $0 >= 0x80 || $0.isLetter || "%\\$".utf8.contains($0) } ?? false
        guard !whole.isEmpty, whole.allSatisfy(\.isDigit),
            isMarked || decimals.count > 1 && decimals.first == UInt8(ascii: "0"),
            decimals.count != 3 || whole.count > 3 || whole == [UInt8(ascii: "0")]
        else { return nil }
        return text.replacing(",", with: ".")
    }

    /// The text without math delimiters, emphasis, and space and full stops around it.
    private static func stripped(_ text: String) -> String {
        let undelimited = trimmed(withoutDollars(trimmed(Array(text.utf8)[...])))
        return String(decoding: undelimited, as: UTF8.self)
    }

    /// Removes space, full stops, `\(...\)`, `\[...\]` and `**...**` around the text.
    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = text
        let pairs = [("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("__", "__"), ("``", "''")]
        while true {
            let count = bytes.count
            while let first = bytes.first, first.isSpace { bytes.removeFirst() }
            while let last = bytes.last, last.isSpace || last == UInt8(ascii: ".") {
                let isEllipsis = bytes.count > 3 && bytes.suffix(3).elementsEqual("...".utf8)
                if isEllipsis, bytes[safe: bytes.endIndex - 4] != UInt8(ascii: ".") { break }
                bytes.removeLast()
            }
            for (open, close) in pairs
            where bytes.count >= 4 && bytes.starts(with: open.utf8)
                && bytes.suffix(2).elementsEqual(close.utf8)
            {
                bytes = bytes.dropFirst(2).dropLast(2)
            }
            if bytes.count >= 3, let mark = bytes.first, "*\"'".utf8.contains(mark),
                bytes.last == mark, !bytes.dropFirst().dropLast().contains(mark)
            {
                bytes = bytes.dropFirst().dropLast()
            }
            bytes = Remark.withoutSmile(bytes)
            if bytes.count == count { return bytes }
        }
    }

    /// Removes dollar signs that delimit mathematics: all of them where they pair up.
    private static func withoutDollars(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var result: [UInt8] = []
        var dollars = 0
        var escaped = false
        for byte in bytes {
            if byte == UInt8(ascii: "$"), !escaped {
                dollars += 1
            } else {
                result.append(byte)
            }
            escaped = byte == UInt8(ascii: "\\") && !escaped
        }
        return dollars % 2 == 0 ? result[...] : bytes
    }

    /// The text without font commands, sizing and space that separates nothing.
    private static func key(of text: String) -> String {
        let characters = Array(text.unicodeScalars)
        var result: [Unicode.Scalar] = []
        var dropsBrace: [Bool] = []
        var spaceBefore = false
        var afterWrapper = false
        var index = 0
        func append(_ character: Unicode.Scalar) {
            let joins = { (c: Unicode.Scalar) in
                c.properties.isAlphabetic || c.properties.numericType != nil
            }
            if spaceBefore, let last = result.last, joins(last), joins(character) {
                result.append(" ")
            }
            spaceBefore = false
            result.append(character)
        }
        while index < characters.count {
            let character = characters[index]
            index += 1
            if character.properties.isWhitespace {
                spaceBefore = true
            } else if character == "{" {
                dropsBrace.append(afterWrapper)
                if !afterWrapper { append(character) }
            } else if character == "}" {
                if dropsBrace.popLast() != true { append(character) }
            } else if character == "\\", index < characters.count {
                let start = index
                while index < characters.count, characters[index].isLatinLetter { index += 1 }
                let name = String(scalars: characters[start..<index])
                afterWrapper = LexerTables.wrappers.contains(name)
                if name.isEmpty, ",!;: ".unicodeScalars.contains(characters[start]) {
                    index += 1
                    spaceBefore = spaceBefore || characters[start] != "!"
                } else if !afterWrapper, !LexerTables.dropped.contains(name) {
                    append("\\")
                    if name.isEmpty {
                        append(characters[start])
                        index += 1
                    } else {
                        name.unicodeScalars.forEach(append)
                        spaceBefore = true
                    }
                }
                continue
            } else {
                append(character)
            }
            afterWrapper = afterWrapper && character.properties.isWhitespace
        }
        return String(scalars: result)
    }

    /// "B", "(B)", "B.", "option B"; or the letter in front of "(B) 12" and "B: 12".
    private static func choice(in key: String) -> (Character?, isOnly: Bool) {
        var rest = key[...]
        for word in ["the ", "option ", "choice ", "answer "]
        where rest.count < 16 && rest.lowercased().hasPrefix(word) {
            rest.removeFirst(word.count)
        }
        for word in ["Option(", "option(", "Choice(", "choice("] where rest.hasPrefix(word) {
            rest.removeFirst(word.count - 1)
        }
        let opened = rest.first == "("
        if opened { rest.removeFirst() }
        guard let letter = rest.popFirst(), ("A"..."J").contains(letter) else {
            return (nil, false)
        }
        if rest.isEmpty { return opened ? (nil, false) : (letter, true) }
        let mark = rest.removeFirst()
        guard opened ? mark == ")" : ").:".contains(mark) else { return (nil, false) }
        let next = rest.prefix(8).drop { $0 == " " }.prefix { $0.isLetter }
        if ["and", "or"].contains(next) || rest.contains("(") && rest.prefix(2).contains(",") {
            return (nil, false)
        }
        return (letter, rest.isEmpty)
    }

    /// "12" of "(B) 12", "B) 12", "option B: 12".
    private static func behindChoice(_ key: String) -> String {
        guard let mark = key.firstIndex(where: { ").:".contains($0) }) else { return key }
        let rest = key[key.index(after: mark)...].drop { " :".contains($0) }
        return rest.isEmpty ? key : String(rest)
    }

    /// Whether the answer is words: letters and spaces, with a word that is no mathematics; or a
    /// sentence: it begins with a letter and has two such words outside commands.
    private static func isProse(_ key: String) -> Bool {
        let first = key.prefix(12).prefix { $0.isLetter }.lowercased()
        if WordMeaning.numbers[first] != nil || LexerTables.prefixes.contains(first),
            key.utf8.count <= 64
        {
            return StockPhrase.expression(FoldedText.folded(key)) != nil
        }
        var words = 0
        var length = 0
        var isCommand = false
        var word: [UInt8] = []
        for byte in Array(key.utf8) + [0x20] {
            if byte.isLetter {
                length += 1
                if length <= 16 { word.append(byte.lowercased) }
                continue
            }
            if length >= 3, !isCommand {
                let spelled = String(decoding: word, as: UTF8.self)
                if LexerTables.words[spelled] == nil, !Unit.isUnit(spelled) { words += 1 }
            }
            // The name of an environment is no word.
            let isEnvironment =
                isCommand && byte == UInt8(ascii: "{")
                && (word.elementsEqual("begin".utf8) || word.elementsEqual("end".utf8))
            isCommand = byte == UInt8(ascii: "\\") || isEnvironment
            (length, word) = (0, [])
        }
        if words >= 2, key.first?.isLetter == true, key.contains(" ") { return true }
        let allowed = key.allSatisfy { $0.isLetter || " ,'-".contains($0) }
        guard allowed else { return false }
        return key.split(whereSeparator: { !$0.isLetter }).contains { word in
            word.count >= 3 && LexerTables.words[word.lowercased()] == nil
        }
    }
}
