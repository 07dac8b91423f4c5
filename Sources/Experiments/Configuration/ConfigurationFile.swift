import Files
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

    /// Parses a document.
    ///
    /// - Throws: `Failure.configuration` with the line where the text is not YAML, holds a key
    ///   twice, or is no map.
    init(text: String, path: String) throws {
        self.path = path
        root = .null
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch let error as YamlError {
            throw Self.failure(error, path)
        }
        guard let node, case .mapping = node else {
            throw Failure(
                .configuration,
                file: path,
                "is no map; expected keys such as name, models and arms"
            )
        }
        root = convert(node, at: "")
    }

    private mutating func convert(_ node: Node, at place: String) -> JSON {
        if !place.isEmpty, let line = node.mark?.line { lines[place] = line }
        switch node {
        case .scalar(let scalar): return Self.value(scalar)
        case .sequence(let items):
            return .array(items.enumerated().map { convert($1, at: "\(place)[\($0)]") })
        case .mapping(let pairs):
            return .object(
                JSONObject(
                    pairs.map { key, value in
                        let name = key.scalar?.string ?? "?"
                        let inner = place.isEmpty ? name : "\(place).\(name)"
                        let converted = convert(value, at: inner)
                        // A block map's own mark is its first key; the key's line is the helpful one.
                        if let line = key.mark?.line { lines[inner] = line }
                        return (name, converted)
                    }
                )
            )
        case .alias: return .null
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

    private static func failure(_ error: YamlError, _ path: String) -> Failure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            Failure(.configuration, file: path, at: "line \(mark.line)", "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            Failure(
                .configuration,
                file: path,
                at: "line \(context.mark.line)",
                "key '\(keys.joined(separator: "', '"))' occurs twice; expected every key once"
            )
        default: Failure(.configuration, file: path, "is not YAML: \(error)")
        }
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
        guard var result = object, let over = other.object else { return other }
        for (key, value) in over.members {
            result[key] = result[key]?.overlaid(with: value) ?? value
        }
        return .object(result)
    }

    /// One line of JSON with the members of every map sorted by name: equal values, equal text.
    package var canonical: String { sorted.compact }

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
