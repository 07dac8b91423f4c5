import Basics
import Foundation

/// Gathers every mistake of an experiment file, to be reported at once.
final class ConfigurationReport {
    private let file: ConfigurationFile
    private let parent: ConfigurationReport?
    private var mistakes: [(line: Int, place: String, message: String, remedy: String?)] = []
    private var noted: Set<[String]> = []
    /// The most mistakes that are shown.
    private static let mostShown = 20

    init(_ file: ConfigurationFile) {
        self.file = file
        parent = nil
    }

    private init(parent: ConfigurationReport) {
        file = parent.file
        self.parent = parent
    }

    /// A report that passes on only mistakes at keys that the file itself has.
    ///
    /// For maps that are laid over another map, whose mistakes are reported where they were
    /// written.
    var restrictedToWrittenKeys: ConfigurationReport { ConfigurationReport(parent: self) }

    /// Notes a mistake at a key path, unless the same is noted there already.
    func add(_ place: String, _ message: String, remedy: String? = nil) {
        if let parent {
            if file.lines[place] != nil { parent.add(place, message, remedy: remedy) }
            return
        }
        guard noted.insert([place, message]).inserted else { return }
        mistakes.append((line(of: place), place, message, remedy))
    }

    /// The line of a key, or of the nearest map around it.
    private func line(of place: String) -> Int {
        var place = place[...]
        while !place.isEmpty {
            if let line = file.lines[String(place)] { return line }
            place = place.lastIndex { $0 == "." || $0 == "[" }.map { place[..<$0] } ?? ""
        }
        return 1
    }

    /// Throws one failure that lists all mistakes in the order of the file.
    func finish() throws {
        guard !mistakes.isEmpty else { return }
        let sorted = mistakes.enumerated().sorted {
            ($0.element.line, $0.offset) < ($1.element.line, $1.offset)
        }.map(\.element)
        if let only = sorted.first, sorted.count == 1 {
            throw Failure(
                .configuration,
                file: file.path,
                at: "line \(only.line): \(only.place)",
                only.message,
                remedy: only.remedy
            )
        }
        let hidden = sorted.count - Self.mostShown
        let lines = sorted.prefix(Self.mostShown).flatMap { mistake in
            ["  line \(mistake.line): \(mistake.place): \(mistake.message)"]
                + (mistake.remedy.map { ["    \($0)"] } ?? [])
        }
        throw Failure(
            .configuration,
            file: file.path,
            "\(sorted.count) mistakes",
            remedy: (lines + (hidden > 0 ? ["  and \(hidden) more"] : []))
                .map { $0.shortened(to: 1000).printable }.joined(separator: "\n")
        )
    }
}

/// Reads the members of one map of an experiment file, and knows which of them it was asked for.
///
/// A wrong value is noted in the report and a stand-in returned, so that reading goes on; nothing
/// read is used unless `ConfigurationReport.finish` returns.
final class ConfigurationReader {
    let object: JSONObject
    let place: String
    let report: ConfigurationReport
    private var known: [String] = []
    private var knownSet: Set<String> = []
    /// The most tokens or records that a key may ask for: products of a few such do not overflow.
    static let most = 1 << 24

    init(_ object: JSONObject, at place: String, _ report: ConfigurationReport) {
        self.object = object
        self.place = place
        self.report = report
    }

