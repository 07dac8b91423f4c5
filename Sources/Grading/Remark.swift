/// What follows an answer in its sentence and is no part of it: reasons, asides, contrasts.
enum Remark {
    /// An answer without the remark behind it, and without an exclamation mark or a smile that ends
    /// the sentence.
    ///
    /// With `isStated` the words before said that an answer comes, so that more is a remark: "by
    /// induction", "when n=10".
    static func removed(from text: [UInt8], isStated: Bool = false) -> [UInt8] {
        if let later = corrected(text) { return removed(from: later, isStated: isStated) }
        let outline = outline(of: text)
        var end = clause(in: outline, of: text, isStated: isStated)
        if let aside = aside(in: outline[..<end]) { end = aside }
        var rest = withoutSmile(text[..<end])
        while let last = rest.last,
            last.isSpace || last == UInt8(ascii: "!") || last == UInt8(ascii: ",")
        {
            rest.removeLast()
        }
        return Array(rest.isEmpty ? text[...] : rest)
    }

    /// The text without a smile at its end.
    static func withoutSmile(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        for smile in [" :)", " :-)", " ;)", " :D", " =)"] where text.ends(with: smile) {
            return text.dropLast(smile.utf8.count)
        }
        return text
    }

    /// Whether what stands before "and not" is a letter of logic: "p and not q" is one answer.
    private static func isProposition(_ text: ArraySlice<UInt8>) -> Bool {
        text.count == 1 && (text.first.map { (0x61...0x7A).contains($0) } ?? false)
    }

    /// Small letters, with what stands between dollar signs as underscores.
    static func outline(of text: [UInt8]) -> [UInt8] {
        var inFormula = false
        let dollars = text.count { $0 == UInt8(ascii: "$") }
        return text.map { byte in
            if byte == UInt8(ascii: "$"), dollars % 2 == 0 {
                inFormula.toggle()
                return byte
            }
            return inFormula ? UInt8(ascii: "_") : byte.lowercased
        }
    }

    // MARK: - Marks of a remark

    private static let marks = [
        " because ", " since ", ", so ", ", as ", ", which ", ", where ", ", not ", ", assuming ",
        ", thus ", ", hence ", ", therefore ", ", while ", ", with ", ", a ", ", an ", ", the ",
        ", rather ", ", found ", ", by ", ", we ", ", it ", ", this ", ", and the ",
        ", and we ", ", and so ", ", and it ", ", and this ", ", that ", " where ", " as required",
        "; the ", "; this ", ", using ", ", after ", ", making ", " which ", ", giving ", ", i.e.",
        ", namely ", ", then ", ", for a total", " rather than ", " instead of ", " and not ",
        ", and not", ", but not", " as opposed to", ", whereas", " whereas ", ", unlike ",
        ", although", ", though", ", even though", " according to ", " due to ", " thanks to ",
        " by using ", " using ", " via ", " as the ", " as our ", " as my ", " as an answer",
        " as a final", " as shown", " as desired", " as needed", " as claimed", " as expected",
        " as before", " as above", " as stated", " for the answer", " i.e.", " e.g.", ", e.g.",
        " -- ", " --- ", "—", ", in other words", ", in which ", ", meaning ", ", obtained ",
        " given that ", " regardless ", " from part ", " from step ", " from equation ",
        " from above", " without loss", " as you ", " as we ", " as can ",
    ].map { Array($0.utf8) }

    private static let marksByFirst = Dictionary(grouping: marks, by: { $0[0] })

    /// Words that open a clause behind a semicolon or a dash.
    private static let openings: Set<String> = [
        "at", "the", "this", "that", "these", "those", "we", "it", "he", "she", "they", "you", "i",
        "so", "hence", "thus", "therefore", "since", "because", "for", "with", "by", "in", "on",
        "when", "note", "check", "as", "but", "each", "every", "all", "there", "using", "which",
        "see", "not", "only", "here", "no", "others", "other", "any", "then", "also", "remember",
    ]

    /// Where a remark begins: at one of the marks, or at a clause behind a semicolon, a dash, "by",
    /// "for the" or "when"; the end of the text if nowhere.
    private static func clause(in outline: [UInt8], of text: [UInt8], isStated: Bool) -> Int {
        func word(at index: Int) -> String {
            String(
                decoding: outline[min(index, outline.count)...].prefix { $0.isLetter },
                as: UTF8.self
            )
        }
        let behindNumber = isStated ? sentence(behindNumberIn: outline) : nil
        for index in outline.indices.dropFirst() {
            if index == behindNumber { return index }
            guard let marks = marksByFirst[outline[index]] else { continue }
            let rest = outline[index...]
            if marks.contains(where: { rest.starts(with: $0) }),
                !(rest.starts(with: " and not ".utf8) && isProposition(text[..<index]))
            {
                return index
            }
            if rest.starts(with: "; ".utf8), openings.contains(word(at: index + 2)) {
                return index
            }
            guard outline[index] == 0x20 else { continue }
            if rest.starts(with: " - ".utf8), openings.contains(word(at: index + 3)) {
                return index
            }
            guard isStated else { continue }
            if rest.starts(with: " by ".utf8), isWord(word(at: index + 4)) { return index }
            if rest.starts(with: " for the ".utf8) || rest.starts(with: " for each ".utf8) {
                return index
            }
            for condition in [" when ", " at ", " for ", " as "]
            where rest.starts(with: condition.utf8) {
                if isAssignment(outline[(index + condition.utf8.count)...]) { return index }
            }
            if rest.starts(with: " after ".utf8) {
                let word = word(at: index + 7)
                if word.hasSuffix("ing") || word.hasSuffix("ion") { return index }
            }
        }
        return outline.count
    }

