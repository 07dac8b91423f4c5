import Basics

/// A part of an experiment file whose keys are one table.
///
/// The table alone says how the part is read, what is refused in it, what stages are named by, and
/// what the reference page tells of it: a new key is a property and a line of the table.
protocol ConfigurationSection: Sendable {
    /// The keys, in the order in which they are read and listed.
    static var keys: [Key<Self>] { get }
    /// Notes what is wrong with values that are right each by itself.
    func check(_ reader: ConfigurationReader)
}

extension ConfigurationSection {
    func check(_ reader: ConfigurationReader) {}

    /// Takes the values that a map holds; what it does not mention stays as it is, or becomes what
    /// follows from the keys before it.
    mutating func read(_ reader: ConfigurationReader) {
        for key in Self.keys { key.read(&self, reader) }
        check(reader)
    }

    /// This with the values of a map.
    ///
    /// Other keys are mistakes where it is `alone` in the map.
    func reading(_ reader: ConfigurationReader, alone: Bool = true) -> Self {
        var copy = self
        copy.read(reader)
        if alone { reader.finish() }
        return copy
    }

    /// The keys that results depend on, as stages are named by them and manifests record them.
    var members: JSONObject { JSONObject(Self.keys.flatMap { $0.members(self) }) }

    /// `members` as a value.
    var json: JSON { .object(members) }
}

/// What results have to do with a key.
enum Influence: String, Sendable {
    /// They depend on it, so stages are named by it.
    case results = "yes"
    /// They depend on what it stands for: the contents of a file, or other keys.
    case indirect = "indirectly"
    /// Speed, memory, messages.
    case nothing = "no"
}

/// One key of a section: the line of a table.
struct Key<Section: Sendable>: Sendable {
    /// Takes its value, or its default, from a map.
    let read: @Sendable (inout Section, ConfigurationReader) -> Void
    /// What stages are named by.
    let members: @Sendable (Section) -> [(key: String, value: JSON)]
    /// What the reference page says, for a section in which every key has its default.
    let rows: @Sendable (Section) -> [KeyRow]

    private init(
        read: @escaping @Sendable (inout Section, ConfigurationReader) -> Void,
        members: @escaping @Sendable (Section) -> [(key: String, value: JSON)],
        rows: @escaping @Sendable (Section) -> [KeyRow]
    ) {
        self.read = read
        self.members = members
        self.rows = rows
    }

    /// A key that sets one property.
    ///
    /// - Parameters:
    ///   - name: As the file spells it.
    ///   - path: The property.
    ///   - kind: What it may hold.
    ///   - influence: What results have to do with it.
    ///   - standard: A default that follows from the keys before it; otherwise it is what the
    ///     property holds already.
    ///   - shown: The default in words, where the value alone does not say it.
    ///   - isRequired: Whether it must be there.
    ///   - meaning: A sentence.
    init<Value>(
        _ name: String,
        _ path: WritableKeyPath<Section, Value> & Sendable,
        _ kind: ValueKind<Value>,
        influence: Influence = .results,
        default standard: (@Sendable (Section) -> Value)? = nil,
        shown: String? = nil,
        isRequired: Bool = false,
        _ meaning: String
    ) {
        self.init(
            read: { section, reader in
                if let standard { section[keyPath: path] = standard(section) }
                if isRequired && !reader.has(name) { reader.missing(name, kind.missing) }
                if let value = reader.value(name, kind) { section[keyPath: path] = value }
            },
            members: { section in
                guard influence == .results, let json = kind.json(section[keyPath: path]) else {
                    return []
                }
                return [(name, json)]
            },
            rows: { section in
                let value = kind.json(section[keyPath: path])
                let standard = isRequired ? "required" : shown ?? value.map(\.asDefault) ?? "none"
                return [KeyRow(name, kind.words, standard, influence, meaning)]
            }
        )
    }

    /// A key that is read in a way of its own.
    ///
    /// `words` says what it may hold, `shown` its default; `json` is what stages are named by, nil
    /// for nothing.
    init(
        _ name: String,
        _ words: String,
        influence: Influence,
        shown: String,
        _ meaning: String,
        json: @escaping @Sendable (Section) -> JSON? = { _ in nil },
        read: @escaping @Sendable (inout Section, ConfigurationReader) -> Void
    ) {
        self.init(
            read: read,
            members: { section in json(section).map { [(name, $0)] } ?? [] },
            rows: { _ in [KeyRow(name, words, shown, influence, meaning)] }
        )
    }

