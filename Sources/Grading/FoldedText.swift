/// Answers compared as text: words without letter case, letters of formulas with it.
enum FoldedText {
    /// A key with its words in small letters, `{x}` behind `^` and `_` as `x`, and no space in it
    /// that separates nothing.
    static func folded(_ key: String) -> String {
        var result: [UInt8] = []
        let bytes = Array(key.utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte.isLetter {
                var end = index
                while end < bytes.count, bytes[end].isLetter { end += 1 }
                let word = bytes[index..<end]
                let isCommand = result.last == UInt8(ascii: "\\")
                result += !isCommand && isWord(word) ? word.map(\.lowercased) : Array(word)
                index = end
            } else if byte == UInt8(ascii: "{"), let last = result.last, "^_".utf8.contains(last),
                index + 2 < bytes.count, bytes[index + 2] == UInt8(ascii: "}")
            {
                result.append(bytes[index + 1])
                index += 3
            } else {
                result.append(byte)
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let short: Set<String> = [
        "no", "is", "of", "in", "to", "at", "on", "by", "up", "or", "an", "we", "it", "do", "am",
        "pm",
        "as", "if",
    ]

    /// Whether letters side by side are a word and no names of points or variables.
    private static func isWord(_ letters: ArraySlice<UInt8>) -> Bool {
        guard letters.count > 2 else {
            return letters.count == 2
                && short.contains(String(decoding: letters.map(\.lowercased), as: UTF8.self))
        }
        let capitals = letters.count { $0 < 0x60 }
        guard capitals == letters.count else { return capitals <= 1 }
        // "ABC" and "PQRS" name a figure; "YES" is a word.
        let isSequence = zip(letters, letters.dropFirst()).allSatisfy { $1 == $0 + 1 }
        let vowels = letters.count { "AEIOUY".utf8.contains($0) }
        return !isSequence && letters.count >= 3 && vowels > 0
    }
}
