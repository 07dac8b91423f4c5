/// The printable alphabet in which byte-level BPE files spell bytes.
///
/// Visible Latin-1 characters stand for their own code; the 68 other bytes take the scalars from
/// U+0100 upwards, in order (so a space is written "Ġ", U+0120). All 256 scalars lie below U+0144
/// and take one or two bytes of UTF-8.
/// Source: the `bytes_to_unicode` table published with GPT-2 (Radford et al. 2019).
enum ByteAlphabet {
    /// The scalar that spells each byte.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            let isVisible =
                (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte)
                || (0xAE...0xFF).contains(byte)
            defer { if !isVisible { next += 1 } }
            return Unicode.Scalar(isVisible ? byte : next) ?? "\u{FFFD}"
        }
    }()

    /// The byte that each scalar below U+0144 spells; -1 where it spells none.
    private static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = Int16(byte) }
        return table
    }()

    /// Appends the bytes that a spelling stands for.
    ///
    /// - Returns: False, with `output` as it was, when some character is not of the alphabet.
    static func appendBytes(of spelling: some Sequence<UInt8>, to output: inout [UInt8]) -> Bool {
        let start = output.count
        let table = bytes
        var lead: Int?
        for unit in spelling {
            var scalar = Int(unit)
            if let high = lead {
                guard unit & 0xC0 == 0x80 else { break }
                scalar = high << 6 | scalar & 0x3F
                lead = nil
            } else if unit >= 0x80 {
                // Only two-byte sequences can be of the alphabet.
                lead = unit & 0xE0 == 0xC0 ? scalar & 0x1F : 0x1F
                continue
            }
            guard scalar < table.count, table[scalar] >= 0 else {
                output.removeSubrange(start...)
                return false
            }
            output.append(UInt8(table[scalar]))
        }
        guard lead == nil else {
            output.removeSubrange(start...)
            return false
        }
        return true
    }

    /// The spelling of some bytes.
    static func spelling(of bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(scalars[Int(byte)]) }
        return String(text)
    }
}
