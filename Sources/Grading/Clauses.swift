/// Clauses behind or in an answer that say in words what signs say too, or nothing.
enum Clauses {
    /// Longest text that is looked at, in bytes.
    private static let longest = 512

    /// An answer with "equals" as its sign, and without "for all real x", which restricts nothing.
    static func plain(_ text: String) -> String {
        guard (9..<longest).contains(text.utf8.count) else { return text }
        let bytes = Array(text.utf8)
        func has(_ word: String) -> Bool { bytes.lastRange(of: Array(word.utf8)) != nil }
        let text = has(" equals ") ? text.replacing(" equals ", with: " = ") : text
        return has("for") ? withoutQuantifier(text) : text
    }

    /// A text with "is congruent to" as its sign, with the integers that "for some integer k" names as
    /// `k \in \mathbb{Z}`, and "all reals except 2" as a difference: before its sentences are read.
    static func withSigns(_ text: String) -> String {
        guard (9..<longest).contains(text.utf8.count) else { return text }
        let bytes = Array(text.utf8)
        func has(_ word: String) -> Bool { bytes.lastRange(of: Array(word.utf8)) != nil }
        var text = text
        if has("congruent") {
            for words in ["\\text{ is congruent to }", " is congruent to ", " congruent to "] {
                text = text.replacing(words, with: " \\equiv ")
            }
        }
        if has("\\mathbb{Z}^") {
            for sign in ["\\mathbb{Z}^+", "\\mathbb{Z}^{+}"] {
                text = text.replacing(sign, with: "\\mathbb{N}")
            }
        }
        if has("nteger") || has("in Z") || has("∈Z") || has("∈ Z") || has("\\mathbb{Z}") {
            text = withIntegers(text)
        }
        return has("real") ? withExceptions(text) : text
    }

    // MARK: - Integers

    private static let filler: Set<String> = [
        "for", "where", "with", "some", "any", "all", "every", "each", "an", "is", "are",
        "arbitrary",
        "in", "be", "being", "and", "denotes", "number", "numbers",
    ]

    /// "x = 6j + 4 for some integer j" as "x = 6j + 4, j \in \mathbb{Z}".
    private static func withIntegers(_ text: String) -> String {
        for opening in [
            " for ", " where ", " with ", ",", "\\ (", "(for ", "(", "{for ", "{where ", "{ for ",
        ] {
            var search = text[...]
            while let place = search.firstRange(of: opening) {
                if place.lowerBound > text.startIndex,
                    let name = integerName(text[place.lowerBound...])
                {
                    var head = text[..<place.lowerBound]
                    if head.hasSuffix("\\text") { head.removeLast(5) }
                    while let last = head.last, " ,$".contains(last) { head.removeLast() }
                    if head.count(where: { $0 == "$" }) % 2 == 1 { head.removeAll { $0 == "$" } }
                    return "\(head), \(name) \\in \\mathbb{Z}"
                }
                search = search[place.upperBound...]
            }
        }
        return text
    }

    /// The letter that a clause says is an integer; nil where it says more.
    private static func integerName(_ clause: Substring) -> String? {
        guard clause.utf8.count <= 80 else { return nil }
        var plain = String(clause)
        for (mark, word) in [
            ("∈", " ∈ "), ("\\text", " "), ("\\mathbb{Z}", " Z "), ("\\in", " in "),
        ] {
            plain = plain.replacing(mark, with: word)
        }
        var name: String?
        var saysInteger = false
        for word in plain.split(whereSeparator: { " ,(){}$.\\".contains($0) }).map(String.init) {
            if word == "Z" || ["integer", "integers"].contains(word.lowercased()) {
                saysInteger = true
            } else if word == "∈" {
                continue
            } else if word.utf8.count == 1, word != "a", word.utf8.first?.isLetter ?? false {
                guard name == nil else { return nil }
                name = word
            } else if word != "a", !filler.contains(word.lowercased()) {
                return nil
            }
        }
        return saysInteger ? name : nil
    }

    // MARK: - Exceptions

    /// "all real numbers except 2 and 3" as `\mathbb{R} \setminus \{2, 3\}`.
    private static func withExceptions(_ text: String) -> String {
        for word in [" except for ", " except ", " other than ", " excluding ", " but not "] {
            guard let place = text.firstRange(of: word) else { continue }
            let head = text[..<place.lowerBound].lowercased()
            let isAll =
                ![" not", "never"].contains(where: head.contains)
                && ["all real numbers", "all reals", "any real number", "every real number"]
                    .contains { head.hasSuffix($0) }
            let exceptions = text[place.upperBound...].replacing(" and ", with: ", ")
            guard isAll, !exceptions.isEmpty, exceptions.utf8.count < 48 else { return text }
            return "\\mathbb{R} \\setminus \\{\(exceptions)\\}"
        }
        return text
    }

    // MARK: - Quantifiers

    /// The text without a closing clause that restricts nothing: "for all real x".
    private static func withoutQuantifier(_ text: String) -> String {
        for opening in [
            "\\text{ for all", "\\text{for all", " for all", "\\forall", "\\text{ for every",
            " for every", "\\text{ for any", " for any",
        ] {
            guard let range = text.firstRange(of: opening), range.lowerBound > text.startIndex
            else { continue }
            let rest = text[range.upperBound...].replacing("\\mathbb{R}", with: "").replacing(
                "\\in",
                with: ""
            )
            let isFree = rest.split(whereSeparator: { !$0.isLetter }).allSatisfy {
                $0.count == 1
                    || ["real", "reals", "numbers", "number", "values", "of", "all", "text", "in"]
                        .contains($0)
            }
            guard isFree, !rest.contains(where: { $0.isNumber || "<>=".contains($0) }),
                !rest.contains("\\ne"), !rest.contains("\\le"), !rest.contains("\\ge")
            else { return text }
            var head = text[..<range.lowerBound]
            while let last = head.last, " ,".contains(last) { head.removeLast() }
            return String(head)
        }
        return text
    }
}
