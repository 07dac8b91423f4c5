import Basics
import Foundation

/// What a key of an experiment file may hold: how a value is read, written, and told to a person.
struct ValueKind<Value: Sendable>: Sendable {
    /// Completes "expected ...".
    var words: String
    /// Completes "missing; expected ...".
    var missing: String
    /// The value that some JSON stands for, nil where it stands for none; throws what to say
    /// instead of "expected ...".
    var parse: @Sendable (JSON) throws(Failure) -> Value?
    /// A value as stages are named by it and manifests record it; nil leaves the key out.
    var json: @Sendable (Value) -> JSON?

    init(
        _ words: String,
        missing: String? = nil,
        parse: @escaping @Sendable (JSON) throws(Failure) -> Value?,
        json: @escaping @Sendable (Value) -> JSON?
    ) {
        self.words = words
        self.missing = missing ?? words
        self.parse = parse
        self.json = json
    }

    /// The same, for a key that may be absent, which is nil.
    static func optional<Some>(_ kind: ValueKind<Some>, absent: JSON? = nil) -> Self
    where Value == Some? {
        ValueKind(
            kind.words,
            missing: kind.missing,
            parse: { json throws(Failure) in try kind.parse(json).map { .some($0) } },
            json: { value in value.map(kind.json) ?? absent }
        )
    }

    /// The same, whose JSON is left out at one value: stages that were made before the key existed
    /// keep their names.
    func leftOut(at standard: Value) -> Self where Value: Equatable {
        var copy = self
        copy.json = { $0 == standard ? nil : json($0) }
        return copy
    }

    /// The same, where one value of the file stands for nil.
    static func some<Some: Equatable>(_ kind: ValueKind<Some>, orNilAs none: Some) -> Self
    where Value == Some? {
        ValueKind(
            kind.words,
            parse: { json throws(Failure) in
                try kind.parse(json).map { $0 == none ? .none : .some($0) }
            },
            json: { kind.json($0 ?? none) }
        )
    }
}

/// The most tokens or records that a key may ask for: products of a few such do not overflow.
let mostTokens = 1 << 24

/// The longest list of numbers, and the most arms, benchmarks and grids.
let longestList = 1000

extension ClosedRange<Int> {
    fileprivate var words: String {
        upperBound == .max
            ? "of at least \(lowerBound)" : "from \(lowerBound) to \(upperBound)"
    }
}

extension ValueKind where Value == Int {
    /// A whole number in a range.
    static func whole(_ range: ClosedRange<Int>) -> Self {
        ValueKind(
            "a whole number \(range.words)",
            parse: { json in json.integer.flatMap { range.contains($0) ? $0 : nil } },
            json: { .integer($0) }
        )
    }
}

extension ValueKind where Value == UInt64 {
    /// A seed; files hold what fits a signed number.
    static var seed: Self {
        let kind = ValueKind<Int>.whole(0...Int.max)
        return ValueKind(
            kind.words,
            parse: { json throws(Failure) in try kind.parse(json).map { UInt64($0) } },
            json: { .integer(Int(clamping: $0)) }
        )
    }
}

extension ValueKind where Value == Double {
    /// A number in a range.
    static func number(_ range: ClosedRange<Double>) -> Self {
        let words =
            range.upperBound == .infinity
            ? "of at least \(range.lowerBound.short)"
            : "from \(range.lowerBound.short) to \(range.upperBound.short)"
        return ValueKind(
            "a number \(words)",
            parse: { json in json.number.flatMap { range.contains($0) ? $0 : nil } },
            json: { .number($0) }
        )
    }
}

extension ValueKind where Value == Bool {
    /// A truth value.
    static var truth: Self { ValueKind("true or false", parse: \.bool, json: { .bool($0) }) }
}

extension ValueKind where Value == String {
    /// Any text.
    static var text: Self { ValueKind("text", parse: \.string, json: { .string($0) }) }

    /// Text that is not empty.
    static func filled(_ words: String = "text", missing: String? = nil) -> Self {
        ValueKind(words, missing: missing, parse: \.filled, json: { .string($0) })
    }

    /// A name that can be part of a file name.
    static var identifier: Self {
        ValueKind(
            "letters, digits, '.', '_' and '-', a letter or digit first",
            parse: { json in json.string.flatMap { isIdentifier($0) ? $0 : nil } },
            json: { .string($0) }
        )
    }

