/// Words around a number: in front of it, and behind it.
extension Parser {
    /// A value behind words that open it: "at least 7", "minus 3", "half", "ratio 5:3".
    mutating func afterWords() throws(NotMathematics) -> Expression {
        var words: [String] = []
        while case .word(let word)? = current {
            words.append(word.lowercased())
            position += 1
        }
        words.removeAll {
            ["exactly", "only", "just", "about", "approximately", "roughly", "around", "the"]
                .contains($0)
        }
        if let first = words.first, ["a", "an"].contains(first), words.count > 1 {
            words.removeFirst()
        }
        if words.first == "ratio" { words.removeAll { $0 == "ratio" || $0 == "of" } }
        if let first = words.first, let (meaning, count) = WordMeaning.first(in: words[...]),
            case .times(let factor) = meaning, current == nil || !startsFactor(current ?? .newRow)
        {
            // "half", "a dozen eggs"
            _ = first
            return try described(.number(factor, places: nil), by: Array(words.dropFirst(count)))
        }
        guard current != nil else { throw NotMathematics() }
        let value = try nested { p throws(NotMathematics) in try p.valueAfterWords() }
        switch words.joined(separator: " ") {
        case "", "positive", "plus": return value
        case "minus", "negative": return value.negated
        case "at least", "no less than", "not less than", "no fewer than":
            return Self.bound("≤", value, .anything)
        case "at most", "no more than", "not more than", "up to", "no greater than":
            return Self.bound("≤", .anything, value)
        case "more than", "greater than", "over", "above", "larger than":
            return Self.bound("<", value, .anything)
        case "less than", "fewer than", "under", "below", "smaller than":
            return Self.bound("<", .anything, value)
        default: throw NotMathematics()
        }
    }

    private mutating func valueAfterWords() throws(NotMathematics) -> Expression { try ratio() }

    private static func bound(_ sign: String, _ low: Expression, _ high: Expression) -> Expression {
        .relation(sign, low, high)
    }

    /// A value with the words behind it: a scale ("million"), a unit, a label, or words that make it
    /// say something else.
    mutating func suffix(of value: Expression) throws(NotMathematics) -> Expression {
        let text = unitWords(allowBare: value.symbols.isEmpty)
        guard !text.isEmpty else { return value }
        let words = text.split(separator: " ").map(String.init)
        if words.first == "mod" {
            guard words.count == 2 else { throw NotMathematics() }
            return .measured(value, .modulus(words[1]))
        }
        // "50 per 100,000"
        if words.last == "per", case .number(let literal)? = current,
            let whole = literal.value(budget: budget), !whole.isZero
        {
            position += 1
            let part = Expression.quotient(value, .number(whole, places: nil))
            return try suffix(of: try described(part, by: Array(words.dropLast())))
        }
        let described = try described(value, by: words)
        // "1 hour 15 minutes"
        if case .number? = current, case .measured(_, let unit) = described,
            Unit.scale(of: unit) != nil
        {
            let rest = try nested { p throws(NotMathematics) in try p.sumAfterUnit() }
            guard let all = AnswerLists.durations([described, rest]) else { throw NotMathematics() }
            return all
        }
        return described
    }

    private mutating func sumAfterUnit() throws(NotMathematics) -> Expression {
        guard let token = current, case .number(let literal) = token,
            let value = literal.value(budget: budget)
        else { throw NotMathematics() }
        position += 1
        return try suffix(of: .number(value, places: nil))
    }