    private static let conditions: Set<String> = [
        "or", "and", "if", "unless", "when", "provided", "only", "except", "otherwise", "maybe",
        "perhaps", "possibly", "no", "wait", "probably",
    ]

    /// Where words begin behind a comma, or a sentence behind a semicolon, that stands behind a number
    /// alone: "12, attained at x=2", "12; 13 would be too many".
    private static func sentence(behindNumberIn outline: [UInt8]) -> Int? {
        guard let end = outline.firstIndex(where: { ",;".utf8.contains($0) }), end > 0,
            outline[safe: end + 1] == 0x20,
            outline[..<end].allSatisfy({ $0.isDigit || "$_.-/ ".utf8.contains($0) })
        else { return nil }
        let rest = Array(outline[(end + 2)...])
        if outline[end] == UInt8(ascii: ";") { return Sentence.mayBe(rest) ? end : nil }
        let word = String(decoding: rest.prefix { $0.isLetter }, as: UTF8.self)
        return isWord(word) && !conditions.contains(word) && rest.count > word.utf8.count
            ? end : nil
    }

    private static func isWord(_ word: String) -> Bool {
        word.utf8.count >= 2 && LexerTables.words[word] == nil && !Unit.isUnit(word)
            && WordMeaning.numbers[word] == nil
    }

    /// "n=10", "3*4 = 12", or a formula.
    private static func isAssignment(_ text: ArraySlice<UInt8>) -> Bool {
        if text.starts(with: "$__".utf8) { return true }
        let left = text.prefix(16).prefix { $0 != UInt8(ascii: "=") }
        return left.count < min(16, text.count) && !left.isEmpty
            && left.split(whereSeparator: { !$0.isLetter }).allSatisfy { $0.count == 1 }
    }

    /// Where words in brackets begin behind an answer: " (see step 4)".
    static func aside(in text: ArraySlice<UInt8>) -> Int? {
        guard let start = text.lastRange(of: Array(" (".utf8)), start.lowerBound > text.startIndex
        else {
            return nil
        }
        let inside = text[start.upperBound...]
        let word = inside.prefix { $0.isLetter }
        let spelled = String(decoding: word, as: UTF8.self)
        let isRemark =
            [" is ", " are "].contains { inside.firstRange(of: Array($0.utf8)) != nil }
            || ["i.e.", "e.g.", "and not ", "not "].contains { inside.starts(with: $0.utf8) }
            || inside.first?.isDigit ?? false && inside.contains(UInt8(ascii: "="))
        let braces = text[..<start.lowerBound].reduce(0) {
            $0 + ($1 == UInt8(ascii: "{") ? 1 : $1 == UInt8(ascii: "}") ? -1 : 0)
        }
        guard braces == 0,
            isRemark
                || word.count >= 2 && LexerTables.words[spelled] == nil && spelled != "mod"
                    && spelled != "base" && spelled != "modulo"
                    && !inside.starts(with: "in base".utf8)
        else { return nil }
        return start.lowerBound
    }

    // MARK: - Answers taken back

    private static let corrections = [
        ", no, ", ", no wait, ", ", i mean ", ", or rather ", ", sorry, ", ", make that ",
        " -- no, ", "; no, ", "... no, ", "? no, ", ", wait, ", ", but it is ",
    ].map { Array($0.utf8) }

    /// What stands behind words that take back the answer before them: "12, no, 14".
    static func corrected(_ text: [UInt8]) -> [UInt8]? {
        guard text.count <= 256, text.contains(where: { ",-;?.".utf8.contains($0) }) else {
            return nil
        }
        let outline = outline(of: text)
        guard outline.firstRange(of: Array(" ".utf8)) != nil,
            let end = corrections.compactMap({ mark -> Int? in
                guard let end = outline.lastRange(of: mark)?.upperBound else { return nil }
                // "but it is not whole" takes nothing back.
                let isValue =
                    text[safe: end].map { $0.isDigit || "$\\-".utf8.contains($0) } ?? false
                return isValue || !mark.elementsEqual(", but it is ".utf8) ? end : nil
            }).max(), end < text.count
        else { return nil }
        return Array(text[end...])
    }

    private static let withdrawals = [
        "no,", "no.", "no -", "no:", "correction", "sorry", "oops", "scratch that", "i mean",
        "make that", "that's wrong", "that is wrong", "this is wrong", "wrong", "wait, no",
        "wait, that's", "wait, that is", "wait, it", "wait, the answer", "actually, it",
        "actually, the answer", "actually it", "actually, no", "actually, that",
    ].map { Array($0.utf8) }

    /// What is said instead, where a text such as "No, it is 13" takes back what was said before.
    static func replacement(in text: ArraySlice<UInt8>) -> [UInt8]? {
        let rest = text.drop { $0.isSpace || "?!.*_".utf8.contains($0) }
        let start = rest.prefix(24).map(\.lowercased)
        guard let word = withdrawals.first(where: { start.starts(with: $0) }) else { return nil }
        let said = rest.dropFirst(word.count).drop { $0.isSpace || ",:.-".utf8.contains($0) }
        // The subject belongs to what is said.
        let lead = word.ends(with: " it") ? "it " : word.ends(with: "answer") ? "the answer " : ""
        return said.isEmpty ? nil : Array(lead.utf8) + Array(said)
    }
}
