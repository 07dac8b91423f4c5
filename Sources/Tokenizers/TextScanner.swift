/// What the pre-tokenizers' patterns distinguish about a scalar.
enum ScalarClass: Sendable {
    /// General category L, `\p{L}`.
    case letter
    /// General category N, `\p{N}`.
    case number
    /// Carriage return or line feed, `[\r\n]`.
    case newline
    /// Any other scalar of the property White_Space; with `newline`, `\s`.
    case space
    /// Everything else: marks, punctuation, symbols, controls, and bytes that are not UTF-8.
    case other

    /// Whether `\s` matches.
    @inline(__always) var isWhitespace: Bool { self == .space || self == .newline }

    /// The class of a scalar outside ASCII.
    init(_ scalar: Unicode.Scalar) {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            self = .letter
        case .decimalNumber, .letterNumber, .otherNumber: self = .number
        default: self = scalar.properties.isWhitespace ? .space : .other
        }
    }
}

/// Reads classes of scalars out of bytes.
///
/// Text is looked at where it lies. A byte that begins no well-formed sequence counts as one scalar
/// of class `other`, so that any bytes can be cut into pieces and none is lost.
struct TextScanner {
    let bytes: [UInt8]
    let end: Int

    /// The class of the scalar at `position`, which must lie before `end`, and its length in bytes.
    @inline(__always)
    func scalar(at position: Int) -> (kind: ScalarClass, length: Int) {
        let byte = bytes[position]
        guard byte < 0x80 else { return longScalar(at: position) }
        if (byte | 0x20) &- 0x61 < 26 { return (.letter, 1) }
        if byte &- 0x30 < 10 { return (.number, 1) }
        switch byte {
        case 0x20, 0x09, 0x0B, 0x0C: return (.space, 1)
        case 0x0A, 0x0D: return (.newline, 1)
        default: return (.other, 1)
        }
    }

    /// The end of the longest run of one class that begins at `position`.
    @inline(__always)
    func run(of kind: ScalarClass, from position: Int) -> Int {
        var position = position
        while position < end {
            let next = scalar(at: position)
            guard next.kind == kind else { break }
            position += next.length
        }
        return position
    }

    private func longScalar(at position: Int) -> (kind: ScalarClass, length: Int) {
        guard let (scalar, length) = TextScanner.decode(bytes, at: position, end: end) else {
            return (.other, 1)
        }
        return (ScalarClass(scalar), length)
    }

    /// The well-formed UTF-8 sequence of two to four bytes at `position`, or nil.
    static func decode(_ bytes: [UInt8], at position: Int, end: Int) -> (Unicode.Scalar, Int)? {
        let lead = UInt32(bytes[position])
        let length: Int
        var value: UInt32
        switch lead {
        case 0xC2...0xDF: (length, value) = (2, lead & 0x1F)
        case 0xE0...0xEF: (length, value) = (3, lead & 0x0F)
        case 0xF0...0xF4: (length, value) = (4, lead & 0x07)
        default: return nil
        }
        guard position + length <= end else { return nil }
        for offset in 1..<length {
            let byte = bytes[position + offset]
            guard byte & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        let smallest: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
        guard value >= smallest, let scalar = Unicode.Scalar(value) else { return nil }
        return (scalar, length)
    }
}
