/// What words behind a number, or in place of one, do to its meaning.
enum WordMeaning: Equatable {
    /// Multiplies: "million", "dozen", "thirds".
    case times(Rational)
    /// Adds: "and a half".
    case plus(Rational)
    /// At least or at most, and whether the number itself counts.
    case bound(sign: String)
    /// Says something else that a number alone does not; the name is one for all spellings.
    case changes(String)

    /// The meaning of the first of these words that has one, and how many words it takes.
    ///
    /// - Returns: Nil where the words are the names of what is counted, which change nothing.
    static func first(in words: ArraySlice<String>) -> (meaning: WordMeaning, count: Int)? {
        for (phrase, meaning) in phrases where words.starts(with: phrase) {
            return (meaning, phrase.count)
        }
        guard let word = words.first else { return nil }
        if let factor = factors[word] { return (.times(factor), 1) }
        if let name = changing[word] { return (.changes(name), 1) }
        return nil
    }

    /// The part of a whole that words such as "per hundred thousand people" or "basis points" make of a
    /// number, and the other words; nil where there are none.
    ///
    /// "Per cent" is a unit and is not read here.
    static func rate(in words: ArraySlice<String>) -> (factor: Rational, rest: [String])? {
        if words.starts(with: ["basis", "points"]) || words.starts(with: ["basis", "point"]) {
            return (Rational(.one, over: Natural(10_000)), Array(words.dropFirst(2)))
        }
        let words = perEvery(words)[...]
        guard let per = words.firstIndex(where: { $0 == "per" || $0 == "permille" }) else {
            return nil
        }
        var zeros = words[per] == "permille" ? 3 : 0
        var end = per + 1
        while end < words.endIndex {
            let word = words[end]
            if let more = word == "mille" ? 3 : scales[word] {
                zeros += more
            } else if !["a", "one", "each", "every"].contains(word)
                || end + 1 == words.endIndex || scales[words[end + 1]] == nil
            {
                break
            }
            end += 1
        }
        guard zeros > 0, zeros < 100 else { return nil }
        let whole = Natural(digits: [UInt8(ascii: "1")] + repeatElement(0x30, count: zeros))
        return (
            Rational(.one, over: whole),
            (words[..<per].filter { $0 != "parts" && $0 != "part" } + words[end...]).map(\.self)
        )
    }

    /// "for every thousand" as "per thousand".
    private static func perEvery(_ words: ArraySlice<String>) -> [String] {
        guard let scale = words.firstIndex(where: { scales[$0] != nil }), scale > words.startIndex,
            ["every", "each", "a", "one"].contains(words[scale - 1])
        else { return Array(words) }
        let before = words[..<(scale - 1)]
        guard let last = before.last, ["for", "in", "of", "per"].contains(last) else {
            return Array(words)
        }
        let kept = before.dropLast(before.suffix(2) == ["out", "of"] ? 2 : 1)
        return kept + ["per"] + words[scale...]
    }

    /// The meaning that a word adds to a number, wherever it stands; nil for a noun.
    static func name(of word: String) -> String? { changing[word] }

    /// Whether a word multiplies the number before it.
    static func isFactor(_ word: String) -> Bool { factors[word] != nil }

    /// Whether a word changes what a number means, wherever it stands.
    static func isChanging(_ word: String) -> Bool { changing[word] != nil }

    // MARK: - Number words

    /// The number that a word names, below one hundred.
    static let numbers: [String: Int] = {
        var table = ["a dozen": 12]
        let small = [
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen",
            "nineteen",
        ]
        for (value, word) in small.enumerated() { table[word] = value }
        for (value, word) in tens { table[word] = value }
        return table
    }()

    /// The words for twenty to ninety.
    static let tens: [(Int, String)] = [
        (20, "twenty"), (30, "thirty"), (40, "forty"), (50, "fifty"), (60, "sixty"),
        (70, "seventy"),
        (80, "eighty"), (90, "ninety"),
    ]

    /// The powers of ten that words name.
    static let scales = [
        "hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "quadrillion": 15,
    ]

    // MARK: - Tables

    private static let factors: [String: Rational] = {
        var table: [String: Rational] = [:]
        for (word, zeros) in scales {
            table[word] = Rational(
                Natural(digits: [UInt8(ascii: "1")] + repeatElement(0x30, count: zeros))
            )
        }
        for word in ["dozen", "dozens"] { table[word] = Rational(12) }
        table["score"] = Rational(20)
        for (words, denominator) in [
            ("half halves", 2), ("third thirds", 3), ("quarter quarters fourth fourths", 4),
            ("fifth fifths", 5), ("sixth sixths", 6), ("seventh sevenths", 7),
            ("eighth eighths", 8),
            ("ninth ninths", 9), ("tenth tenths", 10), ("hundredth hundredths", 100),
            ("thousandth thousandths", 1000),
        ] as [(String, UInt64)] {
            for word in words.split(separator: " ") {
                table[String(word)] = Rational(.one, over: Natural(denominator))
            }
        }
        return table
    }()

    private static let phrases: [([String], WordMeaning)] = {
        var table: [([String], WordMeaning)] = []
        for (words, parts) in [("half", 2), ("third", 3), ("quarter", 4), ("fourth", 4)]
            as [(String, UInt64)]
        {
            for article in ["a", "one"] {
                table.append(
                    (["and", article, words], .plus(Rational(.one, over: Natural(parts))))
                )
            }
        }
        for words in ["three quarters", "three fourths"] {
            let parts = words.split(separator: " ").map(String.init)
            table.append((["and"] + parts, .plus(Rational(Natural(3), over: Natural(4)))))
        }
        for word in ["less", "fewer", "lower", "below", "under", "smaller", "earlier"] {
            table.append((["or", word], .bound(sign: "≤")))
        }
        for word in [
            "more", "greater", "higher", "above", "over", "larger", "better", "later", "up",
        ] {
            table.append((["or", word], .bound(sign: "≥")))
        }
        for (words, sign) in [
            ("at most", "≤"), ("at least", "≥"), ("and above", "≥"), ("and up", "≥"),
        ] {
            table.append((words.split(separator: " ").map(String.init), .bound(sign: sign)))
        }
        return table
    }()

