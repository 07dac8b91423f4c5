/// What may follow a number without changing its value.
enum Unit: Equatable, Sendable {
    /// Hundredths.
    case percent
    /// Degrees of angle.
    case degree
    /// A unit this room knows, under one name for all its spellings, with its powers.
    case named(String)
    /// The base a numeral is written in.
    case base(String)
    /// What a remainder is taken by.
    case modulus(String)
    /// Words that make the number say something else, such as "north".
    case qualified(String)
    /// Other words, such as "apples"; alone they never decide a comparison.
    case label(String)

    /// The unit that words such as "cm", "square meters" or "km h^-1" name; `.label` if none.
    init(words: String) {
        let text = words.lowercased().replacing("per cent", with: "percent")
        if let scale = Self.temperatures[text] {
            self = .named("degree \(scale)")
            return
        }
        if let unit = Self.compound(text) {
            self = unit
            return
        }
        let isNamed = text.contains("/")
        let name = text.split(whereSeparator: { " .{}~".contains($0) }).joined(separator: " ")
        self = isNamed ? .named(name) : .label(Self.stem(name))
    }

    /// Whether this is a unit of a known kind.
    var isNamed: Bool { if case .named = self { true } else { false } }

    /// Whether this is a label.
    var isLabel: Bool { if case .label = self { true } else { false } }

    /// Whether the number says another thing without it.
    var isQualifier: Bool {
        switch self {
        case .qualified: true
        default: false
        }
    }

    /// Whether a bare word names a unit.
    static func isUnit(_ word: String) -> Bool {
        canonical[word] != nil || powers[word] != nil
    }

    /// Words spelled as units alone, as in `\mathrm{m\,s^{-1}}`; nil where another word is among them.
    static func spelled(_ contents: String) -> String? {
        guard contents.utf8.count <= 48 else { return nil }
        var text = contents
        for space in ["\\,", "\\;", "\\:", "\\ ", "\\!", "~", "\\cdot", "\\times", "*", "·"] {
            text = text.replacing(space, with: " ")
        }
        text = text.filter { $0 != "{" && $0 != "}" }.split(separator: " ").joined(separator: " ")
        return compound(text.lowercased()) == nil ? nil : text
    }

    /// The unit of names with powers, in any order: "km/h", "m s^-2", "square cm", "meters per second".
    private static func compound(_ text: String) -> Unit? {
        var powersOf: [String: Int] = [:]
        var sign = 1
        var pending = 1
        var last: String?
        for raw in text.replacing("/", with: " / ").split(whereSeparator: { " ·".contains($0) }) {
            var word = raw.filter { $0 != "." && $0 != "~" && $0 != "{" && $0 != "}" }
            if word.isEmpty { continue }
            if word == "/" || word == "per" {
                sign = -1
                continue
            }
            if word == "squared" || word == "cubed", let name = last {
                powersOf[name, default: 0] *= word == "squared" ? 2 : 3
                continue
            }
            if let power = powers[word] {
                pending = power
                continue
            }
            var exponent = 1
            if let mark = word.firstIndex(of: "^") {
                guard let value = Int(word[word.index(after: mark)...]), abs(value) <= 9 else {
                    return nil
                }
                exponent = value
                word = String(word[..<mark])
                if word.isEmpty, let name = last {
                    powersOf[name, default: 0] *= value
                    continue
                }
            } else if let value = Int(word), let name = last, abs(value) <= 9 {
                powersOf[name, default: 0] *= value
                continue
            }
            guard let name = canonical[word] else { return nil }
            for part in expanded[name] ?? [(name, 1)] {
                powersOf[part.0, default: 0] += sign * exponent * pending * part.1
            }
            last = name
            pending = 1
        }
        let parts = powersOf.filter { $0.value != 0 }.sorted { $0.key < $1.key }
        guard !parts.isEmpty else { return pending == 1 ? nil : .label("unit") }
        if parts.count == 1, parts[0].value == 1 {
            if parts[0].key == "percent" { return .percent }
            if parts[0].key == "degree" { return .degree }
        }
        return .named(
            parts.map { $0.value == 1 ? $0.key : "\($0.key)^\($0.value)" }.joined(separator: " ")
        )
    }

    /// A noun without the ending of its plural.
    private static func stem(_ name: String) -> String {
        name.utf8.count > 3 && name.hasSuffix("s") ? String(name.dropLast()) : name
    }

    // MARK: - Conversion

    /// How many of the base units of its kind a unit is, and those: 60 and "s" for a minute, 10,000 and
    /// "mm^2" for a square decimetre.
    static func scale(of unit: Unit) -> (factor: Rational, base: String)? {
        guard case .named(let name) = unit else { return nil }
        let budget = WorkBudget()
        var factor = Rational.one
        var dimensions: [String: Int] = [:]
        for part in name.split(separator: " ") {
            let halves = part.split(separator: "^")
            guard let unit = halves.first.map(String.init),
                let power = halves.count == 2 ? Int(halves[1]) : 1, abs(power) <= 9
            else { return nil }
            let size = sizes[unit] ?? (.one, unit, 1)
            guard let scaled = size.factor.power(power, budget: budget),
                let product = factor.multiplied(by: scaled, budget: budget)
            else { return nil }
            factor = product
            dimensions[size.base, default: 0] += power * size.power
        }
        let base = dimensions.filter { $0.value != 0 }.sorted { $0.key < $1.key }
            .map { $0.value == 1 ? $0.key : "\($0.key)^\($0.value)" }.joined(separator: " ")
        return (factor, base)
    }

