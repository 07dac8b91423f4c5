/// A JSON value (RFC 8259) that keeps what other readers lose.
///
/// Objects keep the order of their members and compare keys by bytes: Swift compares strings by
/// canonical equivalence, under which two different vocabulary entries ("à" as one or as two
/// scalars) would be the same key. Integers stay integers.
public enum JSON: Sendable {
    /// The literal `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// Text.
    case string(String)
    /// A list of values.
    case array([JSON])
    /// Members in the order of the file.
    case object(JSONObject)
}

/// The members of a JSON object, in order.
public struct JSONObject: Sendable {
    /// Name and value of each member.
    public private(set) var members: [(key: String, value: JSON)]

    /// An object with the given members, in order.
    public init(_ members: [(key: String, value: JSON)] = []) { self.members = members }

    /// The value of a key, compared byte by byte; nil when absent.
    ///
    /// Setting nil removes the member.
    public subscript(key: String) -> JSON? {
        get { members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
        set {
            let index = members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((key, value))
            case (nil, nil): break
            }
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A list.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object, in the order written.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.map { (key: $0.0, value: $0.1) }))
    }
}

extension JSON {
    /// The value of a member, or nil when this is no object or lacks the key.
    public subscript(key: String) -> JSON? { object?[key] }

    /// The members, when this is an object.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// The elements, when this is a list.
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    /// The text, when this is text.
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The truth value, when this is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The whole number, when this is one (also when written as `3.0`).
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }
    /// The number, whole or not.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
    /// A string, or a number as its text; nil for one that reading has rounded, as large ones are.
    public var stringOrNumber: String? {
        switch self {
        case .string(let value): value
        case .number(let value) where integer == nil:
            value.magnitude < 0x1p53 ? compact : nil
        default: integer.map(String.init)
        }
    }
    /// What `stringOrNumber` takes, for error messages.
    public static let stringOrNumberKind = "a string or a number of up to 64 bits"
    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// What kind of value this is, for error messages.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSON {
    /// Reads a required member and converts it, or says what was found instead.
    ///
    /// - Throws: `Failure.badData` naming the key, what it holds and what it should hold.
    public func require<T>(_ key: String, _ expected: String, _ convert: (JSON) -> T?) throws -> T {
        guard let value = self[key] else {
            throw Failure(.badData, at: "'\(key)'", "missing; expected \(expected)")
        }
        guard let converted = convert(value) else {
            throw Failure(
                .badData,
                at: "'\(key)'",
                "found \(value.kindName); expected \(expected)"
            )
        }
        return converted
    }

    /// A required text member.
    public func string(_ key: String) throws -> String { try require(key, "a string", \.string) }
    /// A required whole-number member.
    public func integer(_ key: String) throws -> Int { try require(key, "an integer", \.integer) }
    /// A required number member.
    public func number(_ key: String) throws -> Double { try require(key, "a number", \.number) }
    /// A required truth-value member.
    public func bool(_ key: String) throws -> Bool { try require(key, "true or false", \.bool) }
    /// A required list member.
    public func array(_ key: String) throws -> [JSON] { try require(key, "a list", \.array) }
    /// A required list of whole numbers.
    public func integers(_ key: String) throws -> [Int] {
        try list(key, of: "integers", each: "an integer", \.integer)
    }
    /// A required list of numbers; `null` elements read as not-a-number.
    public func numbers(_ key: String) throws -> [Double] {
        try list(key, of: "numbers", each: "a number or null") { $0.isNull ? .nan : $0.number }
    }

    /// A required list, each element converted, or the place of the first that cannot be.
    private func list<T>(
        _ key: String,
        of elements: String,
        each expected: String,
        _ convert: (JSON) -> T?
    ) throws -> [T] {
        let items = try require(key, "a list of \(elements)", \.array)
        return try items.enumerated().map { index, item in
            if let converted = convert(item) { return converted }
            throw Failure(
                .badData,
                at: "'\(key)'[\(index)]",
                "found \(item.kindName); expected \(expected)"
            )
        }
    }
}
