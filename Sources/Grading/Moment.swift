/// A time of day or a date, read from the whole of an answer.
enum Moment: Equatable {
    /// Minutes after midnight; `isMarked` where a.m., p.m., noon or the like says that it is a time.
    case time(minutes: Int, isMarked: Bool)
    /// Seconds and such: a time that no ratio could be, as written.
    case clock(String)
    /// A date; parts that are not given are 0.
    case date(year: Int, month: Int, day: Int, weekday: Int)

    /// Whether two answers are the same moment; nil where neither names one for certain.
    ///
    /// `7:30` alone is a time only beside a time, of the 24 hours of a day.
    static func same(_ a: Moment?, _ b: Moment?) -> Bool? {
        switch (a, b) {
        case (.time(let x, let marked)?, .time(let y, let alsoMarked)?):
            // "3:20" and "6:40" side by side may be ratios, and as times they differ.
            return marked || alsoMarked ? x == y : x == y ? nil : false
        case (.time(_, true)?, _), (_, .time(_, true)?): return false
        case (.date(let y, let m, let d, let w)?, .date(let v, let n, let e, let x)?):
            return m == n && d == e && (y == v) && (w == x || w == 0 || x == 0)
        case (.date?, _), (_, .date?): return false
        case (.clock(let x)?, .clock(let y)?): return x == y
        case (.clock?, _), (_, .clock?): return false
        default: return nil
        }
    }

    /// Reads an answer's key; most answers are none and cost a glance.
    init?(_ key: String) {
        guard (3...48).contains(key.utf8.count) else { return nil }
        let words = Self.words(of: key)
        guard !words.isEmpty, words.count <= 9 else { return nil }
        guard let moment = Self.time(words) ?? Self.date(words) else {
            return nil
        }
        self = moment
    }

    /// Small letters, digits and colons, in runs of a kind.
    private static func words(of key: String) -> [String] {
        var words: [String] = []
        var current: [UInt8] = []
        var isDigits = false
        func end() {
            if !current.isEmpty { words.append(String(decoding: current, as: UTF8.self)) }
            current = []
        }
        for byte in key.utf8 {
            if byte.isDigit || byte == UInt8(ascii: ":") {
                if !isDigits { end() }
                isDigits = true
                current.append(byte)
            } else if byte.isLetter {
                if isDigits { end() }
                isDigits = false
                current.append(byte.lowercased)
            } else if byte == UInt8(ascii: "."), !isDigits {
                continue  // "a.m." is one word
            } else if byte.isSpace || ".,'~".utf8.contains(byte) {
                end()
            } else {
                return []
            }
        }
        end()
        return words
    }

    // MARK: - Times

    private static func time(_ all: [String]) -> Moment? {
        var words = all
        if let first = words.first, ["at", "time"].contains(first) { words.removeFirst() }
        if words == ["noon"] || words == ["midday"] { return .time(minutes: 720, isMarked: true) }
        if words == ["midnight"] { return .time(minutes: 0, isMarked: true) }
        guard let digits = words.first, digits.utf8.first?.isDigit ?? false else { return nil }
        let fields = digits.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count <= 3, fields.allSatisfy({ (1...2).contains($0.utf8.count) }),
            let hour = Int(fields[0]), hour < 24,
            fields.dropFirst().allSatisfy({ $0.utf8.count == 2 && (Int($0) ?? 99) < 60 })
        else { return invalid(digits, words) }
        var marks = words.dropFirst().joined(separator: " ")
        var isExact = false
        if marks.hasPrefix("o clock") || marks.hasPrefix("oclock") {
            marks = String(marks.drop { $0 != "k" }.dropFirst().drop { $0 == " " })
            isExact = true
        }
        let half: Int? =
            switch marks {
            case "am", "a m", "in the morning", "am in the morning": 0
            case "pm", "p m", "in the afternoon", "in the evening", "at night": 12
            case "noon", "pm noon": hour == 12 ? 12 : nil
            case "midnight", "am midnight": hour == 12 ? 0 : nil
            default: nil
            }
        guard half != nil || marks.isEmpty || marks == "hours" && fields.count == 2 else {
            return nil
        }
        if fields.count == 3 { return .clock(digits + (half.map { " \($0)" } ?? "")) }
        let minute = fields.count == 2 ? Int(fields[1]) ?? 0 : 0
        if let half {
            guard hour <= 12 else { return .time(minutes: hour * 60 + minute, isMarked: true) }
            return .time(minutes: (hour % 12 + half) * 60 + minute, isMarked: true)
        }
        guard fields.count == 2 || isExact else { return nil }
        // "10:05" is no ratio, for that would be written without the 0.
        if fields.count == 2, fields[1].utf8.first == UInt8(ascii: "0") || fields[0].hasPrefix("0")
        {
            return .time(minutes: hour * 60 + minute, isMarked: true)
        }
        return .time(minutes: hour * 60 + minute, isMarked: isExact)
    }

    /// "4:60 p.m." is no time, and no ratio either.
    private static func invalid(_ digits: String, _ words: [String]) -> Moment? {
        let isMarked = words.dropFirst().contains { ["am", "pm", "noon", "midnight"].contains($0) }
        return isMarked && digits.contains(":") ? .clock(words.joined(separator: " ")) : nil
    }

    // MARK: - Dates

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    ]
    private static let weekdays = [
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]

    /// The number of a month that a name or its first three letters name.
    static func month(_ word: String) -> Int? {
        guard word.utf8.count >= 3 else { return nil }
        return months.firstIndex { $0 == word || word.utf8.count <= 4 && $0.hasPrefix(word) }
            .map { $0 + 1 }
    }

    private static func date(_ words: [String]) -> Moment? {
        var (year, month, day, weekday) = (0, 0, 0, 0)
        for word in words {
            if let number = Int(word) {
                if (1...31).contains(number), word.utf8.count <= 2, day == 0 {
                    day = number
                } else if word.utf8.count == 4, year == 0 {
                    year = number
                } else {
                    return nil
                }
            } else if let place = Self.month(word), month == 0 {
                month = place
            } else if let place = weekdays.firstIndex(of: word), weekday == 0 {
                weekday = place + 1
            } else if !["st", "nd", "rd", "th", "of", "the", "on"].contains(word) {
                return nil
            }
        }
        guard month > 0 else { return nil }
        return .date(year: year, month: month, day: day, weekday: weekday)
    }
}