    /// Words that no noun is: each names the meaning it adds.
    private static let changing: [String: String] = {
        var table: [String: String] = [:]
        for (name, words) in [
            "north": "northward northwards northern", "south": "southward southwards southern",
            "east": "eastward eastwards eastern", "west": "westward westwards western",
            "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
            "left": "leftward leftwards", "right": "rightward rightwards",
            "up": "upward upwards uphill upstairs",
            "down": "downward downwards downhill downstairs",
            "above": "over", "below": "under beneath underground", "forward": "forwards ahead",
            "backward": "backwards back behind", "inside": "inward inwards",
            "outside": "outward outwards",
            "clockwise": "", "counterclockwise": "anticlockwise",
            "gain": "gained gains profit profits surplus credit win wins won",
            "loss": "lost losses lose deficit debt debit shortfall owed short",
            "increase": "increased increases rise rises raise growth increasing",
            "decrease":
                "decreased decreases drop drops fall fell decline reduction decreasing discount off",
            "greater":
                "larger higher bigger longer shorter taller older younger heavier lighter faster slower "
                + "cheaper wider deeper", "less": "fewer smaller lower lesser", "than": "",
            "least": "minimum min", "most": "maximum max", "positive": "", "negative": "minus",
            "am": "", "pm": "", "bc": "bce", "ad": "ce", "ago": "earlier before",
            "later": "after hence",
            "st": "", "nd": "", "rd": "", "th": "", "squared": "", "cubed": "", "factorial": "",
            "twice": "double doubled triple tripled", "not": "never non cannot isn wrong no",
            "odd": "", "even": "", "if": "when unless provided only except but",
            "between": "from until to",
            "nor": "neither either", "of": "", "percent of": "", "mod": "modulo",
            "plus": "", "does": "do", "imaginary": "", "half": "", "or": "", "and": "",
            "rejected": "invalid incorrect extraneous", "per cent": "", "squares": "",
            "celsius": "", "fahrenheit": "", "as": "",
        ] {
            table[name] = name
            for word in words.split(separator: " ") { table[String(word)] = name }
        }
        return table
    }()
}

/// Answers in words that several phrases give.
enum StockPhrase {
    /// The expression that a phrase stands for: the empty set, all real numbers; nil for others.
    static func expression(_ folded: String) -> Expression? {
        switch canonical(folded) {
        case "no solution": .symbol("\\emptyset")
        case "all reals": .symbol("\\reals")
        default: nil
        }
    }

    /// One phrase for all that mean the same, without articles and the words around them.
    static func canonical(_ folded: String) -> String {
        guard folded.utf8.count <= 80, folded.utf8.count >= 3 else { return folded }
        if let known = table[folded] { return known }
        var words = folded.split(whereSeparator: { " .,'’".contains($0) }).map(String.init)
        if words.contains("{}") || words.contains("\\emptyset") { return folded }
        while let first = words.first, leading.contains(first), words.count > 1 {
            words.removeFirst()
        }
        let rest = words.joined(separator: " ")
        if let known = table[rest] { return known }
        // "no solutions to this equation": words that add nothing may follow.
        for count in stride(from: min(words.count - 1, 5), through: 2, by: -1) {
            if let known = table[words.prefix(count).joined(separator: " ")],
                words.dropFirst(count).allSatisfy(trailing.contains)
            {
                return known
            }
        }
        return rest
    }

    private static let trailing: Set<String> = [
        "to", "for", "of", "in", "this", "the", "that", "which", "equation", "equations", "system",
        "problem", "inequality", "at", "all", "exist", "exists", "here", "given", "satisfying",
        "satisfies", "conditions", "condition", "it", "them",
    ]

    private static let leading: Set<String> = [
        "the", "a", "an", "there", "is", "are", "it", "has", "have", "equation", "system", "limit",
        "set", "of", "this", "these", "equations", "integral", "series", "x", "must", "be", "can",
        "option", "choice",
    ]

    private static let table: [String: String] = {
        var table: [String: String] = [:]
        for (name, phrases) in [
            "no solution": [
                "no solutions", "no real solution", "no real solutions", "no solution exists",
                "no solutions exist", "no real solution exists", "no real solutions exist",
                "empty set", "no solution set", "no such solution", "null set", "no real roots",
                "no roots", "no real root", "no such number", "no such numbers", "no such value",
                "no such values", "no such integer", "no such integers", "no such real number",
                "no such x", "no values", "no value", "no valid solution", "no valid solutions",
                "none", "none of them", "none of these", "no such pair", "no such pairs",
                "no such triangle", "no possible solution",
            ],
            "does not exist": ["dne", "doesn t exist", "not exist", "do not exist"],
            "undefined": ["not defined", "is undefined", "is not defined"],
            "infinitely many": [
                "infinite", "infinitely many solutions", "infinite solutions", "infinitely",
                "infinite number", "infinite number of solutions", "infinitely many real solutions",
                "infinitely many answers",
            ],
            "all reals": [
                "all real numbers", "all real number", "every real number", "any real number",
                "real numbers", "all real x", "all real values", "all real values of x", "all of r",
                "all x", "all real numbers x", "every real x", "reals",
            ],
            "yes": ["yes"], "no": ["no"],
        ] {
            for phrase in phrases + [name] { table[phrase] = name }
        }
        return table
    }()
}
