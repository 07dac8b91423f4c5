/// Arithmetic said in words: "a dozen dozen", "twice 10", "12 squared", "half of 18".
struct WordArithmetic {
    /// Longest text that is looked at, in bytes.
    private static let longest = 64
    private static let deepest = 8

    /// What a part without such words is worth, as mathematics; nil where it is none.
    let leaf: (String) -> Expression?

    /// What a text says to work out; nil where it says nothing of the kind.
    static func expression(_ text: String, leaf: @escaping (String) -> Expression?) -> Expression? {
        guard text.utf8.count <= longest,
            text.utf8.allSatisfy({ $0.isLetter || $0.isDigit || " .,-/".utf8.contains($0) })
        else { return nil }
        let words = text.lowercased().split(separator: " ").map(String.init)
        guard words.contains(where: signals.contains) else { return nil }
        let reader = WordArithmetic(leaf: leaf)
        let said = ["chance", "chances"].contains(words.last) ? words.dropLast() : words[...]
        if let value = reader.value(said, 0) { return value }
        // "half a dozen eggs": the name of what is counted stands behind.
        guard let noun = words.last, words.count > 1, noun.utf8.count >= 3,
            !WordMeaning.isChanging(noun), !WordMeaning.isFactor(noun), !signals.contains(noun),
            WordMeaning.numbers[noun] == nil, let value = reader.value(words.dropLast(), 0)
        else { return nil }
        return .measured(value, Unit(words: noun))
    }

    private static let signals: Set<String> = [
        "dozen", "score", "couple", "gross", "twice", "thrice", "double", "triple", "half", "third",
        "thirds", "quarter", "quarters", "squared", "cubed", "times", "plus", "minus", "multiplied",
        "divided", "root", "square", "cube", "factorial", "sum", "product", "power", "pair",
        "dozens",
        "in", "out",
    ]
    private static let counts = ["dozen": 12, "score": 20, "couple": 2, "gross": 144, "dozens": 12]
    private static let multiples: [String: Expression] = [
        "twice": .integer(2), "double": .integer(2), "thrice": .integer(3), "triple": .integer(3),
        "half": .quotient(.integer(1), .integer(2)),
    ]
    private static let parts = ["half": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4]

    private func value(_ all: ArraySlice<String>, _ depth: Int) -> Expression? {
        guard depth < Self.deepest else { return nil }
        var words = all
        while let first = words.first, ["the", "a", "an", "exactly"].contains(first),
            words.count > 1
        {
            words.removeFirst()
        }
        guard let first = words.first, let last = words.last else { return nil }
        if words.count == 1 {
            if let count = Self.counts[first] ?? (first == "pair" ? 2 : nil) {
                return .integer(count)
            }
            // "half an hour"
            if depth > 0, first.utf8.count > 1, Unit.isUnit(first) {
                return .measured(.integer(1), Unit(words: first))
            }
            if let zeros = WordMeaning.scales[first] {
                return .power(.integer(10), .integer(zeros))
            }
        }
        return joined(words, depth) ?? prefixed(words, first, depth) ?? suffixed(words, last, depth)
            ?? number(words)
    }

    /// "3 plus 4", "three times five".
    private func joined(_ words: ArraySlice<String>, _ depth: Int) -> Expression? {
        if let power = raised(words, depth) { return power }
        for level in [["plus", "minus"], ["in", "out"], ["times", "multiplied", "divided"]] {
            guard let place = words.lastIndex(where: level.contains), place > words.startIndex,
                let left = value(words[..<place], depth + 1)
            else { continue }
            let rest = words[(place + 1)...]
            let operand = ["by", "of"].contains(rest.first) ? rest.dropFirst() : rest
            guard let right = value(operand, depth + 1) else { return nil }
            switch words[place] {
            case "plus": return .sum([left, right])
            case "minus": return .sum([left, right.negated])
            case "divided", "in", "out": return .quotient(left, right)
            default: return .product([left, right])
            }
        }
        return nil
    }

    private static let ordinals = [
        "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
        "ninth": 9, "tenth": 10,
    ]

