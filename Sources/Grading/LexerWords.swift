/// Words outside LaTeX: functions, Greek letters, numbers, units, and what changes a number.
extension Lexer {
    /// Reads the letters that stand here, as one word or as a product of variables.
    mutating func letters() -> Bool {
        let start = index
        while current?.isLatinLetter ?? false { index += 1 }
        let word = String(scalars: characters[start..<index])
        guard word.utf8.count > 1 else {
            single(word)
            return true
        }
        let lower = word.lowercased()
        if endsInNumber, Unit.isUnit(lower), LexerTables.words[lower] != nil, endsHere {
            tokens.append(.word(word))  // "45 sec"
        } else if Unit.isUnit(lower), LexerTables.words[lower] != nil, followsUnitAndSlash {
            tokens.append(.word(word))  // "km/min"
        } else if lower == "to", endsInNumber, startsNumber(after: 0) {
            tokens.append(.sign(":"))
        } else if lower == "of", case .number(let literal)? = tokens.last, !literal.isWord,
            ["them", "these", "those"].contains(followingWords(1).first ?? "")
        {
            while index < characters.count,
                characters[index].isLatinLetter || characters[index] == " "
            { index += 1 }
        } else if lower == "out" || lower == "in", let end = partOfWhole(lower) {
            index = end
            tokens.append(.sign("/"))
        } else if lower == "times", endsInNumber, startsFactorBehindSpace {
            tokens.append(.sign("*"))
        } else if lower == "mod" || lower == "modulo" {
            modulus(isRemainder: true)
        } else if lower == "base", startsNumber(after: 0) {
            while current == " " { index += 1 }
            let digits = characters[index...].prefix { $0.isNumeral }
            index += digits.count
            tokens.append(.text("base " + String(scalars: digits)))
        } else if let name = LexerTables.greekNames[word],
            word.utf8.count > 2 || isAlone(from: start)
        {
            tokens.append(.symbol(name))
        } else if joinsPhrase(lower) || isMeaningful(lower) {
            tokens.append(.word(lower))
        } else if let value = WordMeaning.numbers[lower] {
            tokens.append(.number(number(value)))
        } else if let spelled = LexerTables.words[lower] {
            tokens.append(spelled)
        } else if let power = current, "²³".unicodeScalars.contains(power), Unit.isUnit(lower),
            endsInNumber
        {
            tokens.append(.text(word))
        } else if word.utf8.count >= 4 || Unit.isUnit(lower) || isNoun(word) || followsWord {
            tokens.append(.word(word))
        } else {
            tokens += word.map { .symbol(String($0)) }
        }
        return true
    }

    /// Whether words stand before this one, and space between.
    private var followsWord: Bool {
        guard sawSpace else { return false }
        switch tokens.last {
        case .word?, .text?: return true
        default: return false
        }
    }

    private var followsUnitAndSlash: Bool {
        guard tokens.last == .sign("/") else { return false }
        switch tokens.dropLast().last {
        case .word?, .text?: return true
        default: return false
        }
    }

    /// Whether nothing of a formula follows on the word read last.
    private var endsHere: Bool {
        var place = index
        while place < characters.count, characters[place] == " " { place += 1 }
        guard place < characters.count else { return true }
        return !characters[place].isLatinLetter
            && !"(\\^_".unicodeScalars.contains(characters[place])
    }

    private mutating func single(_ letter: String) {
        if endsInNumber, Unit.isUnit(letter), let power = current,
            "²³".unicodeScalars.contains(power)
        {
            tokens.append(.text(letter))
            return
        }
        if endsInNumber, current == "/", Unit.isUnit(letter) {
            let rest = characters[index...].prefix(16).prefix {
                $0.isLatinLetter || $0.isNumeral || "/^{}-".unicodeScalars.contains($0)
            }
            if let unit = Unit.spelled(letter + String(scalars: rest)) {
                tokens.append(.text(unit))
                index += rest.count
                return
            }
        }
        if endsInNumber, sawSpace, let rest = unitBehind(letter) {
            tokens.append(.text(letter + String(scalars: characters[index..<rest])))
            index = rest
            return
        }
        if letter == "U", let last = tokens.last, [.sign(")"), .sign("]")].contains(last) {
            tokens.append(.sign("∪"))
        } else if letter == "C", endsInNumber, !sawSpace, current?.isNumeral ?? false {
            tokens.append(.command("choose"))  // "8C2"
        } else if letter == "a", sawSpace, case .word? = tokens.last {
            tokens.append(.word("a"))
        } else {
            tokens.append(.symbol(letter))
        }
    }

