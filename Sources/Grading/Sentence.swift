/// A sentence of a solution, and what it says of its subject.
struct Sentence {
    /// The sentence as written, without what ends it.
    private let bytes: [UInt8]
    /// The same in small letters, with formulas between dollar signs blanked out.
    private let outline: [UInt8]

    /// Takes the last sentence of a text that says something; wishes at the end say nothing.
    init(_ text: [UInt8]) {
        let sentences = Self.split(text)
        let last = sentences.last { !Self.isClosing($0) } ?? sentences.last ?? []
        bytes = last
        outline = Remark.outline(of: last)
    }

    /// Whether a text may be a sentence: it has a space between words, and two words that are neither
    /// mathematics nor units.
    static func mayBe(_ bytes: [UInt8]) -> Bool {
        guard bytes.contains(where: { $0.isSpace || $0 >= 0x80 }) else { return false }
        var (count, first) = (0, true)
        var previous: UInt8 = 0x20
        var index = 0
        while index < bytes.count {
            guard bytes[index].isLetter else {
                previous = bytes[index]
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, bytes[index].isLetter { index += 1 }
            let isCommand = previous == UInt8(ascii: "\\")
            if index - start >= 2, index - start <= 24, !isCommand {
                let word = String(decoding: bytes[start..<index], as: UTF8.self).lowercased()
                if first, openers.contains(word) { return true }
                if LexerTables.words[word] == nil, !Unit.isUnit(word) { count += 1 }
                if first, index - start >= 3, count == 1, bytes[safe: index] == UInt8(ascii: ":") {
                    return true
                }
                first = false
                if count >= 2 { return true }
            }
            previous = UInt8(ascii: "a")
        }
        return false
    }

    // MARK: - What is said

    /// What the sentence says of its subject.
    ///
    /// The words behind its last verb of being or result, or what is left without the words that open
    /// a conclusion. Nil where it denies, doubts, or says nothing.
    var predicate: [UInt8]? {
        var start = 0
        for opener in [", so ", ", hence ", ", thus ", ", therefore ", ", then ", ", giving "] {
            if let range = outline.lastRange(of: Array(opener.utf8)) {
                start = max(start, range.upperBound)
            }
        }
        start = afterOpeners(from: max(start, afterCondition(from: start)))
        if let word = ["yes", "no"].first(where: { outline.starts(with: "\($0), ".utf8) }) {
            return Array(word.utf8)
        }
        if let aside = Remark.aside(in: outline[...]), !Self.mayBe(Array(bytes[..<aside])) {
            return Array(bytes[..<aside])
        }
        let clause = outline[max(0, start - 1)...]
        if let verb = Self.lastVerb(in: clause) {
            guard !Self.isDoubtful(clause[..<verb.lowerBound]) else { return nil }
            let tail = Self.trimmed(bytes[verb.upperBound...])
            // The verb may be all that stands behind the opening words.
            if verb.lowerBound > start, Self.isAboutTheAnswer(outline[verb.upperBound...]) {
                return Self.trimmed(bytes[start..<verb.lowerBound])
            }
            if let count = countOfThings(before: verb, tail) { return count }
            if let object = Self.object(in: tail) { return object }
            let isAction = Self.actions.contains(String(decoding: outline[verb], as: UTF8.self))
            if isAction, !(tail.first.map { $0.isDigit || "$\\".utf8.contains($0) } ?? false) {
                return nil
            }
            let said = Remark.removed(from: tail, isStated: true)
            return said.isEmpty ? nil : said
        }
        if clause.suffix(5).elementsEqual(" ways".utf8),
            let place = clause.lastRange(of: Array(" in ".utf8))
        {
            return Self.trimmed(bytes[place.upperBound...])
        }
        if let colon = leadIn(from: start) { return Self.trimmed(bytes[colon...]) }
        guard start > 0 else { return nil }
        let rest = Remark.removed(from: Self.trimmed(bytes[start...]))
        return rest.isEmpty ? nil : rest
    }

    /// The number and the noun of "there are 36 such numbers less than 100".
    private func countOfThings(before verb: Range<Int>, _ tail: [UInt8]) -> [UInt8]? {
        guard outline[..<verb.lowerBound].suffix(5).elementsEqual("there".utf8) else { return nil }
        let words = tail.split(separator: 0x20)
        guard words.count > 2, words[0].allSatisfy(\.isDigit), words[1].allSatisfy(\.isLetter)
        else { return nil }
        let noun = String(decoding: words[1], as: UTF8.self).lowercased()
        guard WordMeaning.first(in: [noun]) == nil, noun != "and" else { return nil }
        return Array(words[0]) + [0x20] + Array(words[1])
    }

    /// The index behind "Since ..., " and its like.
    private func afterCondition(from start: Int) -> Int {
        let word = String(decoding: outline[start...].prefix { $0.isLetter }, as: UTF8.self)
        guard Self.conditions.contains(word),
            let comma = outline[start...].lastRange(of: Array(", ".utf8))
        else { return start }
        return comma.upperBound
    }

    /// The index behind "Therefore, we get that".
    private func afterOpeners(from start: Int) -> Int {
        var index = start
        while index < outline.count {
            while index < outline.count,
                outline[index].isSpace || outline[index] == UInt8(ascii: ",")
            {
                index += 1
            }
            let word = outline[index...].prefix { $0.isLetter }
            guard !word.isEmpty, Self.openers.contains(String(decoding: word, as: UTF8.self)),
                outline[safe: word.endIndex].map({ $0.isSpace || ",:".utf8.contains($0) }) ?? false
            else { break }
            index = word.endIndex
            if outline[safe: index] == UInt8(ascii: ":") { index += 1 }
        }
        return min(index, outline.count)
    }

    /// The index behind "Total cost: ".
    private func leadIn(from start: Int) -> Int? {
        guard let colon = outline[start...].firstIndex(of: UInt8(ascii: ":")), colon - start >= 3,
            colon - start <= 60, !hasColonOfWords(behind: colon),
            outline[start..<colon].allSatisfy({ $0.isLetter || $0.isSpace || $0 >= 0x80 }),
            outline[safe: colon + 1].map({ $0.isSpace || $0 == UInt8(ascii: "\\") }) ?? false
        else { return nil }
        return colon + 1
    }

    /// Whether one more colon follows that is no sign of a ratio.
    private func hasColonOfWords(behind colon: Int) -> Bool {
        outline.indices[(colon + 1)...].contains {
            outline[$0] == UInt8(ascii: ":")
                && !(outline[$0 - 1].isDigit && outline[safe: $0 + 1]?.isDigit ?? false)
        }
    }

    /// The number and its noun of "her 5 days to read all 120 pages" or "11 left"; nil where the words
    /// begin with no number, or nothing follows it that can go.
    private static func object(in tail: [UInt8]) -> [UInt8]? {
        var words = tail.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }[...]
        guard words.count <= 40 else { return nil }
        while let first = words.first, pronouns.contains(first.lowercased()) { words.removeFirst() }
        guard let number = words.first, let digit = number.utf8.first,
            digit.isDigit || digit == UInt8(ascii: "$") && number.utf8.count > 1,
            number.utf8.last?.isDigit ?? false
        else { return nil }
        if words.count == 2, ["left", "remaining", "altogether"].contains(words.last) {
            return Array(number.utf8)
        }
        let rest = words.dropFirst()
        guard
            let place = rest.firstIndex(where: { prepositions.contains($0) }),
            place > rest.startIndex || number.hasPrefix("$"),
            rest[..<place].allSatisfy({ $0.utf8.allSatisfy(\.isLetter) && !$0.isEmpty }),
            !rest.contains(where: { directions.contains($0) }),
            rest[..<place].allSatisfy({ !WordMeaning.isChanging($0) })
        else { return words.count < tail.split(separator: 0x20).count ? joined(words) : nil }
        return joined(words[..<place])
    }

