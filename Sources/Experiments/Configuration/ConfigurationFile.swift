import Basics
import Foundation
import Yams

/// A YAML document as a tree of values, with the line of every key.
///
/// Plain scalars follow YAML 1.2's core schema: `no` is text, `1e-5` is a number.
struct ConfigurationFile {
    /// The file's path, for messages.
    var path: String
    /// The document, a map at its root.
    var root: JSON
    /// The line of each key path such as `training.epochs` or `benchmarks[0].name`.
    var lines: [String: Int] = [:]

    /// The most values that a file may hold; what aliases stand for counts as often as they are
    /// used.
    static let mostValues = 200_000
    /// The deepest nesting of maps and lists.
    static let deepest = 64

    /// Parses a document.
    ///
    /// - Throws: `Failure.configuration` with the line where the text is not YAML, holds a key
    ///   twice or more than `mostValues`, is nested deeper than `deepest`, or is no map.
    init(text: String, path: String) throws {
        self.path = path
        root = .null
        let prepared = try ConfigurationText(text, path: path)
        let node: Node?
        // The parser owns the anchors: it has to live as long as the nodes are looked at.
        let parser: Yams.Parser
        do {
            parser = try Yams.Parser(yaml: prepared.text)
            node = try parser.singleRoot()
        } catch let error as YamlError {
            throw Self.failure(error, path, prepared)
        }
        defer { withExtendedLifetime(parser) {} }
        guard let node, case .mapping = node else {
            throw Failure(
                .configuration,
                file: path,
                "is no map; expected keys such as name, models and arms"
            )
        }
        var converter = Converter(prepared: prepared, path: path)
        root = try converter.convert(node, at: "", depth: 0)
        lines = converter.lines
    }

    /// Turns nodes into values, resolves aliases, and counts.
    private struct Converter {
        let prepared: ConfigurationText
        let path: String
        var lines: [String: Int] = [:]
        private var anchors: [String: Node] = [:]
        private var count = 0

        init(prepared: ConfigurationText, path: String) {
            self.prepared = prepared
            self.path = path
        }

        mutating func convert(_ node: Node, at place: String, depth: Int) throws -> JSON {
            if !place.isEmpty, let line = node.mark?.line { lines[place] = line }
            try check(node, place, depth)
            defer { if let anchor = node.anchor { anchors[anchor.rawValue] = node } }
            switch node {
            case .scalar(let scalar):
                guard scalar.tag.description == ConfigurationText.aliasTag else {
                    return try value(scalar)
                }
                guard let target = anchors[scalar.string] else {
                    throw failure(node, place, "is an alias of nothing before it")
                }
                return try convert(target, at: place, depth: depth)
            case .sequence(let items):
                return .array(
                    try items.enumerated().map {
                        try convert($1, at: "\(place)[\($0)]", depth: depth + 1)
                    }
                )
            case .mapping(let pairs):
                return .object(
                    JSONObject(
                        try pairs.map { key, value in
                            let name = try self.name(key, place)
                            let inner = place.isEmpty ? name : "\(place).\(name)"
                            let converted = try convert(value, at: inner, depth: depth + 1)
                            // A block map's own mark is its first key; the key's line is the
                            // helpful one.
                            if let line = key.mark?.line { lines[inner] = line }
                            return (name, converted)
                        }
                    )
                )
            case .alias: return .null
            }
        }

        private func name(_ key: Node, _ place: String) throws -> String {
            guard let scalar = key.scalar, scalar.tag.description != ConfigurationText.aliasTag
            else { throw failure(key, place, "a key is no text; expected a name") }
            return prepared.original(scalar.string)
        }

        private func value(_ scalar: Node.Scalar) throws -> JSON {
            if case .string(let text) = ConfigurationFile.value(scalar) {
                return .string(prepared.original(text))
            }
            return ConfigurationFile.value(scalar)
        }

        private mutating func check(_ node: Node, _ place: String, _ depth: Int) throws {
            count += 1
            guard count <= mostValues else {
                throw failure(
                    node,
                    place,
                    "the file holds more than \(mostValues) values, those that aliases stand for "
                        + "included; expected fewer"
                )
            }
            guard depth <= deepest else {
                throw failure(
                    node,
                    place,
                    "is nested deeper than \(deepest) maps and lists; expected fewer"
                )
            }
        }

        private func failure(_ node: Node, _ place: String, _ message: String) -> Failure {
            let line = node.mark.map { "line \($0.line): " } ?? ""
            return Failure(
                .configuration,
                file: path,
                at: "\(line)\(place.shortened(to: 100))",
                message
            )
        }
    }

    private static func value(_ scalar: Node.Scalar) -> JSON {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
        switch text {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        if let integer = Int(text) { return .integer(integer) }
        let isNumeric = text.allSatisfy { "+-.eE0123456789".contains($0) }
        if isNumeric, let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
    }

    private static func failure(
        _ error: YamlError,
        _ path: String,
        _ prepared: ConfigurationText
    ) -> Failure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let lines = prepared.text.split(separator: "\n", omittingEmptySubsequences: false)
            let line = lines.indices.contains(mark.line - 1) ? lines[mark.line - 1] : ""
            let (found, remedy) = explained(problem, line)
            return Failure(
                .configuration,
                file: path,
                at: "line \(mark.line)",
                "is not YAML: \(found)",
                remedy: remedy
            )
        case .duplicatedKeysInMapping(let keys, let context):
            return Failure(
                .configuration,
                file: path,
                at: "line \(context.mark.line)",
                "key '\(prepared.original(keys.prefix(10).joined(separator: "', '")))' occurs twice; "
                    + "expected every key once"
            )
        default: return Failure(.configuration, file: path, "is not YAML: \(error)")
        }
    }

    /// What is wrong with a line, and what helps, where the parser's words do not say it.
    private static func explained(_ problem: String, _ line: Substring) -> (String, String?) {
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            return ("found a tab before the first word; expected spaces", "Indent with spaces.")
        }
        if problem.contains("cannot start any token") {
            return (problem, "Put a text that begins with @, % or ` between quotes.")
        }
        if problem.contains("mapping values are not allowed") {
            return (problem, "Put a text that holds a colon between quotes.")
        }
        return (problem, nil)
    }
}

extension JSON {
    /// The same value with one member replaced, found by a path of keys; nil where the path leads
    /// nowhere.
    func replacing(_ path: ArraySlice<String>, with value: JSON) -> JSON? {
        guard let key = path.first else { return value }
        guard var object = object, let member = object[key] else { return nil }
        guard let replaced = member.replacing(path.dropFirst(), with: value) else { return nil }
        object[key] = replaced
        return .object(object)
    }

    /// This map with the members of another laid over it, maps inside maps likewise.
    func overlaid(with other: JSON) -> JSON {
        guard let own = object, let over = other.object else { return other }
        var members = own.members
        // By bytes, as objects compare their keys.
        var places: [[UInt8]: Int] = [:]
        for (index, member) in members.enumerated() { places[Array(member.key.utf8)] = index }
        for (key, value) in over.members {
            if let index = places[Array(key.utf8)] {
                members[index].value = members[index].value.overlaid(with: value)
            } else {
                places[Array(key.utf8)] = members.count
                members.append((key, value))
            }
        }
        return .object(JSONObject(members))
    }

    /// One line of JSON with the members of every map sorted by name: equal values, equal text.
    package var canonical: String { sorted.digestText }

    private var sorted: JSON {
        switch self {
        case .array(let items): .array(items.map(\.sorted))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { ($0.key, $0.value.sorted) }.sorted { $0.0 < $1.0 }
                )
            )
        default: self
        }
    }
}
