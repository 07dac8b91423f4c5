/// ASCII questions about a UTF-8 byte.
extension UInt8 {
    /// Space, tab or line end.
    var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    /// `0` to `9`.
    var isDigit: Bool { (0x30...0x39).contains(self) }
    /// `A` to `Z` or `a` to `z`.
    var isLetter: Bool { (0x61...0x7A).contains(self | 0x20) }
    /// `A` to `Z` made small; every other byte as it is.
    var lowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// The byte at `index`, or `nil` outside.
    subscript(safe index: Int) -> UInt8? { indices.contains(index) ? self[index] : nil }

    /// Whether these bytes end as a text does.
    func ends(with text: String) -> Bool {
        count >= text.utf8.count && self[(endIndex - text.utf8.count)...].elementsEqual(text.utf8)
    }

    /// The last place where `pattern` occurs; `nil` for an empty pattern.
    func lastRange(of pattern: [UInt8]) -> Range<Int>? {
        guard !pattern.isEmpty, count >= pattern.count else { return nil }
        for start in (startIndex...(endIndex - pattern.count)).reversed()
        where self[start] == pattern[0] && self[start...].starts(with: pattern) {
            return start..<start + pattern.count
        }
        return nil
    }
}
