import TestSupport

/// Damages text files, word by word: JSON, JSON Lines, YAML, CSV, templates.
///
/// A text is cut into quoted strings, words, marks and white space; most changes keep what stands
/// around them well-formed, so that they reach what lies behind the parser.
struct TextMutator: Sendable {
    private let seeds: [[[UInt8]]]
    /// What may stand in place of a word; those of them that are whole values.
    private let words, values: [[UInt8]]

    /// - Parameters:
    ///   - seeds: Whole texts.
    ///   - words: What may stand in place of another word, beside the usual.
    init(_ seeds: [String], words: [String] = []) {
        self.seeds = seeds.map { Self.cut(Array($0.utf8)) }
        self.words = (Self.oddValues + words).map { Array($0.utf8) }
        values = self.words.filter { word in
            guard let first = word.first, let last = word.last else { return false }
            return Self.isWord(first) || (word.count > 1 && first == 0x22 && last == 0x22)
        }
    }

    /// Values that readers trip over.
    private static let oddValues =
        [
            "0", "-1", "-0", "1", "2", "0.5", "1e308", "-1e308", "1e999", "1e-400", "NaN",
            "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808",
            "-9223372036854775808", "18446744073709551616", "2147483648", "4294967296", "16777216",
            "65536", "100000000", "00", "1.", ".5", "0x10", "1_000", "null", "true", "false", "~",
            "\"\"", "\"a\"", "\"\\ud800\"", "\"\\u0000\"", "\"\\u2028\"", "\"\\ud83d\\ude00\"",
            "{}", "[]", "[[]]", "[null]", "{\"\":0}", "[0,1]", "[1e999]", "\"1e5\"", "\"\\\"",
            "'", "&a [*a]", "*a", "<<: *a", "!!binary", "!!float", "? ", "- ", "|", ">-", "%",
            "\t", "\r\n", "\n", "\"\n\"", ",", ",,", ":", "{", "}", "[", "]", "#", "\"",
        ] + oddTexts.map { "\"\($0)\"" }

    /// Texts that are hard to handle, though valid.
    static let oddTexts = [
        "é", "e\u{301}", "ß", "İ", "ﬁ", "😀", "👩‍👩‍👧", "\u{202E}abc", "\u{2028}", "\u{FEFF}", "\u{0}",
        "\u{1B}[2J", "\u{7F}", "\u{85}", "\u{FFFF}", "\u{10FFFF}", "Ġ", "Ġa", "<|im_end|>",
        "<script>", "</think>", "=1+1", "@x", "${HOME}", "{problem}", "{system}", "../x", "a/b",
        "\\boxed{1}", "####", "a\u{300}\u{301}\u{302}\u{303}\u{304}", "1١", "\u{3000}",
    ]

    /// A damaged copy of one of the seeds; one in thirty is whole.
    func next(_ random: inout SplitMix) -> [UInt8] {
        var parts = random.pick(seeds)
        if random.isOne(in: 30) { return Array(parts.joined()) }
        for _ in 0..<random.pick([1, 1, 1, 2, 3]) { edit(&parts, &random) }
        var bytes = Array(parts.joined())
        if random.isOne(in: 15) { ByteMutator.overwrite(&bytes, [], &random) }
        if random.isOne(in: 20) { bytes.removeSubrange(random.below(bytes.count + 1)...) }
        return bytes
    }

    private func edit(_ parts: inout [[UInt8]], _ random: inout SplitMix) {
        guard !parts.isEmpty else { return }
        let place = random.below(parts.count)
        let range = Self.group(in: parts, around: place, &random)
        switch random.below(20) {
        case 0: parts.remove(at: place)
        case 1: parts.insert(random.pick(words), at: place)
        case 2: parts.swapAt(place, random.below(parts.count))
        case 3: parts.removeSubrange(range)
        case 4: parts.insert(contentsOf: Array(parts[range]), at: range.lowerBound)
        case 5:
            let seed = random.pick(seeds)
            let other = Self.group(in: seed, around: random.below(seed.count), &random)
            parts.replaceSubrange(range, with: Array(seed[other]))
        case 6: parts[place] = random.pick(random.pick(seeds))
        case 7 where random.isOne(in: 4): nest(&parts, place, &random)
        case 8 where random.isOne(in: 4):
            // The same words many times over.
            let copies = 2 + random.below(random.isOne(in: 50) ? 2000 : 30)
            let some = Array(parts[range].prefix(40))
            parts.insert(
                contentsOf: repeatElement(some, count: copies).joined(),
                at: range.lowerBound
            )
        case 9...12:
            // A value of another place, or of another seed.
            let seed = random.pick(seeds)
            let other = valuePlace(seed, near: random.below(seed.count))
            parts[valuePlace(parts, near: place)] = seed[other]
        default:
            parts[valuePlace(parts, near: place)] = random.pick(
                random.isOne(in: 3) ? words : values
            )
        }
    }

    /// Puts brackets around a word, perhaps far too many.
    private func nest(_ parts: inout [[UInt8]], _ place: Int, _ random: inout SplitMix) {
        let depth = random.pick([1, 2, 63, 65, 200, 3000])
        let (open, close) = random.pick([("[", "]"), ("{\"a\":", "}"), ("(", ")")])
        let before = Array(String(repeating: open, count: depth).utf8)
        let after = Array(String(repeating: close, count: depth).utf8)
        parts[place] = before + parts[place] + (random.isOne(in: 8) ? [] : after)
    }

    /// The next number, word or string from a place on.
    private func valuePlace(_ parts: [[UInt8]], near place: Int) -> Int {
        parts[place...].firstIndex { part in
            part.first.map { $0 == 0x22 || Self.isWord($0) } ?? false
        } ?? place
    }

    /// The words from an opening bracket to its closing one, or a few words.
    private static func group(
        in parts: [[UInt8]],
        around place: Int,
        _ random: inout SplitMix
    ) -> Range<Int> {
        let few = place..<min(parts.count, place + 1 + random.below(12))
        guard let start = parts[place...].firstIndex(where: { $0 == [0x7B] || $0 == [0x5B] }),
            random.isOne(in: 2)
        else { return few }
        var depth = 0
        for index in start..<parts.count {
            if parts[index] == [0x7B] || parts[index] == [0x5B] { depth += 1 }
            if parts[index] == [0x7D] || parts[index] == [0x5D] { depth -= 1 }
            if depth == 0 { return start..<index + 1 }
        }
        return few
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte >= 0x80
            || [0x5F, 0x2E, 0x2D, 0x2B].contains(byte)
    }

    private static func cut(_ text: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var start = 0
        while start < text.count {
            var end = start + 1
            if text[start] == 0x22 {
                while end < text.count, text[end] != 0x22, text[end] != 0x0A {
                    end += text[end] == 0x5C ? 2 : 1
                }
                end = min(text.count, end + 1)
            } else if isWord(text[start]) || text[start] == 0x20 {
                let isSpace = text[start] == 0x20
                while end < text.count, isSpace ? text[end] == 0x20 : isWord(text[end]) { end += 1 }
            }
            parts.append(Array(text[start..<end]))
            start = end
        }
        return parts
    }
}