    /// The full path of a key.
    func path(_ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

    /// Whether the map holds a value for the key; the key counts as known.
    func has(_ key: String) -> Bool { member(key) != nil }

    /// The value of a key as it stands; the key counts as known.
    ///
    /// An explicit null counts as absent.
    func member(_ key: String) -> JSON? {
        if knownSet.insert(key).inserted { known.append(key) }
        return object[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// An optional value, or nil when it is absent or wrong.
    func optional<T>(_ key: String, _ expected: String, _ convert: (JSON) -> T?) -> T? {
        guard let value = member(key) else { return nil }
        if let converted = convert(value) { return converted }
        report.add(path(key), "found \(value.shown); expected \(expected)")
        return nil
    }

    /// Notes a key that must be there and is not.
    func missing(_ key: String, _ expected: String) {
        report.add(path(key), "missing; expected \(expected)")
    }

    /// A required text.
    func string(_ key: String) -> String {
        if !has(key) { missing(key, "text") }
        return optional(key, "text", \.filled) ?? ""
    }

    /// A text with a default.
    func string(_ key: String, default standard: String) -> String {
        optional(key, "text", \.string) ?? standard
    }

    /// A whole number in a range.
    func integer(_ key: String, default standard: Int? = nil, in range: ClosedRange<Int>) -> Int {
        let expected =
            "a whole number "
            + (range.upperBound == .max
                ? "of at least \(range.lowerBound)"
                : "from \(range.lowerBound) to \(range.upperBound)")
        if standard == nil && !has(key) { missing(key, expected) }
        return optional(key, expected) { value in
            value.integer.flatMap { range.contains($0) ? $0 : nil }
        } ?? standard ?? range.lowerBound
    }

    /// A number in a range.
    func number(
        _ key: String,
        default standard: Double? = nil,
        in range: ClosedRange<Double>
    ) -> Double {
        let expected =
            "a number "
            + (range.upperBound == .infinity
                ? "of at least \(range.lowerBound.short)"
                : "from \(range.lowerBound.short) to \(range.upperBound.short)")
        if standard == nil && !has(key) { missing(key, expected) }
        return optional(key, expected) { value in
            value.number.flatMap { range.contains($0) ? $0 : nil }
        } ?? standard ?? range.lowerBound
    }

    /// A truth value.
    func bool(_ key: String, default standard: Bool) -> Bool {
        optional(key, "true or false", \.bool) ?? standard
    }

    /// One of a closed set of words.
    func choice<Choice>(_ key: String, default standard: Choice?) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        let expected = "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")
        if standard == nil && !has(key) { missing(key, expected) }
        return optional(key, expected) { $0.string.flatMap(Choice.init(rawValue:)) } ?? standard
    }

    /// The longest list of numbers, and the most arms, benchmarks and grids.
    static let longestList = 1000

    /// Whether there are at most `longestList` of something; a mistake is noted otherwise.
    func checkCount(_ count: Int, of key: String) -> Bool {
        guard count > Self.longestList else { return true }
        report.add(path(key), "found \(count) entries; expected at most \(Self.longestList)")
        return false
    }

    /// A list of whole numbers in a range, neither empty nor longer than `longestList`.
    func integers(_ key: String, default standard: [Int], in range: ClosedRange<Int>) -> [Int] {
        if let count = member(key)?.array?.count, !checkCount(count, of: key) { return standard }
        let expected =
            "a list of whole numbers "
            + (range.upperBound == .max
                ? "of at least \(range.lowerBound)"
                : "from \(range.lowerBound) to \(range.upperBound)")
        return optional(key, expected) { value in
            guard let items = value.array, !items.isEmpty else { return nil }
            let integers = items.compactMap { item in
                item.integer.flatMap { range.contains($0) ? $0 : nil }
            }
            return integers.count == items.count ? integers : nil
        } ?? standard
    }

    /// A list of different words out of a closed set, not empty.
    func words(_ key: String, default standard: [String], from known: [String]) -> [String] {
        let expected = "a list of different ones of " + known.joined(separator: ", ")
        return optional(key, expected) { value in
            guard let items = value.array?.compactMap(\.string), !items.isEmpty,
                items.count == value.array?.count, Set(items).count == items.count
            else { return nil }
            return items.allSatisfy(known.contains) ? items : nil
        } ?? standard
    }

    /// A map inside this one; nil when absent.
    func map(_ key: String) -> ConfigurationReader? {
        optional(key, "a map", \.object).map { ConfigurationReader($0, at: path(key), report) }
    }

    /// A map that must be there; an empty one stands in for it.
    func requiredMap(_ key: String, _ expected: String) -> ConfigurationReader {
        if !has(key) { missing(key, expected) }
        return map(key) ?? ConfigurationReader(JSONObject(), at: path(key), report)
    }

    /// A file or folder: `${NAME}` and `${NAME:-default}` stand for environment variables, `~` at
    /// its start for the user's folder.
    func filePath(_ key: String) -> String? {
        guard let written = optional(key, "a path", \.filled) else { return nil }
        let text = EnvironmentExpansion.withHome(written)
        switch EnvironmentExpansion.expand(text, ProcessInfo.processInfo.environment) {
        case .success(let path): return path
        case .failure(let unset):
            report.add(
                path(key),
                "'\(text)' names the environment variable \(unset.name), which is not set",
                remedy: "Set \(unset.name), or write ${\(unset.name):-default}."
            )
            return nil
        }
    }

    /// Notes every member that was never asked for.
    func finish() {
        let listed = known.joined(separator: ", ")
        for (key, _) in object.members where !knownSet.contains(key) {
            report.add(path(key), "unknown key; known keys: \(listed)")
        }
    }
}

/// Environment variables inside paths.
enum EnvironmentExpansion {
    /// A variable that has neither a value nor a default.
    struct Unset: Error { var name: String }

    /// A path with the variable HOME for a leading `~`.
    static func withHome(_ path: String) -> String {
        path == "~" || path.hasPrefix("~/") ? "${HOME}" + path.dropFirst() : path
    }

    /// Replaces `${NAME}` and `${NAME:-default}`; an empty value counts as none.
    static func expand(
        _ text: String,
        _ environment: [String: String]
    ) -> Result<String, Unset> {
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
                return .failure(Unset(name: name))
            }
            rest = rest[rest.index(after: end)...]
        }
        return .success(result + rest)
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