    private static func joined(_ words: ArraySlice<String>) -> [UInt8] {
        Array(words.joined(separator: " ").utf8)
    }

    // MARK: - Words of sentences

    private static let verbs: [[UInt8]] =
        [
            "is", "are", "was", "were", "be", "equals", "equal", "takes", "took", "take", "gives",
            "costs",
            "cost", "becomes", "yields", "makes", "totals", "gets", "get", "obtain", "earns",
            "earned",
            "needs", "sold", "has", "have", "find", "choose", "pick", "comes to", "had", "costs",
        ].map { Array(" \($0) ".utf8) } + actions.map { Array($0.utf8) }

    /// Verbs whose object is the answer only where it is a number.
    private static let actions: Set<String> = Set(
        [
            "earn", "pay", "pays", "paid", "spend", "spends", "spent", "made", "make", "buy",
            "buys",
            "bought", "sell", "sells", "eat", "eats", "ate", "use", "uses", "used", "save", "saves",
            "saved", "receive", "receives", "received", "collect", "collects", "collected", "run",
            "runs", "ran", "walks", "walked", "reads", "writes", "picks", "picked", "fill",
            "produce", "produces", "produced", "holds", "contains", "weighs", "measures",
            "requires", "lasts", "drive", "drives", "drove", "travels", "traveled", "need",
            "needed", "owes", "owe", "charges", "charged", "spans", "reaches", "gained",
            "travels at", "leaves", "leave",
        ].map { " \($0) " }
    )
    private static let pronouns: Set<String> = [
        "her", "him", "them", "it", "us", "me", "you", "a", "total", "of", "exactly", "only",
        "with",
    ]
    private static let prepositions: Set<String> = [
        "to", "in", "for", "with", "at", "on", "during", "from",
    ]
    private static let directions: Set<String> = [
        "left", "right", "north", "south", "east", "west", "up", "down", "less", "loss",
        "profit", "debt", "am", "pm", "a.m.", "p.m.",
    ]

