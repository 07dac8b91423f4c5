import Basics

/// What a tokenizer is made of, whatever file it came from.
struct TokenizerParts {
    var normal: [(id: Int, bytes: [UInt8])] = []
    var added: [Vocabulary.Token] = []
    var merges = MergeTexts()
    var preTokenizer = PreTokenizer.whole
    var normalizesNFC = false
    var ignoresMerges = false
    var roles = TokenRoles()
}

/// Merge rules as bytes, two sides each, by rank.
struct MergeTexts {
    private var sides = SpellingTable()

    /// Adds the next rule, written in the alphabet of `ByteAlphabet`.
    ///
    /// - Throws: `Failure.badData` when a side is not of that alphabet.
    mutating func append(
        left: some Sequence<UInt8>,
        right: some Sequence<UInt8>,
        using buffer: inout [UInt8]
    ) throws {
        buffer.removeAll(keepingCapacity: true)
        guard ByteAlphabet.appendBytes(of: left, to: &buffer) else { throw notOfTheAlphabet }
        sides.append(buffer)
        buffer.removeAll(keepingCapacity: true)
        guard ByteAlphabet.appendBytes(of: right, to: &buffer) else { throw notOfTheAlphabet }
        sides.append(buffer)
    }

    /// Adds the next rule, written as two sides with a space between.
    ///
    /// - Throws: `Failure.badData` when there is no space or a side is not of the alphabet.
    mutating func append(_ text: some Collection<UInt8>, using buffer: inout [UInt8]) throws {
        guard let space = text.firstIndex(of: 0x20) else {
            throw Failure(.badData, at: place, "expected two sides with a space between")
        }
        try append(
            left: text[..<space],
            right: text[text.index(after: space)...],
            using: &buffer
        )
    }

    /// The place of the rule being read, for messages.
    private var place: String { "merge \(sides.count / 2)" }

    private var notOfTheAlphabet: Failure {
        Failure(
            .badData,
            at: place,
            "has a character that stands for no byte; expected a byte-level vocabulary"
        )
    }

    /// The rules as ids.
    ///
    /// - Throws: `Failure.badData` naming a rule whose sides or result are not in the vocabulary.
    func resolve(
        in vocabulary: Vocabulary
    ) throws -> [(left: Int32, right: Int32, result: Int32)] {
        let bytes = sides.bytes
        return try (0..<sides.count / 2).map { rule in
            let (left, right) = (sides.range(of: 2 * rule), sides.range(of: 2 * rule + 1))
            let whole = left.lowerBound..<right.upperBound
            func id(_ range: Range<Int>) throws -> Int32 {
                if let id = vocabulary.id(of: bytes, range) { return id }
                throw Failure(
                    .badData,
                    at: "merge \(rule)",
                    "'\(ByteAlphabet.spelling(of: bytes[range]))' is not in the vocabulary"
                )
            }
            return try (id(left), id(right), id(whole))
        }
    }
}