    /// The index behind a unit of one letter that stands behind a number and a space, and no variable:
    /// "8 m" is all of the answer, "1 h 30 min" goes on with a number, "9.8 m s^{-2}" has a power below
    /// zero.
    private func unitBehind(_ letter: String) -> Int? {
        guard ["m", "s", "g", "L", "h"].contains(letter) else { return nil }
        if index == characters.count { return tokens.count == 1 && letter != "h" ? index : nil }
        if current == " ", peek(1)?.isNumeral ?? false { return index }
        let rest = characters[index...].prefix(24)
        let isPower = rest.count > 3 && String(scalars: rest).contains("^{-")
        return isPower && rest.endIndex == characters.count
            && Unit.spelled(letter + String(scalars: rest)) != nil ? rest.endIndex : nil
    }

    /// Whether a Greek name of two letters is more than two variables: "mu_0", or all of the answer.
    private func isAlone(from start: Int) -> Bool {
        current == "_" || start == 0 && index == characters.count
    }

    /// Whether three letters behind a number and a space are a word, as in "7 men" and "18 per day",
    /// and no product of variables: consonant, vowel, consonant.
    private func isNoun(_ word: String) -> Bool {
        let letters = Array(word.utf8)
        guard letters.count == 3, sawSpace, endsInNumber else { return false }
        let vowels = "aeiou".utf8
        return letters.allSatisfy { (0x61...0x7A).contains($0) } && vowels.contains(letters[1])
            && !vowels.contains(letters[0]) && !vowels.contains(letters[2])
    }

    /// Whether "and" or "or" begins a phrase such as "and a half", "or less".
    private func joinsPhrase(_ word: String) -> Bool {
        guard word == "and" || word == "or" else { return false }
        let next = followingWords(2)
        return WordMeaning.first(in: ([word] + next)[...]).map { meaning, _ in
            if case .changes = meaning { false } else { true }
        } ?? false
            || word == "and"
                && WordMeaning.first(in: ([word] + followingWords(3).prefix(2))[...])?.count == 3
    }

    /// Whether a word changes the number it stands beside, or opens the answer and changes it.
    private func isMeaningful(_ word: String) -> Bool {
        guard word != "and", word != "or" else { return false }
        if ["st", "nd", "rd", "th"].contains(word) { return endsInNumber && !sawSpace }
        let follows: Bool
        switch tokens.last {
        case nil, .sign(",")?, .sign("=")?, .sign("∧")?, .sign("∨")?:
            return LexerTables.prefixes.contains(word)
        case .number?, .word?, .text?, .sign("%")?, .currency?: follows = true
        case .sign("}")?, .sign(")")?: follows = word.utf8.count > 3
        default: follows = false
        }
        return follows && WordMeaning.isChanging(word) && (sawSpace || word.utf8.count > 2)
    }

    /// The next words, in small letters, with nothing but spaces before each.
    private func followingWords(_ count: Int) -> [String] {
        var words: [String] = []
        var place = index
        while words.count < count, place < characters.count {
            while place < characters.count, characters[place] == " " { place += 1 }
            let word = characters[place...].prefix(16).prefix { $0.isLatinLetter }
            guard !word.isEmpty else { break }
            words.append(String(scalars: word).lowercased())
            place += word.count
        }
        return words
    }

    /// Whether a number or a single letter follows.
    private var startsFactorBehindSpace: Bool {
        var place = index
        while place < characters.count, characters[place] == " " { place += 1 }
        guard place > index, place < characters.count else { return false }
        if characters[place].isNumeral || "\\(".unicodeScalars.contains(characters[place]) {
            return true
        }
        let isLetter = characters[place].isLatinLetter
        return isLetter && (place + 1 == characters.count || !characters[place + 1].isLatinLetter)
    }

    /// The index behind "out of" or "in" between two whole numbers of which the second ends the answer or
    /// goes before a noun: "9 out of 10", "1 in 6".
    private func partOfWhole(_ word: String) -> Int? {
        guard case .number(let part)? = tokens.last, part.isInteger else { return nil }
        var place = index
        if word == "out" {
            guard followingWords(1) == ["of"] else { return nil }
            while place < characters.count, characters[place] == " " { place += 1 }
            place += 2
        }
        let start = place
        while place < characters.count, characters[place] == " " { place += 1 }
        let digits = characters[place...].prefix { $0.isNumeral || $0 == "," }
        guard place > start, digits.first?.isNumeral ?? false else { return nil }
        let rest = characters[digits.endIndex...].drop { $0 == " " }
        let noun = String(scalars: rest.prefix(12).prefix { $0.isLatinLetter })
        let isOver =
            rest.isEmpty || word == "out" && rest.count == noun.count
            || ["chance", "chances", "odds"].contains(noun)
        return isOver ? start : nil
    }

