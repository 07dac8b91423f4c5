import Basics

/// The day that a template takes for today.
public struct TemplateDate: Sendable, Equatable, CustomStringConvertible {
    /// The year, four digits.
    public let year: Int
    /// The month, from 1.
    public let month: Int
    /// The day of the month, from 1.
    public let day: Int

    /// The day that Llama's templates write where no clock is to be had.
    public static let standard = TemplateDate(year: 2024, month: 7, day: 26)

    private init(year: Int, month: Int, day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// A day written as `2024-07-26`; nil for what is none.
    public init?(_ text: String) {
        guard let parts = text.wholeMatch(of: /([0-9]{4})-([0-9]{2})-([0-9]{2})/)?.output,
            let year = Int(parts.1), let month = Int(parts.2), let day = Int(parts.3),
            year > 0, (1...12).contains(month),
            (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// The day as `2024-07-26`.
    public var description: String {
        [(year, 4), (month, 2), (day, 2)].map { number, digits in
            String(repeating: "0", count: max(0, digits - "\(number)".count)) + "\(number)"
        }.joined(separator: "-")
    }

    private static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Days since the year began, this one included.
    private var dayOfYear: Int {
        (1..<month).reduce(day) { $0 + Self.days(in: $1, of: year) }
    }

    /// 0 for Sunday.
    private var weekday: Int {
        let years = year - 1
        return (years + years / 4 - years / 100 + years / 400 + dayOfYear) % 7
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
    private static let weekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]

    /// The day in a format of C's `strftime`, in English, at midnight.
    func formatted(_ format: String, _ failure: (String) -> Failure) throws -> String {
        func padded(_ number: Int, to digits: Int = 2, with pad: Character = "0") -> String {
            let text = String(number)
            return String(repeating: pad, count: max(0, digits - text.count)) + text
        }
        var result = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            guard let code = rest.popFirst() else { throw failure("a date's format ends with '%'") }
            switch code {
            case "%": result += "%"
            case "Y": result += padded(year, to: 4)
            case "y": result += padded(year % 100)
            case "m": result += padded(month)
            case "d": result += padded(day)
            case "e": result += padded(day, with: " ")
            case "j": result += padded(dayOfYear, to: 3)
            case "B": result += Self.months[month - 1]
            case "b", "h": result += String(Self.months[month - 1].prefix(3))
            case "A": result += Self.weekdays[weekday]
            case "a": result += String(Self.weekdays[weekday].prefix(3))
            case "F": result += description
            case "H", "M", "S": result += "00"
            case "I": result += "12"
            case "p": result += "AM"
            case "-":
                switch rest.popFirst() {
                case "d": result += String(day)
                case "m": result += String(month)
                default: throw failure("unknown part of a date: '%-' and what follows")
                }
            default: throw failure("unknown part of a date: '%\(code)'")
            }
        }
        return result
    }
}