    private func described(_ value: Expression, by all: [String]) throws(NotMathematics)
        -> Expression
    {
        var words = all.map { $0.lowercased().filter { !"(),".contains($0) } }.filter {
            !$0.isEmpty
        }[...]
        var value = value
        if let base = Self.base(in: words) { return .measured(value, .base(base)) }
        if let (factor, rest) = WordMeaning.rate(in: words) {
            value = value.scaled { .product([$0, .number(factor, places: nil)]) }
            words = rest[...]
        }
        if let priced = price(value, words) { return priced }
        while let (meaning, count) = WordMeaning.first(in: words) {
            switch meaning {
            case .times(let factor):
                value = value.scaled { .product([$0, .number(factor, places: nil)]) }
            case .plus(let part): value = value.scaled { .sum([$0, .number(part, places: nil)]) }
            case .bound(let sign):
                words = words.dropFirst(count)
                let inner = try described(value, by: Array(words))
                return sign == "≤"
                    ? .relation("≤", .anything, inner) : .relation("≤", inner, .anything)
            case .changes: break
            }
            if case .changes = meaning { break }
            words = words.dropFirst(count)
        }
        // "3 more apples than pears" are three; "3 more than n" are not.
        if let first = words.first, ["more", "fewer", "less"].contains(first),
            let than = words.firstIndex(of: "than"), than > words.startIndex + 1
        {
            words = words[words.startIndex..<than].dropFirst()
        }
        if words.first == "a" { throw NotMathematics() }
        guard !words.isEmpty else { return value }
        let spelled = words.joined(separator: " ")
        let unit = Unit(words: spelled)
        if unit.isLabel {
            // "pieces of pizza" are counted; "2 of ..." is a part.
            let counted = words.first == "of" ? words : words.filter { $0 != "of" }[...]
            // "5 cookies left" are those that remain.
            let isRest =
                counted.count > 1 && counted.last == "left" && !Unit.isUnit(counted.first ?? "")
            let isMore = counted.last == "more" || counted.last == "extra"
            guard !isMore else {
                return .measured(value, .qualified(counted.joined(separator: " ")))
            }
            let changes = (isRest ? counted.dropLast() : counted).compactMap {
                WordMeaning.name(of: $0)
            }
            guard changes.isEmpty else {
                let names = counted.filter { WordMeaning.name(of: $0) == nil }
                let inner =
                    names.isEmpty
                    ? value : value.measured(by: Unit(words: names.joined(separator: " ")))
                return .measured(inner, .qualified(changes.sorted().joined(separator: " ")))
            }
            if words.contains("base") { throw NotMathematics() }
        }
        return value.measured(by: unit)
    }

    /// "\$12 per hour" as dollars per hour; nil unless a currency stands in front and a unit behind.
    private func price(_ value: Expression, _ words: ArraySlice<String>) -> Expression? {
        guard case .measured(let amount, .named(let currency)) = value, words.count >= 2,
            let first = words.first, ["per", "a", "an", "each", "/"].contains(first)
        else { return nil }
        let unit = Unit(words: "\(currency) per \(words.dropFirst().joined(separator: " "))")
        if case .named = unit { return .measured(amount, unit) }
        return nil
    }

    /// The base of "in base two", as digits.
    private static func base(in words: ArraySlice<String>) -> String? {
        var rest = words
        if rest.first == "in" { rest = rest.dropFirst() }
        guard rest.first == "base", rest.count == 2, let name = rest.last else { return nil }
        return baseName(name)
    }

    /// A base written in digits or words, as digits.
    static func baseName(_ name: String) -> String {
        WordMeaning.numbers[name.lowercased()].map(String.init)
            ?? ["binary": "2", "octal": "8", "decimal": "10"][name.lowercased()] ?? name
    }
}

extension Expression {
    /// The number that a bound such as "at least 7" bounds.
    static let anything = Expression.symbol("\\it")

    /// The value changed, its unit kept.
    fileprivate func scaled(_ change: (Expression) -> Expression) -> Expression {
        if case .measured(let value, let unit) = self { return .measured(change(value), unit) }
        return change(self)
    }

    /// The value with a unit; a unit in front, such as a currency, outranks words behind.
    fileprivate func measured(by unit: Unit) -> Expression {
        if case .measured = self { return self }
        return .measured(self, unit)
    }
}
