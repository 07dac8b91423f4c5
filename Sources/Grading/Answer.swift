/// An answer made ready for comparison: as text, as a choice letter, as mathematics.
struct Answer {
    /// The answer without wrappers and idle space; equal keys are equal answers.
    let key: String
    /// The letter, where the answer is or begins with the letter of a choice, as in "(B) 12".
    let choice: Character?
    /// Whether the answer is that letter and nothing else.
    let isOnlyChoice: Bool
    /// The answer as mathematics; `nil` where it is words or is not understood.
    let expression: Expression?

    /// Whether nothing is left once wrappers and space are gone.
    var isBlank: Bool { key.isEmpty }

    /// The key with letter case ignored, for answers in words.
    var words: String { key.lowercased() }

    init(_ text: String, budget: WorkBudget) {
        budget.spend(text.utf8.count)
        guard text.utf8.count <= WorkBudget.maximumLength else {
            (key, choice, isOnlyChoice, expression) = (text, nil, false, nil)
            return
        }
        let text = Self.stripped(text)
        key = Self.key(of: text)
        (choice, isOnlyChoice) = Self.choice(in: key)
        expression =
            Self.isProse(key)
            ? nil
            : Lexer.tokens(of: text, budget: budget)
                .flatMap { Parser.parse($0, budget: budget) }
    }

    /// The text without math delimiters, emphasis, and space and full stops around it.
    private static func stripped(_ text: String) -> String {
        let undelimited = trimmed(withoutDollars(trimmed(Array(text.utf8)[...])))
        return String(decoding: undelimited, as: UTF8.self)
    }

    /// Removes space, full stops, `\(...\)`, `\[...\]` and `**...**` around the text.
    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = text
        let pairs = [("\\(", "\\)"), ("\\[", "\\]"), ("**", "**")]
        while true {
            let count = bytes.count
            while let first = bytes.first, first.isSpace { bytes.removeFirst() }
            while let last = bytes.last, last.isSpace || last == UInt8(ascii: ".") {
                bytes.removeLast()
            }
            for (open, close) in pairs
            where bytes.count >= 4 && bytes.starts(with: open.utf8)
                && bytes.suffix(2).elementsEqual(close.utf8)
            {
                bytes = bytes.dropFirst(2).dropLast(2)
            }
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
        for word in ["option ", "choice ", "answer "]
        where rest.count < 16 && rest.lowercased().hasPrefix(word) {
            rest.removeFirst(word.count)
        }
        let opened = rest.first == "("
        if opened { rest.removeFirst() }
        guard let letter = rest.popFirst(), ("A"..."J").contains(letter) else {
            return (nil, false)
        }
        if rest.isEmpty { return opened ? (nil, false) : (letter, true) }
        let mark = rest.removeFirst()
        guard opened ? mark == ")" : ").:".contains(mark) else { return (nil, false) }
        return (letter, rest.isEmpty)
    }

    /// Whether the answer is words: letters and spaces, with a word that is no mathematics.
    private static func isProse(_ key: String) -> Bool {
        let allowed = key.allSatisfy { $0.isLetter || " ,'-".contains($0) }
        guard allowed else { return false }
        return key.split(whereSeparator: { !$0.isLetter }).contains { word in
            word.count >= 3 && LexerTables.words[word.lowercased()] == nil
        }
    }
}