    /// "2 to the power of 5", "two to the fourth power".
    private func raised(_ words: ArraySlice<String>, _ depth: Int) -> Expression? {
        guard let to = words.firstIndex(of: "to"), to > words.startIndex,
            words[(to + 1)...].first == "the", words.contains("power"),
            let base = value(words[..<to], depth + 1)
        else { return nil }
        let rest = words[(to + 2)...]
        if rest.starts(with: ["power", "of"]) {
            return value(rest.dropFirst(2), depth + 1).map { .power(base, $0) }
        }
        guard rest.count == 2, rest.last == "power",
            let ordinal = rest.first.flatMap({ Self.ordinals[$0] })
        else { return nil }
        return .power(base, .integer(ordinal))
    }

    /// A factor times a value, its unit kept outside.
    private func scaled(_ value: Expression, by factor: Expression) -> Expression {
        if case .measured(let inner, let unit) = value {
            return .measured(.product([factor, inner]), unit)
        }
        return .product([factor, value])
    }

    /// "twice 10", "half a dozen", "a quarter of 20", "the square root of 25", "the sum of 3 and 4".
    private func prefixed(_ words: ArraySlice<String>, _ first: String, _ depth: Int) -> Expression?
    {
        let rest = words.dropFirst()
        if let factor = Self.multiples[first] {
            return value(rest.first == "of" ? rest.dropFirst() : rest, depth + 1).map {
                scaled($0, by: factor)
            }
        }
        guard let of = words.firstIndex(of: "of"), of > words.startIndex else { return nil }
        let behind = words[(of + 1)...]
        switch words[..<of].joined(separator: " ") {
        case "square root": return value(behind, depth + 1).map { .squareRoot($0) }
        case "cube root":
            return value(behind, depth + 1).map { .power($0, .quotient(.integer(1), .integer(3))) }
        case "square": return value(behind, depth + 1).map { .power($0, .integer(2)) }
        case "cube": return value(behind, depth + 1).map { .power($0, .integer(3)) }
        case "sum", "product":
            guard let and = behind.firstIndex(of: "and"), let a = value(behind[..<and], depth + 1),
                let b = value(behind[(and + 1)...], depth + 1)
            else { return nil }
            return first == "sum" ? .sum([a, b]) : .product([a, b])
        default: break
        }
        guard let part = Self.parts[words[of - 1]], let whole = value(behind, depth + 1) else {
            return nil
        }
        let count = words[..<(of - 1)]
        let times = count.isEmpty ? .integer(1) : number(count)
        return times.map { scaled(whole, by: .quotient($0, .integer(part))) }
    }

    /// "12 squared", "5 factorial", "a dozen dozen", "two dozen and a half".
    private func suffixed(_ words: ArraySlice<String>, _ last: String, _ depth: Int) -> Expression?
    {
        if words.suffix(3).elementsEqual(["and", "a", "half"]), words.count > 3,
            let count = Self.counts[words[words.endIndex - 4]]
        {
            let before = words.dropLast(4)
            let times = before.isEmpty ? .integer(1) : value(before, depth + 1)
            let half = Expression.quotient(.integer(1), .integer(2))
            return times.map { .product([.sum([$0, half]), .integer(count)]) }
        }
        guard words.count > 1 else { return nil }
        let before = words.dropLast()
        switch last {
        case "squared": return value(before, depth + 1).map { .power($0, .integer(2)) }
        case "cubed": return value(before, depth + 1).map { .power($0, .integer(3)) }
        case "factorial": return value(before, depth + 1).map { .function(.factorial, [$0]) }
        default:
            guard let count = Self.counts[last] else { return nil }
            return value(before, depth + 1).map { .product([$0, .integer(count)]) }
        }
    }

    /// A plain number in digits or words.
    private func number(_ words: ArraySlice<String>) -> Expression? {
        guard let value = leaf(words.joined(separator: " ")), value.symbols.isEmpty,
            !value.contains(where: { part in
                switch part {
                case .measured, .relation, .group, .list, .matrix, .union, .opaque, .cutOff: true
                default: false
                }
            })
        else { return nil }
        return value
    }
}