    private func startsNumber(after offset: Int) -> Bool {
        var place = offset
        while peek(place) == " " { place += 1 }
        return place > offset && (peek(place)?.isNumeral ?? false)
    }

    // MARK: - Numbers in words

    /// The literal of a number word; "twenty-one" and "three hundred five" are read to their end.
    private mutating func number(_ first: Int) -> NumberLiteral {
        var (total, part) = (0, first)
        var isTens = first >= 20
        while true {
            let start = index
            while index < characters.count, " -".unicodeScalars.contains(characters[index]) {
                index += 1
            }
            let letters = characters[index...].prefix(16).prefix { $0.isLatinLetter }
            let word = String(scalars: letters).lowercased()
            if word == "and", part >= 100 || total > 0,
                WordMeaning.numbers[followingWords(2).last ?? ""] != nil
            {
                // "one hundred and five"
                index += 3
                continue
            }
            if index > start, let value = WordMeaning.numbers[word],
                isTens && value < 10 && value > 0 || part > 0 && part % 100 == 0 && value < 100
            {
                part += value
                isTens = value >= 20
            } else if index > start, word == "hundred", (1..<20).contains(part) {
                part *= 100
            } else if index > start, word == "thousand", part < 1000, total == 0 {
                (total, part) = (part * 1000, 0)
            } else {
                // "three-quarters"
                let isPart = start < characters.count && characters[start] == "-"
                index = isPart && WordMeaning.isFactor(word) ? start + 1 : start
                break
            }
            index += letters.count
            if word == "thousand", let words = Optional(followingWords(2)), words.first == "and",
                WordMeaning.numbers[words.last ?? ""] != nil
            {
                index += 4
            }
            if word == "thousand", WordMeaning.numbers[followingWords(1).first ?? ""] == nil {
                break
            }
            if word == "thousand", let next = followingWords(1).first,
                let value = WordMeaning.numbers[next]
            {
                while index < characters.count, !characters[index].isLatinLetter { index += 1 }
                index += next.unicodeScalars.count
                part = value
                isTens = value >= 20
            }
        }
        return NumberLiteral(
            digits: Array(String(total + part).utf8),
            spaceBefore: sawSpace,
            isWord: true
        )
    }

    // MARK: - Remainders

    /// What stands behind "mod", `\bmod`, `\pmod`: in a congruence the modulus, else an operator.
    mutating func modulus(isRemainder: Bool) {
        if isRemainder, !tokens.contains(.sign("≡")) {
            tokens.append(.command("bmod"))
            return
        }
        while current == " " { index += 1 }
        if let inside = braced() {
            tokens.append(.text("mod " + inside))
            return
        }
        let text = characters[index...].prefix { $0.isNumeral || $0.isLatinLetter }
        index += text.count
        tokens.append(.text("mod " + String(scalars: text)))
    }

    /// The base of "(base 8)" and "(in base two)" behind a number, as digits; steps behind the bracket.
    mutating func bracketedBase() -> String? {
        guard endsInNumber, let end = characters[index...].prefix(24).firstIndex(of: ")"),
            let base = Self.base(of: String(scalars: characters[index..<end]))
        else { return nil }
        index = end + 1
        return base
    }

    /// The base that "base 8" or "in base two" names, as digits.
    static func base(of words: String) -> String? {
        var words = words.lowercased().split(separator: " ").map(String.init)[...]
        if words.first == "in" { words.removeFirst() }
        guard words.count == 2, words.first == "base", let name = words.last else { return nil }
        let base = Parser.baseName(name)
        return base.utf8.allSatisfy(\.isDigit) ? base : nil
    }

    /// The modulus of "(mod 8)"; steps behind the bracket.
    mutating func bracketedModulus() -> String? {
        var place = index
        func skipSpace() { while place < characters.count, characters[place] == " " { place += 1 } }
        skipSpace()
        let openings = [
            "modulo", "\\text{modulo }", "\\bmod", "\\mod", "\\text{mod }", "\\text{mod}",
            "\\mathrm{mod}",
            "\\operatorname{mod}", "mod",
        ]
        guard
            let word = openings.first(where: {
                characters[place...].starts(with: $0.unicodeScalars)
            })
        else { return nil }
        place += word.unicodeScalars.count
        let rest = characters[place...].prefix(24)
        guard let end = rest.firstIndex(of: ")") else { return nil }
        index = end + 1
        return String(scalars: rest[..<end].filter { $0 != " " && $0 != "\\" && $0 != "," })
    }
}
