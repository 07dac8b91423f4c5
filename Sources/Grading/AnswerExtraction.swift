/// Finds the answer that a completion states.
///
/// Works on UTF-8 bytes in one pass per rule: linear in the length of the completion, whatever
/// it holds, and without recursion.
public enum AnswerExtraction {
    /// The answer of a completion, by the first rule of the style that finds one.
    ///
    /// - Returns: `nil` where no rule finds an answer that is not blank, or where the style
    ///   requires the end of the reasoning and the completion never reaches it.
    public static func extract(
        from completion: String,
        style: AnswerStyle
    ) -> ExtractedAnswer? {
        var bytes = Array(completion.utf8)
        if let end = bytes.lastRange(of: Array(style.reasoningEnd.utf8))?.upperBound {
            bytes.removeFirst(end)
        } else if style.requiresReasoningEnd {
            return nil
        }
        for rule in style.rules {
            let found =
                switch rule {
                case .boxed: lastBox(in: bytes)
                case .tagged: Statement.taggedAnswer(in: bytes) ?? Statement.closingMark(in: bytes)
                case .conclusion: Conclusion.number(in: bytes)
                case .phrase: afterPhrase(in: bytes)
                case .marker: style.marker.flatMap { afterMarker($0, in: bytes) }
                case .lastNumber: lastNumber(in: bytes)
                case .lastLetter: lastLetter(in: bytes)
                }
            if let found, !found.isEmpty {
                return ExtractedAnswer(text: String(decoding: found, as: UTF8.self), rule: rule)
            }
        }
        return nil
    }

    // MARK: - Boxes

    /// The contents of the last outermost balanced box; a box in a box is unwrapped.
    ///
    /// Boxes that only a comma, "and" or "or" separates, with or without the name of the next one
    /// (`x = \boxed{1}, y = \boxed{2}`), are one answer in parts.
    static func lastBox(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.lastRange(of: Array("box".utf8)) != nil else { return nil }
        let closing = matchingBraces(in: bytes)
        var parts: [[UInt8]] = []
        var end = 0
        var index = 0
        while index < bytes.count {
            guard let (inside, next) = box(in: bytes, at: index, closing: closing) else {
                index += 1
                continue
            }
            if bytes[inside].contains(where: { !$0.isSpace }) {
                if !parts.isEmpty, !isConnector(bytes[end..<index]) { parts = [] }
                parts.append(unwrapped(inside, in: bytes, closing: closing))
                end = next
            }
            index = next
        }
        return parts.isEmpty ? nil : Array(parts.joined(separator: ", ".utf8))
    }

    /// Whether what stands between two boxes makes them one answer.
    private static func isConnector(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 64 else { return false }
        var rest = String(decoding: bytes, as: UTF8.self)
        var connects = false
        for word in ["\\text", "\\quad", "\\mbox", "\\(", "\\)", "\\ ", "\\,"] {
            rest = rest.replacing(word, with: " ")
        }
        for word in ["and", "or", ",", ";"] where rest.contains(word) {
            rest = rest.replacing(word, with: " ")
            connects = true
        }
        rest = rest.replacing(
            /^[ \t\n${}]*[A-Za-z](?:_(?:[A-Za-z0-9]|\{[A-Za-z0-9]+\}))? *=/,
            with: ""
        )
        return connects && rest.allSatisfy { " \t\n${}".contains($0) }
    }

    /// The contents of a box without the boxes that are all it holds.
    private static func unwrapped(
        _ inside: Range<Int>,
        in bytes: [UInt8],
        closing: [Int]
    ) -> [UInt8] {
        var last: Range<Int>? = inside
        while let outer = last, let start = bytes[outer].firstIndex(where: { !$0.isSpace }),
            let (inner, next) = box(in: bytes, at: start, closing: closing),
            bytes[next..<max(next, outer.upperBound)].allSatisfy(\.isSpace)
        {
            last = inner
        }
        return trimmed(bytes[last ?? inside])
    }

