/// What a text states as its answer: the answer alone, without the sentences around it.
///
/// Rules in order, on the text behind the reasoning: the last `<answer>` tag, the last box, a closing
/// `####` line, what follows "answer is", the last bold words, and what the last sentence says
/// ("..., so it is 5"). A formula that merely occurs in a sentence is no answer. Each rule is one
/// pass over the text.
struct Statement {
    /// The answer as written.
    var text: String
    /// Whether the answer is what a sentence says about something ("the figure is a square"): two
    /// such sentences in words must agree as a whole.
    var isPredicate = false

    /// What `text` states; all of it where it is no more than an answer.
    init(in text: String) {
        var bytes = Array(text.utf8)
        if let end = bytes.lastRange(of: Array("</think>".utf8))?.upperBound {
            bytes.removeFirst(end)
        }
        self = Self.found(in: bytes, depth: 0)
    }

    private init(_ bytes: some Collection<UInt8>, isPredicate: Bool = false) {
        text = String(decoding: bytes, as: UTF8.self)
        self.isPredicate = isPredicate
    }

    /// Deepest nesting of tags, boxes and phrases that is followed.
    private static let deepest = 4

    private static func found(in whole: [UInt8], depth: Int) -> Statement {
        let bytes = Markup.removed(from: whole)
        guard depth < deepest else { return Statement(bytes) }
        if let inside = wholeText(bytes) { return found(in: inside, depth: depth + 1) }
        if let inside = taggedAnswer(in: bytes) { return found(in: inside, depth: depth + 1) }
        if let box = AnswerExtraction.lastBox(in: bytes) {
            return found(in: Sentence.flattened(box), depth: depth + 1)
        }
        if let line = closingMark(in: bytes) { return found(in: line, depth: depth + 1) }
        if let said = AnswerExtraction.replacement(in: bytes) {
            return found(in: said, depth: depth + 1)
        }
        if let tail = AnswerExtraction.afterPhrase(in: bytes) {
            return found(in: Remark.removed(from: tail, isStated: true), depth: depth + 1)
        }
        if let later = Remark.corrected(bytes) { return found(in: later, depth: depth + 1) }
        if let result = implied(in: bytes) { return found(in: result, depth: depth + 1) }
        guard bytes.count <= WorkBudget.maximumLength, Sentence.mayBe(bytes) else {
            return Statement(bytes)
        }
        if let first = bytes.first, !first.isLetter {
            let answer = Remark.removed(from: bytes)
            if answer.count < bytes.count { return found(in: answer, depth: depth + 1) }
        }
        if let bold = Sentence.bold(in: bytes) { return found(in: bold, depth: depth + 1) }
        if let said = Sentence(bytes).predicate {
            let inner = found(in: said, depth: depth + 1)
            return Statement(inner.text.utf8, isPredicate: true)
        }
        return Statement(bytes)
    }

    private static let tags = [
        ("<answer>", "</answer>"), ("<final_answer>", "</final_answer>"), ("<final>", "</final>"),
        ("[ANSWER]", "[/ANSWER]"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    /// What is in the last `<answer>` tag or one like it; it need not be closed.
    static func taggedAnswer(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.contains(where: { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: "[") }) else {
            return nil
        }
        for (open, close) in tags {
            guard let start = bytes.lastRange(of: open)?.upperBound else { continue }
            let rest = bytes[start...]
            let end = rest.firstRange(of: close)?.lowerBound ?? rest.endIndex
            return AnswerExtraction.trimmed(rest[..<end])
        }
        return nil
    }

    /// The words of a text that is one `\text{}` and nothing else, and more than one word.
    private static func wholeText(_ bytes: [UInt8]) -> [UInt8]? {
        for command in ["\\text{", "\\textbf{", "\\mbox{", "\\textit{"]
        where bytes.starts(with: command.utf8) {
            let inside = bytes.dropFirst(command.utf8.count)
            guard let end = inside.firstIndex(where: { "{}".utf8.contains($0) }),
                inside[end] == UInt8(ascii: "}"),
                inside[end...].dropFirst().allSatisfy({ $0.isSpace || $0 == UInt8(ascii: ".") }),
                inside[..<end].contains(where: \.isSpace)
            else { return nil }
            return Array(inside[..<end])
        }
        return nil
    }

    /// What follows `####` on the last line that is not blank.
    static func closingMark(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.contains(UInt8(ascii: "#")),
            let start = bytes.lastRange(of: Array("####".utf8))
        else { return nil }
        let rest = bytes[start.upperBound...]
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        guard line.contains(where: { !$0.isSpace }),
            rest.dropFirst(line.count).allSatisfy(\.isSpace)
        else { return nil }
        return AnswerExtraction.trimmed(line)
    }

    private static let arrows = [
        "\\Longrightarrow", "\\Rightarrow", "\\implies", "\\therefore", "=>",
    ].map { Array($0.utf8) }

    private static let plainArrows = [" -> ", " → ", " \\rightarrow "].map { Array($0.utf8) }

    /// What follows the last sign of a conclusion, where nothing or an equation stands before it.
    ///
    /// So of "\therefore x = 4" and "x^2 = 4 \Rightarrow x = 2"; "p \Rightarrow q" is all one answer.
    private static func implied(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count <= WorkBudget.maximumLength else { return nil }
        let body = bytes.drop { $0.isSpace || $0 == UInt8(ascii: "$") }
        for arrow in arrows {
            guard let place = body.lastRange(of: arrow) else { continue }
            let before = body[..<place.lowerBound]
            let isConclusion =
                before.isEmpty || before.contains(UInt8(ascii: "="))
                || before.firstRange(of: Array("\\equiv".utf8)) != nil
            guard isConclusion else { return nil }
            let after = AnswerExtraction.trimmed(body[place.upperBound...], also: "$")
            return after.isEmpty ? nil : after
        }
        // Between two equations a plain arrow says the same.
        for arrow in plainArrows {
            guard let place = body.lastRange(of: arrow) else { continue }
            let (before, after) = (body[..<place.lowerBound], body[place.upperBound...])
            if [before, after].allSatisfy({ $0.contains(UInt8(ascii: "=")) }) {
                return AnswerExtraction.trimmed(after, also: "$")
            }
        }
        return nil
    }
}