    /// What a unit is in units of its kind: how many of the base, raised to a power.
    private typealias Size = (factor: Rational, base: String, power: Int)

    private static let sizes: [String: Size] = {
        var table: [String: Size] = [:]
        for (base, entries) in [
            ("s", [("s", 1), ("min", 60), ("h", 3600), ("day", 86_400), ("week", 604_800)]),
            ("mm", [("mm", 1), ("cm", 10), ("m", 1000), ("km", 1_000_000)]),
            ("mg", [("mg", 1), ("g", 1000), ("kg", 1_000_000)]), ("oz", [("oz", 1), ("lb", 16)]),
            ("cent", [("cent", 1), ("dollar", 100)]), ("month", [("month", 1), ("year", 12)]),
            ("j", [("j", 1), ("kj", 1000)]), ("w", [("w", 1), ("kw", 1000)]),
        ] {
            for (name, factor) in entries { table[name] = (Rational(factor), base, 1) }
        }
        // An inch is 25.4 mm.
        for (name, inches) in [("in", 1), ("ft", 12), ("yd", 36), ("mi", 63_360)] {
            table[name] = (Rational(Natural(UInt64(inches * 127)), over: Natural(5)), "mm", 1)
        }
        table["ms"] = (Rational(.one, over: Natural(1000)), "s", 1)
        table["ml"] = (Rational(1000), "mm", 3)
        table["l"] = (Rational(1_000_000), "mm", 3)
        return table
    }()

    // MARK: - Temperature

    private static let temperatures: [String: String] = {
        var table: [String: String] = [:]
        for (scale, names) in ["C": ["celsius", "centigrade", "c"], "F": ["fahrenheit", "f"]] {
            for name in names {
                for degrees in ["degrees ", "degree "] { table[degrees + name] = scale }
                if name.utf8.count > 1 { table[name] = scale }
            }
        }
        return table
    }()

    /// A temperature in kelvins; nil for any other unit.
    func kelvins(_ value: Expression) -> Expression? {
        let zero = Expression.quotient(.integer(27_315), .integer(100))
        switch self {
        case .named("degree C"): return .sum([value, zero])
        case .named("degree F"):
            return .sum([
                .product([
                    .sum([value, .integer(-32)]), .quotient(.integer(5), .integer(9)),
                ]), zero,
            ])
        case .named("degree K"), .named("k"): return value
        default: return nil
        }
    }

    // MARK: - Tables

    private static let powers = ["square": 2, "sq": 2, "cubic": 3, "cu": 3]

    /// Units that are written as one word and made of others.
    private static let expanded: [String: [(String, Int)]] = [
        "mph": [("mi", 1), ("h", -1)], "kph": [("km", 1), ("h", -1)],
    ]

    /// Spellings by canonical name; single letters count only inside `\text{}`.
    private static let spellings: [String: String] = [
        "percent": "percents percentage pct %", "degree": "degrees deg",
        "dollar": "dollars usd", "cent": "cents", "euro": "euros eur", "pound sterling": "gbp",
        "rupee": "rupees rs", "yuan": "rmb", "yen": "jpy",
        "mm": "millimeter millimeters millimetre millimetres",
        "cm": "centimeter centimeters centimetre centimetres",
        "m": "meter meters metre metres", "km": "kilometer kilometers kilometre kilometres",
        "in": "inch inches", "ft": "foot feet", "yd": "yard yards", "mi": "mile miles",
        "mg": "milligram milligrams", "g": "gram grams", "kg": "kilogram kilograms",
        "lb": "lbs pound pounds", "oz": "ounce ounces", "ton": "tons",
        "ml": "milliliter milliliters", "l": "liter liters litre litres", "gal": "gallon gallons",
        "ms": "millisecond milliseconds", "s": "sec secs second seconds",
        "min": "mins minute minutes", "h": "hr hrs hour hours", "day": "days",
        "week": "weeks", "month": "months", "year": "years yr yrs",
        "mph": "", "kph": "kmh", "hz": "hertz", "rad": "radian radians",
        "n": "newton newtons", "j": "joule joules", "kj": "", "w": "watt watts", "kw": "",
        "v": "volt volts", "pa": "pascal pascals", "k": "kelvin", "mol": "mole moles",
    ]

    private static let canonical: [String: String] = spellings.reduce(into: [:]) { table, entry in
        table[entry.key] = entry.key
        for spelling in entry.value.split(separator: " ") { table[String(spelling)] = entry.key }
    }
}
