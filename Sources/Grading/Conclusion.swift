/// The number that a closing sentence gives, as 360 in "So he picks a total of 360 in 3 hours".
///
/// A guess, as the last number of a text is, and a better one: of the numbers of a sentence that draws
/// the conclusion it takes the first that is no part of the subject and follows no preposition.
enum Conclusion {
    /// How many bytes from the end are looked at.
    private static let reach = 2_048
    /// How many sentences from the end may be the conclusion.
    private static let sentenceCount = 3

    /// The number that the conclusion of a text gives; nil where none is drawn, or where a later sentence
    /// has numbers too.
    static func number(in text: [UInt8]) -> [UInt8]? {
        let sentences = Sentence.split(Array(text.suffix(reach))).suffix(sentenceCount)
        guard let last = sentences.last(where: { $0.contains(where: \.isDigit) }) else {
            return nil
        }
        let words = last.prefix(24).map(\.lowercased)
        return openers.contains { words.starts(with: $0) } ? number(of: last) : nil
    }

    private static let openers = [
        "so ", "so, ", "therefore", "thus", "hence", "in total", "in conclusion", "altogether",
        "overall",
        "finally, ", "in all, ",
    ].map { Array($0.utf8) }

    private static func number(of sentence: [UInt8]) -> [UInt8]? {
        guard !hasFormula(sentence) else { return nil }
        // Of a calculation, what it comes to; of "the cost of 6 pens is 12", what it is.
        let calculation = sentence.lastIndex(of: UInt8(ascii: "=")).map { $0 + 1 }
        let outline = sentence.map(\.lowercased)
        let verb = verbs.compactMap { outline.lastRange(of: $0)?.upperBound }.max()
        for start in [calculation, verb].compactMap(\.self) {
            if let first = numbers(in: sentence, from: start).first {
                return Array(sentence[first])
            }
        }
        let all = numbers(in: sentence, from: 0)
        if all.count == 1 { return Array(sentence[all[0]]) }
        return all.first { isObject($0, in: sentence) }.map { Array(sentence[$0]) }
    }

    private static let verbs = [" is ", " are ", " was ", " were ", " equals ", " is: "].map {
        Array($0.utf8)
    }

    /// Whether a sentence holds commands other than brackets and text: no words can tell its number then.
    private static func hasFormula(_ sentence: [UInt8]) -> Bool {
        sentence.indices.contains { index in
            sentence[index] == UInt8(ascii: "\\") && (sentence[safe: index + 1]?.isLetter ?? false)
                && !sentence[index...].starts(with: "\\text{".utf8)
        } || sentence.contains(UInt8(ascii: "^"))
    }

    /// The numbers of a sentence: digits with thousands, decimals, a fraction bar, a percent sign.
    private static func numbers(in text: [UInt8], from start: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = start
        while index < text.count {
            guard text[index].isDigit else {
                index += 1
                continue
            }
            var first = index
            while index < text.count {
                if text[index].isDigit {
                    index += 1
                } else if ".,/".utf8.contains(text[index]), text[safe: index + 1]?.isDigit ?? false
                {
                    index += 1
                } else {
                    break
                }
            }
            if text[safe: first - 1] == UInt8(ascii: "."),
                !(text[safe: first - 2]?.isDigit ?? false)
            {
                first -= 1
            }
            if text[safe: first - 1] == UInt8(ascii: "-"), text[safe: first - 2]?.isSpace ?? true {
                first -= 1
            }
            if text[safe: index] == UInt8(ascii: "%") { index += 1 }
            found.append(first..<index)
        }
        return found
    }

    /// Whether a number is what the verb is about: words that are no preposition stand before it, and it
    /// begins no compound such as "3-hour".
    private static func isObject(_ number: Range<Int>, in text: [UInt8]) -> Bool {
        if text[safe: number.upperBound] == UInt8(ascii: "-"),
            text[safe: number.upperBound + 1]?.isLetter ?? false
        {
            return false
        }
        if text[safe: number.lowerBound - 1]?.isLetter ?? false { return false }
        if text[safe: number.upperBound]?.isLetter ?? false { return false }
        let words = text[..<number.lowerBound].split(whereSeparator: { !$0.isLetter }).suffix(4).map
        {
            String(decoding: $0, as: UTF8.self).lowercased()
        }
        guard words.count > 1, let before = words.last else { return false }
        if before == "of" { return totals.contains(words[words.count - 2]) }
        if before == "to" {
            return ["comes", "came", "amounts", "up", "equal"].contains(words[words.count - 2])
        }
        return !prepositions.contains(before)
    }

    private static let totals: Set<String> = [
        "total", "sum", "average", "amount", "profit", "cost", "distance", "value", "number",
        "maximum",
        "minimum", "rate", "price", "speed", "weight", "income",
    ]
    private static let prepositions: Set<String> = [
        "in", "for", "at", "by", "over", "from", "after", "per", "with", "each", "the", "his",
        "her",
        "their", "its", "every", "within", "during", "than", "past", "on", "between", "all",
        "those",
        "these", "and", "next", "first", "last", "so", "therefore", "thus", "hence", "this", "if",
        "when",
        "step", "my", "our", "day", "week", "section", "problem", "part", "other",
    ]
}
