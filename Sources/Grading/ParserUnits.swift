/// Units behind a number: degree signs, temperatures, words with powers.
extension Parser {
    /// Steps over `\circ` or `{\circ}` behind a `^`.
    mutating func takeDegreeSign() -> Bool {
        if take(.command("circ")) { return true }
        guard current == .sign("{"), peek(1) == .command("circ"), peek(2) == .sign("}") else {
            return false
        }
        position += 3
        return true
    }

    mutating func degreeUnit() -> Unit { temperature() ?? .degree }

    /// The scale behind a degree sign, as in `25^\circ\text{C}`.
    mutating func temperature() -> Unit? {
        let letter: String? =
            switch current {
            case .text(let word), .word(let word), .symbol(let word): word.uppercased()
            default: nil
            }
        guard let letter, ["C", "F", "K", "CELSIUS", "FAHRENHEIT"].contains(letter) else {
            return nil
        }
        position += 1
        return .named("degree \(letter.prefix(1))")
    }

    /// Whether a `/` stands between words, as in "km/h".
    var startsUnitAfterSlash: Bool {
        switch peek(1) {
        case .word(let word)?, .text(let word)?: if Unit.isUnit(word.lowercased()) { return true }
        default: break
        }
        switch peek(-1) {
        case .word?, .text?: return true
        default: return false
        }
    }

    /// Words up to the next separator; empty, without a step, where none begin here.
    mutating func unitWords(allowBare: Bool) -> String {
        var words = ""
        loop: while let next = current {
            switch next {
            case .text(let word): words += words.hasSuffix("/") ? word : " " + word
            case .word(let word):
                guard allowBare || !words.isEmpty else { break loop }
                words += " " + word
            case .symbol(let letter) where !words.isEmpty:
                words += words.hasSuffix("/") ? letter : " " + letter
            case .sign("/") where !words.isEmpty: words += "/"
            case .sign("/") where startsUnitAfterSlash: words += " per"
            case .sign("^") where !words.isEmpty:
                guard let power = smallPower() else { break loop }
                words += " " + power
            default: break loop
            }
            position += 1
        }
        return words
    }

    /// The 2 of `cm^2` or `cm^{-2}`, stepping to its last token but one.
    private mutating func smallPower() -> String? {
        var offset = 1
        let braced = peek(offset) == .sign("{")
        if braced { offset += 1 }
        let isNegative = peek(offset) == .sign("-")
        if isNegative { offset += 1 }
        guard case .number(let literal)? = peek(offset), literal.isInteger,
            !braced || peek(offset + 1) == .sign("}")
        else { return nil }
        position += braced ? offset + 1 : offset
        return (isNegative ? "-" : "") + String(decoding: literal.digits, as: UTF8.self)
    }
}