    static let openers: Set<String> = [
        "so", "thus", "hence", "therefore", "then", "finally", "we", "get", "obtain", "have",
        "find",
        "that", "conclude", "now", "consequently", "which", "gives", "giving", "it", "follows",
    ]
    private static let conditions: Set<String> = [
        "because", "since", "as", "with", "when", "if", "for", "given", "while", "of", "in", "out",
        "from",
    ]
    private static let doubts: Set<String> = [
        "not", "cannot", "t", "never", "neither", "nor", "no", "might", "maybe", "perhaps", "could",
        "may", "whether", "suppose", "guess", "assume", "let", "wait", "wrong", "incorrect",
        "unless",
        "hardly", "false", "too",
    ]

    /// The last verb between spaces; colons count as one where words stand before them.
    private static func lastVerb(in clause: ArraySlice<UInt8>) -> Range<Int>? {
        verbs.compactMap { verb -> Range<Int>? in
            var rest = clause
            while let place = rest.lastRange(of: verb) {
                // "to read 120 pages" is what something is for.
                if !rest[..<place.lowerBound].ends(with: " to") { return place }
                rest = rest[..<place.lowerBound]
            }
            return nil
        }.max { $0.upperBound < $1.upperBound }
    }

    private static func isDoubtful(_ words: ArraySlice<UInt8>) -> Bool {
        words.split(whereSeparator: { !$0.isLetter }).contains {
            $0.count <= 9 && doubts.contains(String(decoding: $0, as: UTF8.self))
        }
    }

    /// Whether the words are "the answer", "correct" and the like: then the subject is the answer.
    private static func isAboutTheAnswer(_ words: ArraySlice<UInt8>) -> Bool {
        let said = words.split(whereSeparator: { !$0.isLetter }).map {
            String(decoding: $0, as: UTF8.self)
        }
        let rest = said.drop {
            ["the", "our", "a", "final", "correct", "right", "only"].contains($0)
        }
        // "9 buses are needed"
        if !words.contains(where: \.isDigit), let last = rest.first,
            ["left", "needed", "required", "remaining"].contains(last),
            rest.dropFirst().allSatisfy({ ["in", "total", "all"].contains($0) })
        {
            return true
        }
        if rest.isEmpty { return said.contains { ["correct", "right"].contains($0) } }
        guard let noun = rest.first else { return false }
        if ["answer", "solution", "result", "choice", "option", "one"].contains(noun) {
            return rest.count == 1
        }
        return ["because", "since", "as"].contains(noun)
            && said.contains { ["correct", "right"].contains($0) }
    }

    private static let closings = [
        "i hope", "hope this", "let me know", "please", "this completes", "have a nice", "thank",
        "done",
        "qed", "this is the", "good luck", "i have checked", "great", "nice", "perfect", "hooray",
        "cheers", "that's it", "that is it", "problem solved", "easy",
    ].map { Array($0.utf8) }

    private static func isClosing(_ sentence: [UInt8]) -> Bool {
        let start = sentence.prefix(24).map(\.lowercased)
        return closings.contains { start.starts(with: $0) }
    }