    /// Whether a name can be part of a file name.
    static func isIdentifier(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,99}/) != nil
    }

    /// A file or folder: `${NAME}` and `${NAME:-default}` stand for environment variables, `~` at
    /// its start for the user's folder.
    static func path(missing: String? = nil) -> Self {
        ValueKind(
            "a path",
            missing: missing,
            parse: { json throws(Failure) in try json.filled.map(EnvironmentExpansion.path) },
            json: { .string($0) }
        )
    }
}

extension ValueKind where Value: RawRepresentable<String> & CaseIterable {
    /// One of a closed set of words.
    static var word: Self {
        ValueKind(
            "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            parse: { json in json.string.flatMap(Value.init(rawValue:)) },
            json: { .string($0.rawValue) }
        )
    }
}

extension ValueKind {
    /// A list of values of one kind.
    ///
    /// `words` says what the list holds, such as "whole numbers of at least 0".
    static func list<Element>(
        _ words: String,
        of kind: ValueKind<Element>,
        mayBeEmpty: Bool = false,
        most: Int? = nil
    ) -> Self where Value == [Element] {
        ValueKind(
            "a list of \(words)",
            parse: { json throws(Failure) in
                guard let items = json.array, mayBeEmpty || !items.isEmpty else { return nil }
                if let most, items.count > most {
                    throw Failure(
                        .configuration,
                        "found \(items.count) entries; expected at most \(most)"
                    )
                }
                var values: [Element] = []
                for item in items {
                    guard let value = try kind.parse(item) else { return nil }
                    values.append(value)
                }
                return values
            },
            json: { .array($0.compactMap(kind.json)) }
        )
    }

    /// Whole numbers in a range, at least one and at most `longestList`.
    static func wholes(_ range: ClosedRange<Int>) -> Self where Value == [Int] {
        .list("whole numbers \(range.words)", of: .whole(range), most: longestList)
    }

    /// Different words out of a closed set, at least one; they take the order of that set.
    static func words(of known: [String]) -> Self where Value == [String] {
        let list = ValueKind.list(
            "different ones of " + known.joined(separator: ", "),
            of: ValueKind<String>.text
        )
        return ValueKind(
            list.words,
            parse: { json throws(Failure) in
                guard let items = try list.parse(json), Set(items).count == items.count,
                    items.allSatisfy(known.contains)
                else { return nil }
                return known.filter(items.contains)
            },
            json: list.json
        )
    }
}

/// Environment variables inside paths.
enum EnvironmentExpansion {
    /// A path with the variables of this process.
    ///
    /// - Throws: `Failure.configuration` naming a variable that has neither value nor default.
    static func path(_ written: String) throws(Failure) -> String {
        try expand(withHome(written), ProcessInfo.processInfo.environment)
    }

    /// A path with the variable HOME for a leading `~`.
    static func withHome(_ path: String) -> String {
        path == "~" || path.hasPrefix("~/") ? "${HOME}" + path.dropFirst() : path
    }

    /// Replaces `${NAME}` and `${NAME:-default}`; an empty value counts as none.
    static func expand(_ text: String, _ environment: [String: String]) throws(Failure) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${"),
            let end = rest[start.upperBound...].firstIndex(of: "}")
        {
            result += rest[..<start.lowerBound]
            let inside = rest[start.upperBound..<end]
            let split = inside.firstRange(of: ":-")
            let name = String(inside[..<(split?.lowerBound ?? inside.endIndex)])
            if let value = environment[name], !value.isEmpty {
                result += value
            } else if let split {
                result += inside[split.upperBound...]
            } else {
                throw Failure(
                    .configuration,
                    "'\(text)' names the environment variable \(name), which is not set",
                    remedy: "Set \(name), or write ${\(name):-default}."
                )
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}

extension JSON {
    /// The text, when this is text that is not empty.
    var filled: String? { string.flatMap { $0.isEmpty ? nil : $0 } }

    /// The value as a message shows it: short, text in quotes.
    var shown: String {
        switch self {
        case .array(let items): items.isEmpty ? "an empty list" : "a list of \(Self.shown(items))"
        case .object: "a map"
        case .string(let text): "'\(text.prefix(60))'"
        default: compact
        }
    }

    private static func shown(_ items: [JSON]) -> String {
        let first = items.prefix(3).map { item in
            item.array != nil ? "a list" : item.shown
        }
        return first.joined(separator: ", ") + (items.count > 3 ? ", ..." : "")
    }
}

extension Double {
    /// Without a fraction where it is whole.
    var short: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