    /// Something that no key sets, and that stages are named by all the same, unless it is nil.
    static func derived(
        _ name: String,
        _ json: @escaping @Sendable (Section) -> JSON?
    ) -> Self {
        Key(
            read: { _, _ in },
            members: { section in json(section).map { [(name, $0)] } ?? [] },
            rows: { _ in [] }
        )
    }

    /// A map with the keys of a section within this one.
    ///
    /// Where it `unfolds`, the page lists the keys of the map behind it.
    static func map<Inner: ConfigurationSection>(
        _ name: String,
        _ path: WritableKeyPath<Section, Inner> & Sendable,
        default standard: (@Sendable (Section) -> Inner)? = nil,
        unfolds: Bool = false,
        _ meaning: String
    ) -> Self {
        Key(
            read: { section, reader in
                let inner = standard?(section) ?? section[keyPath: path]
                section[keyPath: path] = inner.reading(reader.mapOrEmpty(name))
            },
            members: { [(name, $0[keyPath: path].json)] },
            rows: { section in
                [KeyRow(name, "a map", "", .indirect, meaning)]
                    + (unfolds ? KeyRow.rows(of: section[keyPath: path], in: name) : [])
            }
        )
    }

    /// A map with the keys of a section within this one that may be absent.
    ///
    /// `standard` is the section before any of its keys is read.
    static func map<Inner: ConfigurationSection>(
        _ name: String,
        _ path: WritableKeyPath<Section, Inner?> & Sendable,
        from standard: Inner,
        _ meaning: String
    ) -> Self {
        Key(
            read: { section, reader in
                section[keyPath: path] = reader.map(name).map { standard.reading($0) }
            },
            members: { section in section[keyPath: path].map { [(name, $0.json)] } ?? [] },
            rows: { _ in [KeyRow(name, "a map", "none", .indirect, meaning)] }
        )
    }

    /// A map of the file whose keys set properties of this section.
    ///
    /// `required` is what to say is expected when it is missing; nil where it may be.
    static func map(
        _ name: String,
        required: String? = nil,
        _ keys: [Key],
        _ meaning: String
    ) -> Self {
        Key(
            read: { section, reader in
                if let required, !reader.has(name) { reader.missing(name, required) }
                let inner = reader.mapOrEmpty(name)
                for key in keys { key.read(&section, inner) }
                inner.finish()
            },
            members: { section in keys.flatMap { $0.members(section) } },
            rows: { section in
                [KeyRow(name, "a map", required == nil ? "" : "required", .indirect, meaning)]
                    + keys.flatMap { $0.rows(section) }.map { $0.inside(name) }
            }
        )
    }

    /// The keys of a section within this one, among this one's own.
    ///
    /// Stages are named by them under the name `member`, or, without one, among this section's own.
    static func keys<Inner: ConfigurationSection>(
        of path: WritableKeyPath<Section, Inner> & Sendable,
        as member: String? = nil
    ) -> Self {
        Key(
            read: { section, reader in section[keyPath: path].read(reader) },
            members: { section in
                let inner = section[keyPath: path]
                return member.map { [($0, inner.json)] } ?? inner.members.members
            },
            rows: { KeyRow.rows(of: $0[keyPath: path]) }
        )
    }
}

/// What the reference page says of a key.
struct KeyRow: Sendable {
    var name: String
    var words: String
    var standard: String
    var influence: Influence
    var meaning: String

    init(
        _ name: String,
        _ words: String,
        _ standard: String,
        _ influence: Influence,
        _ meaning: String
    ) {
        self.name = name
        self.words = words
        self.standard = standard
        self.influence = influence
        self.meaning = meaning
    }

    /// The rows of a section in which every key has its default, below a map's name.
    static func rows<Section: ConfigurationSection>(
        of section: Section,
        in map: String? = nil
    ) -> [KeyRow] {
        let rows = Section.keys.flatMap { $0.rows(section) }
        return map.map { name in rows.map { $0.inside(name) } } ?? rows
    }

    /// The same key, named from outside the map that it is in.
    func inside(_ map: String) -> KeyRow {
        var copy = self
        copy.name = "\(map).\(name)"
        return copy
    }
}

extension JSON {
    /// The value as the reference page shows a default.
    fileprivate var asDefault: String {
        if case .number(let number) = self { number.short } else { string ?? compact }
    }
}