    // MARK: - Cutting

    /// The sentences of a text, without blank ones.
    static func split(_ text: [UInt8]) -> [[UInt8]] {
        var sentences: [[UInt8]] = []
        var start = 0
        var inFormula = false
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: "$") { inFormula.toggle() }
            let isStop = ".!?".utf8.contains(byte) && !inFormula && endsSentence(text, at: index)
            guard isStop || byte == UInt8(ascii: "\n") else { continue }
            sentences.append(trimmed(text[start..<index]))
            start = index + 1
        }
        sentences.append(trimmed(text[start...]))
        return sentences.filter { !$0.isEmpty }
    }

    /// Whether the mark at `index` ends a sentence: space and no small letter or digit follows, and it
    /// ends no abbreviation such as "a.m." or "Oct.".
    static func endsSentence(_ text: [UInt8], at index: Int) -> Bool {
        guard let next = text[safe: index + 1] else { return true }
        guard next.isSpace else { return false }
        if text[index] == UInt8(ascii: "."), text[safe: index - 2] == UInt8(ascii: "."),
            text[safe: index - 1]?.isLetter ?? false
        {
            return false
        }
        let word = text[..<index].reversed().prefix(5).prefix { $0.isLetter }.reversed()
        if text[index] == UInt8(ascii: "."), word.count <= 4,
            Moment.month(String(decoding: word, as: UTF8.self).lowercased()) != nil
        {
            return false
        }
        return true
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var rest = bytes
        while let first = rest.first, first.isSpace || ",:".utf8.contains(first) {
            rest.removeFirst()
        }
        while let last = rest.last, last.isSpace { rest.removeLast() }
        return Array(rest)
    }

    // MARK: - Emphasis and text commands

    /// The last bold words of the last sentence, where the sentence denies nothing before them.
    static func bold(in text: [UInt8]) -> [UInt8]? {
        var spans: [Range<Int>] = []
        var open: Int?
        var index = 0
        while index + 1 < text.count {
            if text[index] == text[index + 1], "*_".utf8.contains(text[index]) {
                if let start = open {
                    if index > start { spans.append(start..<index) }
                    open = nil
                } else {
                    open = index + 2
                }
                index += 2
            } else {
                index += 1
            }
        }
        let bold = Array("\\textbf{".utf8)
        if spans.isEmpty, let start = text.lastRange(of: bold)?.upperBound,
            let end = text[start...].firstIndex(of: UInt8(ascii: "}"))
        {
            spans.append(start..<end)
        }
        guard let last = spans.last(where: { text[$0].last != UInt8(ascii: ":") }) else {
            return nil
        }
        let before = text[..<last.lowerBound].suffix(48).map(\.lowercased)
        let clause =
            before.lastRange(of: Array(". ".utf8)).map { before[$0.upperBound...] } ?? before[...]
        let remark = text[last.upperBound...].prefix(80).prefix { !".\n".utf8.contains($0) }
        guard !isDoubtful(clause),
            !isDoubtful(remark.map(\.lowercased)[...]) || remark.first == UInt8(ascii: ",")
        else { return nil }
        // What stands in a later sentence is more than a remark.
        let after = split(Array(text[last.upperBound...])).dropFirst()
        guard after.allSatisfy(isClosing) else { return nil }
        return Array(text[last])
    }

    /// The contents of a box with its text commands opened, where they hold sentences.
    static func flattened(_ box: [UInt8]) -> [UInt8] {
        let command = Array("\\text{".utf8)
        guard let first = box.firstRange(of: command), box.count <= 512,
            let end = box[first.upperBound...].firstIndex(of: UInt8(ascii: "}")),
            box[first.upperBound..<end].split(whereSeparator: { !$0.isLetter }).contains(where: {
                $0.count >= 2
            }), end + 1 < box.count, box[..<first.lowerBound].allSatisfy(\.isSpace)
        else { return box }
        let inside = box[first.upperBound..<end]
        let isLeadIn =
            inside.last(where: { !$0.isSpace }) == UInt8(ascii: ":")
            || verbs.contains { (inside + [0x20]).lastRange(of: $0) != nil }
        guard isLeadIn else { return box }
        return Array(inside) + [0x20] + Array(box[(end + 1)...])
    }
}
