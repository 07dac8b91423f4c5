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
        var rest = text[..<end]
        while let last = rest.last,
            last.isSpace || last == UInt8(ascii: "!") || last == UInt8(ascii: ",")
        {
            rest.removeLast()
        }
        return Array(rest.isEmpty ? text[...] : rest)
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
            String(decoding: outline[min(index, outline.count)...].prefix { $0.isLetter }, as: UTF8.self)
        }
        for index in outline.indices.dropFirst() {
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
            if rest.starts(with: " when ".utf8), isAssignment(outline[(index + 6)...]) {
                return index
            }
        }
        return outline.count
    }

    private static func isWord(_ word: String) -> Bool {
        word.utf8.count >= 2 && LexerTables.words[word] == nil && !Unit.isUnit(word)
            && WordMeaning.numbers[word] == nil
    }

    /// "n=10", or a formula.
    private static func isAssignment(_ text: ArraySlice<UInt8>) -> Bool {
        if text.starts(with: "$__".utf8) { return true }
        let rest = text.filter { $0 != 0x20 }.prefix(3)
        return rest.count == 3 && rest[0].isLetter && rest[1] == UInt8(ascii: "=")
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
        let isRemark = [" is ", " are "].contains { inside.firstRange(of: Array($0.utf8)) != nil }
            || ["i.e.", "e.g.", "and not ", "not "].contains { inside.starts(with: $0.utf8) }
        let braces = text[..<start.lowerBound].reduce(0) {
            $0 + ($1 == UInt8(ascii: "{") ? 1 : $1 == UInt8(ascii: "}") ? -1 : 0)
        }
        guard braces == 0,
            isRemark
                || word.count >= 2 && LexerTables.words[spelled] == nil && spelled != "mod"
                    && spelled != "base" && spelled != "modulo"
        else { return nil }
        return start.lowerBound
    }

    // MARK: - Answers taken back

    private static let corrections = [
        ", no, ", ", no wait, ", ", i mean ", ", or rather ", ", sorry, ", ", make that ",
        " -- no, ", "; no, ", "... no, ", "? no, ", ", wait, ",
    ].map { Array($0.utf8) }

    /// What stands behind words that take back the answer before them: "12, no, 14".
    static func corrected(_ text: [UInt8]) -> [UInt8]? {
        guard text.count <= 256 else { return nil }
        let outline = outline(of: text)
        guard outline.firstRange(of: Array(" ".utf8)) != nil,
            let end = corrections.compactMap({ outline.lastRange(of: $0)?.upperBound }).max(),
            end < text.count
        else { return nil }
        return Array(text[end...])
    }

    private static let withdrawals = [
        "no,", "no.", "no -", "no:", "correction", "sorry", "oops", "scratch that", "i mean",
        "make that", "that's wrong", "that is wrong", "this is wrong", "wrong", "wait, no",
        "wait, that's", "wait, that is", "wait, it", "wait, the answer", "actually, it",
        "actually, the answer", "actually it", "actually, no", "actually, that",
    ].map { Array($0.utf8) }

    /// What is said instead, where a text takes back what was said before it: "No, it is 13."
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
