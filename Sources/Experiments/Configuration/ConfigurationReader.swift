import Basics

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
    private var inherited: [String: JSON] = [:]

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

    /// The value of a key, or nil when it is absent or wrong.
    func value<Value>(_ key: String, _ kind: ValueKind<Value>) -> Value? {
        guard let json = member(key) else { return nil }
        do {
            if let value = try kind.parse(json) { return value }
            report.add(path(key), "found \(json.shown); expected \(kind.words)")
        } catch {
            report.add(path(key), error.message, remedy: error.remedy)
        }
        return nil
    }

    /// Notes a key that must be there and is not.
    func missing(_ key: String, _ expected: String) {
        report.add(path(key), "missing; expected \(expected)")
    }

    /// Whether there are at most `longestList` of something; a mistake is noted otherwise.
    func checkCount(_ count: Int, of key: String) -> Bool {
        guard count > longestList else { return true }
        report.add(path(key), "found \(count) entries; expected at most \(longestList)")
        return false
    }

    /// Lays the maps of the given keys over those of another map.
    ///
    /// A mistake in the other map is reported there, not once more here.
    func inherit(_ keys: [String], from other: ConfigurationReader) {
        for key in keys { inherited[key] = other.member(key) ?? .object(JSONObject()) }
    }

    /// A map inside this one; nil when absent.
    func map(_ key: String) -> ConfigurationReader? {
        let written = value(key, .map)
        if let base = inherited[key] {
            let merged = base.overlaid(with: .object(written ?? JSONObject()))
            return ConfigurationReader(
                merged.object ?? JSONObject(),
                at: path(key),
                report.restrictedToWrittenKeys
            )
        }
        guard let written else { return nil }
        return ConfigurationReader(written, at: path(key), report)
    }

    /// A map inside this one, or an empty one whose keys all take their defaults.
    func mapOrEmpty(_ key: String) -> ConfigurationReader {
        map(key) ?? ConfigurationReader(JSONObject(), at: path(key), report)
    }

    /// Notes every member that was never asked for.
    func finish() {
        let listed = known.joined(separator: ", ")
        for (key, _) in object.members where !knownSet.contains(key) {
            report.add(path(key), "unknown key; known keys: \(listed)")
        }
    }
}

extension ValueKind where Value == JSONObject {
    /// A map of other keys.
    static var map: Self { ValueKind("a map", parse: \.object, json: { .object($0) }) }
}
