import Basics
import Foundation

/// A metadata value of a GGUF file.
///
/// Source: ggml, docs/gguf.md, "File structure".
public enum GGUFValue: Sendable {
    /// uint8, uint16, uint32 or uint64.
    case unsigned(UInt64)
    /// int8, int16, int32 or int64.
    case signed(Int64)
    /// float32, kept as such so that 1e-6 does not turn into 9.99e-7.
    case float32(Float)
    /// float64.
    case float64(Double)
    /// A truth value.
    case bool(Bool)
    /// Text, or any bytes: nothing says that it is UTF-8.
    case string([UInt8])
    /// A list of one element type, left in the file until asked for.
    case array(GGUFArray)

    /// The whole number, when this is one that fits.
    public var integer: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .signed(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, whole or not.
    public var number: Double? {
        switch self {
        case .unsigned(let value): Double(value)
        case .signed(let value): Double(value)
        case .float32(let value): Double(value)
        case .float64(let value): value
        default: nil
        }
    }

    /// The truth value, when this is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The text, when this is text in UTF-8.
    public var text: String? {
        if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
    }

    /// The list, when this is one.
    public var array: GGUFArray? { if case .array(let value) = self { value } else { nil } }

    /// What kind of value this is, for messages.
    var kindName: String {
        switch self {
        case .unsigned, .signed: "an integer"
        case .float32, .float64: "a number"
        case .bool: "a truth value"
        case .string: "a string"
        case .array(let array): "a list of \(array.elementType)"
        }
    }
}

/// The value types of GGUF metadata, in the order of their codes.
enum GGUFType: UInt32, Sendable {
    case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array
    case uint64, int64, float64

    /// Bytes of a value of fixed size; for strings and lists, the least they can take.
    var leastBytes: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .string: 8
        case .array: 12
        }
    }
}

/// A list in GGUF metadata, already checked to lie inside the file.
public struct GGUFArray: Sendable {
    let type: GGUFType
    /// How many elements there are.
    public let count: Int
    let file: MappedFile
    let range: Range<Int>

    /// The element type, as the format names it.
    public var elementType: String { "\(type)" }

    /// The elements as byte strings; nil when they are something else.
    public var strings: [[UInt8]]? {
        guard type == .string else { return nil }
        var result: [[UInt8]] = []
        result.reserveCapacity(count)
        var position = range.lowerBound
        for _ in 0..<count {
            let length = Int(file.bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
            result.append([UInt8](file.bytes[position..<position + length]))
            position += length
        }
        return result
    }

    /// The elements as whole numbers; nil when they are something else or do not fit.
    public var integers: [Int]? {
        switch type {
        case .uint8: elements(UInt8.self) { Int($0) }
        case .int8: elements(Int8.self) { Int($0) }
        case .uint16: elements(UInt16.self) { Int($0) }
        case .int16: elements(Int16.self) { Int($0) }
        case .uint32: elements(UInt32.self) { Int($0) }
        case .int32: elements(Int32.self) { Int($0) }
        case .uint64: elements(UInt64.self) { Int(exactly: $0) }
        case .int64: elements(Int64.self) { Int($0) }
        case .float32, .float64, .bool, .string, .array: nil
        }
    }

    /// The elements as numbers, when they are floating-point.
    public var numbers: [Double]? {
        switch type {
        case .float32: elements(Float.self) { Double($0) }
        case .float64: elements(Double.self) { $0 }
        default: nil
        }
    }

    private func elements<T: BitwiseCopyable, R>(_: T.Type, _ convert: (T) -> R?) -> [R]? {
        let size = MemoryLayout<T>.size
        var result: [R] = []
        result.reserveCapacity(count)
        for index in 0..<count {
            let offset = range.lowerBound + index * size
            let value = file.bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
            guard let converted = convert(value) else { return nil }
            result.append(converted)
        }
        return result
    }
}

extension ByteReader {
    /// A length-prefixed byte string.
    mutating func ggufString(
        _ what: @autoclosure () -> String
    ) throws -> UnsafeRawBufferPointer {
        try bytes(try integer(UInt64.self, "the length of \(what())"), what())
    }

    /// A type code.
    mutating func ggufType(_ what: @autoclosure () -> String) throws -> GGUFType {
        let code = try integer(UInt32.self, "the type of \(what())")
        guard let type = GGUFType(rawValue: code) else {
            throw failure("\(what()) has value type \(code); expected 0 to 12")
        }
        return type
    }

    /// A value of a type already read.
    mutating func ggufValue(_ type: GGUFType, _ what: String) throws -> GGUFValue {
        switch type {
        case .uint8: .unsigned(UInt64(try integer(UInt8.self, what)))
        case .uint16: .unsigned(UInt64(try integer(UInt16.self, what)))
        case .uint32: .unsigned(UInt64(try integer(UInt32.self, what)))
        case .uint64: .unsigned(try integer(UInt64.self, what))
        case .int8: .signed(Int64(try integer(Int8.self, what)))
        case .int16: .signed(Int64(try integer(Int16.self, what)))
        case .int32: .signed(Int64(try integer(Int32.self, what)))
        case .int64: .signed(try integer(Int64.self, what))
        case .float32: .float32(Float(bitPattern: try integer(UInt32.self, what)))
        case .float64: .float64(Double(bitPattern: try integer(UInt64.self, what)))
        case .bool: .bool(try ggufBool(what))
        case .string: .string([UInt8](try ggufString(what)))
        case .array: .array(try ggufArray(what))
        }
    }

    private mutating func ggufBool(_ what: String) throws -> Bool {
        let byte = try integer(UInt8.self, what)
        guard byte <= 1 else {
            throw failure("\(what) is the truth value \(byte); expected 0 or 1")
        }
        return byte == 1
    }

    private mutating func ggufArray(_ what: String) throws -> GGUFArray {
        let type = try ggufType("the elements of \(what)")
        guard type != .array else {
            throw failure("\(what) is a list of lists; expected a flat list")
        }
        let count = try integer(UInt64.self, "the length of \(what)")
        guard count <= UInt64(remaining / type.leastBytes) else {
            throw failure(
                "\(what) claims \(count) elements of \(type); only \(remaining) bytes remain in the file"
            )
        }
        let start = position
        switch type {
        case .string: for _ in 0..<count { _ = try ggufString("an element of \(what)") }
        case .bool: for _ in 0..<count { _ = try ggufBool("an element of \(what)") }
        default: _ = try bytes(count * UInt64(type.leastBytes), what)
        }
        return GGUFArray(type: type, count: Int(count), file: file, range: start..<position)
    }
}