    /// The contents of the box command at `index`, and the index after the box.
    private static func box(
        in bytes: [UInt8],
        at index: Int,
        closing: [Int]
    ) -> (inside: Range<Int>, next: Int)? {
        guard bytes[index] == UInt8(ascii: "\\") else { return nil }
        guard let name = boxNames.first(where: { bytes[index...].starts(with: $0) }) else {
            return nil
        }
        var start = index + name.count
        while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start += 1 }
        guard start < bytes.count else { return nil }
        if bytes[start] == UInt8(ascii: "{") {
            let end = closing[start]
            guard end > start else { return nil }
            return (start + 1..<end, end + 1)
        }
        // "\boxed 5": up to the next space or closing sign. "\boxedfoo" is another command.
        guard start > index + name.count || !bytes[start].isLetter else { return nil }
        let end = bytes[start...].firstIndex { $0.isSpace || $0 == UInt8(ascii: "$") }
        var stop = end ?? bytes.count
        while stop > start, ".,;".utf8.contains(bytes[stop - 1]) { stop -= 1 }
        return stop > start ? (start..<stop, stop) : nil
    }

    private static let boxNames = [Array("\\boxed".utf8), Array("\\fbox".utf8)]

    /// For each `{` that has a partner, the index of its `}`, elsewhere 0.
    ///
    /// Escaped braces are skipped.
    private static func matchingBraces(in bytes: [UInt8]) -> [Int] {
        var open: [Int] = []
        var closing = Array(repeating: 0, count: bytes.count)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "{"): open.append(index)
            case UInt8(ascii: "}"): if let start = open.popLast() { closing[start] = index }
            default: break
            }
            index += 1
        }
        return closing
    }

    // MARK: - Phrases and markers

    /// What follows the last "answer is" or "answer:": a formula over several lines, or the text up
    /// to the end of its sentence or line.
    static func afterPhrase(in bytes: [UInt8]) -> [UInt8]? {
        let lowercase = bytes.map { $0.lowercased }
        if let start = lowercase.lastRange(of: Array("答案".utf8))?.upperBound,
            let colon = ["：", ":"].lazy.map({ Array($0.utf8) }).first(where: {
                lowercase[start...].starts(with: $0)
            })
        {
            return sentence(in: bytes, from: start + colon.count).text
        }
        let word = Array("answer".utf8)
        var end = lowercase.count
        while let found = lowercase[..<end].lastRange(of: word) {
            if let start = phraseEnd(in: lowercase, after: found.upperBound) {
                // A member of a JSON object ends with its value.
                let isMember = lowercase[safe: found.upperBound] == UInt8(ascii: "\"")
                if isMember {
                    let value = bytes[start...].prefix { !"\"}\n".utf8.contains($0) }
                    if value.contains(where: { !$0.isSpace }) { return trimmed(value, also: ",") }
                } else if let formula = displayed(in: bytes, from: start) {
                    if !formula.isEmpty { return formula }
                } else {
                    let (answer, end) = sentence(in: bytes, from: start)
                    if Remark.replacement(in: bytes[end...]) != nil { return nil }
                    // A question states nothing.
                    if !answer.isEmpty, bytes[safe: end] != UInt8(ascii: "?") { return answer }
                }
            }
            end = found.lowerBound
        }
        return nil
    }

    /// The index after "is", "is:" or ":" that follows the word "answer"; emphasis is skipped.
    private static func phraseEnd(in bytes: [UInt8], after start: Int) -> Int? {
        var index = start
        func skip(_ characters: String) {
            while index < bytes.count, characters.utf8.contains(bytes[index]) { index += 1 }
        }
        skip(" *_\"")
        var found = false
        for verb in ["must be", "should be", "will be", "would be", "is", "are", "comes to", "="]
        where bytes[index...].starts(with: verb.utf8)
            && !(bytes[safe: index + verb.utf8.count]?.isLetter ?? false)
        {
            index += verb.utf8.count
            found = true
            break
        }
        skip(" *_")
        if !found, let dash = dash(in: bytes, at: index), isLabel(in: bytes, end: start) {
            index = dash
            found = true
        }
        if bytes[safe: index] == UInt8(ascii: ":") {
            index += 1
            found = true
        }
        found = found || isHeading(in: bytes, end: index)
        guard found else { return nil }
        skip(" *_\t\r\n")
        if bytes[safe: start] == UInt8(ascii: "\"") { skip("\"") }
        return index
    }

    /// The index behind a dash with a space behind it: "Answer - 18".
    private static func dash(in bytes: [UInt8], at index: Int) -> Int? {
        for dash in ["- ", "-- ", "–", "—", "→", "->", "=>"]
        where bytes[index...].starts(with: dash.utf8) {
            return index + dash.utf8.count
        }
        // "Answer 18"
        let isValue = bytes[safe: index].map { $0.isDigit || "$\\".utf8.contains($0) } ?? false
        return isValue && bytes[safe: index - 1] == 0x20 ? index : nil
    }

    /// Whether nothing but "the", "final" and the like stands before the word that ends here.
    private static func isLabel(in bytes: [UInt8], end: Int) -> Bool {
        let line = bytes[..<end].suffix(40)
        let start = line.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? line.startIndex
        let words = line[start...].filter { $0.isLetter }
        return ["answer", "finalanswer", "theanswer", "thefinalanswer"].contains {
            words.elementsEqual($0.utf8)
        }
    }

    /// Whether the line that ends here is a heading such as "### Final Answer".
    private static func isHeading(in bytes: [UInt8], end: Int) -> Bool {
        guard bytes[safe: end] == UInt8(ascii: "\n") else { return false }
        return isLabel(in: bytes, end: end)
    }

    /// What is between math delimiters that open at `start` and close on a later line; empty where
    /// they never close and nothing follows on their own line, and nil for anything else.
    private static func displayed(in bytes: [UInt8], from start: Int) -> [UInt8]? {
        let rest = bytes[start...]
        for (open, close) in [("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")] {
            guard rest.starts(with: open.utf8) else { continue }
            // Looking further for an end, at each of many beginnings, would take for ever.
            let inside = rest.dropFirst(open.utf8.count).prefix(WorkBudget.maximumLength)
            let line = inside.prefix { $0 != UInt8(ascii: "\n") }
            guard line.firstRange(of: Array(close.utf8)) == nil else { return nil }
            if let end = inside.firstRange(of: Array(close.utf8)) {
                return trimmed(inside[..<end.lowerBound])
            }
            return line.allSatisfy(\.isSpace) ? [] : nil
        }
        return nil
    }

    /// What is said instead of the last answer that a phrase stated, where the text takes that back, as
    /// 13 in "The answer is 31? No, it is 13".
    static func replacement(in bytes: [UInt8]) -> [UInt8]? {
        let lowercase = bytes.map { $0.lowercased }
        guard let found = lowercase.lastRange(of: Array("answer".utf8)),
            let start = phraseEnd(in: lowercase, after: found.upperBound)
        else { return nil }
        return Remark.replacement(in: bytes[sentence(in: bytes, from: start).end...])
    }

    /// The text from `start` to the end of the line, or to a mark that ends a sentence, and where that
    /// is.
    private static func sentence(in bytes: [UInt8], from start: Int) -> (text: [UInt8], end: Int) {
        var end = start
        var inFormula = false
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
            if bytes[end] == UInt8(ascii: "$"), bytes[safe: end - 1] != UInt8(ascii: "\\") {
                inFormula.toggle()
            }
            if !inFormula, ".?".utf8.contains(bytes[end]), Sentence.endsSentence(bytes, at: end) {
                break
            }
            if !inFormula, bytes[end] == UInt8(ascii: "!"), isExclamation(bytes, at: end) { break }
            end += 1
        }
        return (trimmed(bytes[start..<end], also: "*_"), end)
    }

    /// Whether an exclamation mark ends a sentence: a capital letter follows, or nothing on its line.
    private static func isExclamation(_ bytes: [UInt8], at index: Int) -> Bool {
        guard let next = bytes[safe: index + 1] else { return true }
        guard next.isSpace else { return false }
        guard let after = bytes[(index + 1)...].prefix(4).first(where: { $0 != 0x20 }) else {
            return true
        }
        return after == UInt8(ascii: "\n") || (0x41...0x5A).contains(after)
    }

    /// What follows the last opening of the marker, up to its end.
    private static func afterMarker(_ marker: AnswerMarker, in bytes: [UInt8]) -> [UInt8]? {
        guard let start = bytes.lastRange(of: Array(marker.start.utf8)) else { return nil }
        let rest = bytes[start.upperBound...]
        let end = marker.end.flatMap { $0.isEmpty ? nil : rest.firstRange(of: Array($0.utf8)) }
        return trimmed(rest[..<(end?.lowerBound ?? rest.endIndex)])
    }

    // MARK: - Numbers

    /// The last number: sign, digits, thousands, decimals, a fraction bar, a percent sign.
    private static func lastNumber(in bytes: [UInt8]) -> [UInt8]? {
        guard let lastDigit = bytes.lastIndex(where: \.isDigit) else { return nil }
        var start = lastDigit
        var groupEnd = lastDigit + 1
        while start > 0 {
            let before = bytes[start - 1]
            if !before.isDigit {
                // A comma joins thousands only: three digits stand after it.
                let joins =
                    before == UInt8(ascii: ",")
                    ? groupEnd - start == 3 : "./".utf8.contains(before)
                guard joins, bytes[safe: start - 2]?.isDigit ?? false else { break }
                groupEnd = start - 1
            }
            start -= 1
        }
        if bytes[safe: start - 1] == UInt8(ascii: ".") { start -= 1 }
        for sign in ["-", "\u{2212}"].map({ Array($0.utf8) })
        where bytes[..<start].suffix(sign.count).elementsEqual(sign) {
            // A minus between two terms is a subtraction, not a sign.
            let before = bytes[safe: start - sign.count - 1]
            if !(before.map { $0.isDigit || $0.isLetter || $0 == UInt8(ascii: ")") } ?? false) {
                start -= sign.count
            }
        }
        let percent = bytes[safe: lastDigit + 1] == UInt8(ascii: "%")
        return Array(bytes[start...(lastDigit + (percent ? 1 : 0))])
    }

    /// The last capital letter from A to J that is a word, but not the article or the pronoun.
    private static func lastLetter(in bytes: [UInt8]) -> [UInt8]? {
        for index in bytes.indices.reversed() where (0x41...0x4A).contains(bytes[index]) {
            let (before, after) = (bytes[safe: index - 1], bytes[safe: index + 1])
            let touches = [before, after].contains { byte in
                byte.map { $0.isLetter || $0.isDigit || $0 >= 0x80 || $0 == 0x27 } ?? false
            }
            let isWord =
                (bytes[index] == UInt8(ascii: "A") || bytes[index] == UInt8(ascii: "I"))
                && after == 0x20 && (bytes[safe: index + 2]?.isLetter ?? false)
            if !touches, !isWord { return [bytes[index]] }
        }
        return nil
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>, also: String = "") -> [UInt8] {
        let outside: (UInt8) -> Bool = { $0.isSpace || also.utf8.contains($0) }
        guard let first = bytes.firstIndex(where: { !outside($0) }),
            let last = bytes.lastIndex(where: { !outside($0) })
        else { return [] }
        return Array(bytes[first...last])
    }
}
