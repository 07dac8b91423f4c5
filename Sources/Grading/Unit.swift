/// What may follow a number without changing its value.
enum Unit: Equatable, Sendable {
    /// Hundredths.
    case percent
    /// Degrees of angle.
    case degree
    /// A unit this room knows, under one name for all its spellings, with its power.
    case named(String)
    /// The base a numeral is written in.
    case base(String)
    /// Other words, such as "apples"; they never decide a comparison.
    case label

    /// The unit that words such as "cm", "square meters" or "km/h" name; `.label` if none.
    init(words: String) {
        var names = words.lowercased().split(whereSeparator: { " .^{}~".contains($0) })
            .map(String.init)
        var power = ""
        if let last = names.last, last == "2" || last == "3" {
            power = "^" + names.removeLast()
        }
        if let first = names.first, let prefix = Self.powers[first], names.count > 1 {
            power = prefix
            names.removeFirst()
        }
        let name = names.joined(separator: " ")
        switch Self.canonical[name] {
        case "percent": self = .percent
        case "degree": self = .degree
        case let known?: self = .named(known + power)
        case nil:
            let isNamed = name.contains("/") || name.hasPrefix("mod ")
            self = isNamed ? .named(name + power) : .label
        }
    }

    /// Whether a bare word names a unit.
    static func isUnit(_ word: String) -> Bool {
        canonical[word] != nil || powers[word] != nil
    }

    private static let powers = ["square": "^2", "sq": "^2", "cubic": "^3", "cu": "^3"]

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
        "mph": "miles/hour mi/h", "km/h": "kph", "m/s": "", "hz": "hertz", "rad": "radian radians",
        "n": "newton newtons", "j": "joule joules", "kj": "", "w": "watt watts", "kw": "",
        "v": "volt volts", "pa": "pascal pascals", "k": "kelvin", "mol": "mole moles",
    ]

    private static let canonical: [String: String] = spellings.reduce(into: [:]) { table, entry in
        table[entry.key] = entry.key
        for spelling in entry.value.split(separator: " ") { table[String(spelling)] = entry.key }
    }
}
