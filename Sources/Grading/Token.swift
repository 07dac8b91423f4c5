/// The smallest parts of an answer that the parser tells apart.
enum Token: Equatable, Sendable {
    /// A number literal; `digits` counts are what the parser needs of its spelling.
    case number(NumberLiteral)
    /// One letter, or a command that names a letter such as `\alpha`.
    case symbol(String)
    /// A word of several letters outside LaTeX that is a function, a unit, or no mathematics.
    case word(String)
    /// The contents of `\text{}` and its kin.
    case text(String)
    /// A LaTeX command with a meaning, without its backslash.
    case command(String)
    /// Any other single character; operators of several spellings have one.
    case sign(Character)
    /// `\$` and its kin, with the unit it stands for.
    case currency(String)
    /// `\begin{name}` and `\end{name}`.
    case begin(String)
    case end(String)
    /// The beginning or end of an environment that only lays out lines.
    case layout(begins: Bool)
    /// `\\` between the rows of a matrix.
    case newRow
}

/// A number as written.
struct NumberLiteral: Equatable, Sendable {
    /// All digits, thousands separators and the point removed.
    var digits: [UInt8]
    /// How many of the digits are decimals.
    var decimals = 0
    /// How many of the decimals repeat without end, as in `0.1\overline{6}`.
    var repeating = 0
    /// Whether an ellipsis follows, as in `0.333...`.
    var isCutOff = false
    /// The power of ten of scientific notation, 0 without it.
    var exponent = 0
    /// Whether white space stood before it.
    var spaceBefore = false
    /// Whether it was spelled as words.
    var isWord = false

    /// Whether it is a plain run of digits.
    var isInteger: Bool { decimals == 0 && exponent == 0 }

    /// The exact value, or `nil` beyond the bound on exact numbers.
    func value(budget: WorkBudget) -> Rational? {
        if repeating > 0 { return repeatingValue(budget: budget) }
        let power = exponent - decimals
        guard abs(power) <= WorkBudget.maximumBits / 4,
            budget.spend(digits.count * digits.count / 100 + 1)
        else { return nil }
        let whole = Natural(digits: digits)
        guard let scale = Natural.ten.power(abs(power), budget: budget),
            whole.bitWidth + scale.bitWidth < WorkBudget.maximumBits
        else { return nil }
        return power >= 0 ? Rational(whole * scale) : Rational(whole, over: scale)
    }

    /// (all digits - digits before the period) / (10^before (10^period - 1)).
    private func repeatingValue(budget: WorkBudget) -> Rational? {
        let before = NumberLiteral(digits: Array(digits.dropLast(repeating)))
        guard let all = NumberLiteral(digits: digits).value(budget: budget),
            let rest = before.value(budget: budget),
            let nines = Rational(10).power(repeating, budget: budget)?
                .adding(Rational(-1), budget: budget),
            let scale = Rational(10).power(decimals - repeating, budget: budget)?
                .multiplied(by: nines, budget: budget)?.inverse
        else { return nil }
        return all.adding(rest.negated, budget: budget)?.multiplied(by: scale, budget: budget)
    }

    /// The decimals, where there are enough of them to stand for a rounded value.
    ///
    /// That is at least six, with at least four significant digits; `Expression.endless` where they
    /// repeat.
    var roundingPlaces: Int? {
        if repeating > 0 { return Expression.endless }
        let significant = digits.drop { $0 == UInt8(ascii: "0") }.count
        if exponent != 0 { return decimals >= 6 && significant >= 7 ? decimals - exponent : nil }
        return decimals >= 6 && significant >= 4 ? decimals : nil
    }

    /// The repeating decimal that an ellipsis behind it means.
    ///
    /// `0.333...` repeats the 3, `0.4545...` the 45; nil where nothing repeats, and the digits go on in
    /// some way.
    var continued: NumberLiteral? {
        let tail = digits.suffix(decimals)
        for length in [1, 2, 3, 6] {
            let cycles = length == 1 ? 3 : 2
            guard tail.count >= length * cycles else { continue }
            let period = tail.suffix(length)
            let repeats = (1..<cycles).allSatisfy { cycle in
                tail.dropLast(cycle * length).suffix(length).elementsEqual(period)
            }
            guard repeats else { continue }
            var copy = self
            copy.isCutOff = false
            copy.repeating = length
            return copy
        }
        return nil
    }
}
