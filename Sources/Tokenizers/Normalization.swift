import Foundation

/// Unicode normalisation form C of bytes.
enum Normalization {
    /// `bytes[range]` in form C; bytes that are not UTF-8 stay as they are.
    ///
    /// No scalar below U+0300 is changed by form C, nor composes with the one before it, so that
    /// text without any above is returned at once.
    static func composed(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
        guard bytes[range].contains(where: { $0 >= 0xCC }) else { return Array(bytes[range]) }
        var output: [UInt8] = []
        output.reserveCapacity(range.count)
        var start = range.lowerBound
        var position = start
        func flush(upTo end: Int) {
            let text = String(decoding: bytes[start..<end], as: UTF8.self)
            output.append(contentsOf: text.precomposedStringWithCanonicalMapping.utf8)
        }
        while position < range.upperBound {
            if bytes[position] < 0x80 {
                position += 1
            } else if let (_, length) = TextScanner.decode(
                bytes,
                at: position,
                end: range.upperBound
            ) {
                position += length
            } else {
                flush(upTo: position)
                output.append(bytes[position])
                position += 1
                start = position
            }
        }
        flush(upTo: range.upperBound)
        return output
    }
}
