import Basics

/// The tokens of a tokenizer: id to bytes, bytes to id, and what kind each is.
struct Vocabulary: Sendable {
    /// What a token is.
    enum Kind: UInt8, Sendable {
        /// No token has this id; it decodes to nothing.
        case absent
        /// Made by merging, or a single byte.
        case normal
        /// Matched literally in text.
        case added
        /// Matched literally, and skipped where special tokens are.
        case special
    }

    /// A token as a file gives it.
    struct Token: Sendable {
        var id: Int
        var bytes: [UInt8]
        var kind: Kind
        /// Whether an added token is looked for in normalised text instead of the original.
        var isNormalized = false
    }

    private(set) var spellings: SpellingTable
    private(set) var kinds: [Kind]
    /// The added and special tokens, by id.
    let added: [Token]
    /// Whether the added tokens' ids follow those of the normal ones without a gap, as in files
    /// that list the added tokens apart.
    let addedFollowNormal: Bool

    /// Numbers above this are taken for damage, not for ids.
    static let largestID = 1 << 21

    /// Builds the tables.
    ///
    /// `normal` gives id and bytes; an added token may repeat the id of a normal one, and replaces
    /// it. Ids that no token has become absent, up to the largest id.
    /// - Throws: `Failure.badData` naming a token that tokenizer.json could not hold beside the
    ///   others: an empty one, one spelled like another, an added one that is not UTF-8.
    init(normal: [(id: Int, bytes: [UInt8])], added: [Token]) throws {
        let count = max(normal.lazy.map(\.id).max() ?? -1, added.lazy.map(\.id).max() ?? -1) + 1
        var bySlot = [Int32](repeating: -1, count: count)
        for (index, token) in normal.enumerated() { bySlot[token.id] = Int32(index) }
        var addedBySlot: [Int: Token] = [:]
        for token in added { addedBySlot[token.id] = token }

        spellings = SpellingTable(capacity: count)
        kinds = Array(repeating: .absent, count: count)
        for id in 0..<count {
            if let token = addedBySlot[id] {
                kinds[id] = token.kind
                spellings.append(token.bytes)
            } else if bySlot[id] >= 0 {
                kinds[id] = .normal
                spellings.append(normal[Int(bySlot[id])].bytes)
            } else {
                spellings.append([])
            }
        }
        // Where two tokens are spelled alike, merging means the normal one.
        for id in 0..<count where kinds[id] == .normal {
            if spellings[id].isEmpty { throw Vocabulary.emptyToken(id) }
            if let other = spellings.publish(id) { throw Vocabulary.repeated(id, other, spellings) }
        }
        self.added = added.sorted { $0.id < $1.id }
        try Vocabulary.checkAdded(self.added, beside: spellings)
        for token in self.added { spellings.publish(token.id) }
        let lastNormal = kinds.lastIndex(of: .normal) ?? -1
        addedFollowNormal =
            lastNormal >= 0 && self.added.map(\.id).elementsEqual(lastNormal + 1..<count)
    }

    /// Refuses added tokens that a tokenizer.json cannot hold beside the normal ones.
    ///
    /// There a normal token is spelled in the byte alphabet and an added one as it is: an added
    /// token "ö" would be the same key as the normal token of the byte 0xF6.
    private static func checkAdded(_ added: [Token], beside normal: SpellingTable) throws {
        var seen = SpellingTable(capacity: added.count)
        for token in added {
            if token.bytes.isEmpty { throw emptyToken(token.id) }
            guard String(validating: token.bytes, as: UTF8.self) != nil else {
                let hex = token.bytes.prefix(20).map { String($0, radix: 16) }
                throw Failure(
                    .badData,
                    at: "token \(token.id)",
                    "its bytes \(hex.joined(separator: " ")) are not UTF-8; expected text in a "
                        + "special or added token"
                )
            }
            if let other = seen.publish(seen.append(token.bytes)) {
                throw repeated(token.id, added[other].id, seen, spelling: other)
            }
            var bytes: [UInt8] = []
            if ByteAlphabet.appendBytes(of: token.bytes, to: &bytes),
                let other = normal.find(bytes, 0..<bytes.count)
            {
                throw Failure(
                    .badData,
                    at: "token \(token.id)",
                    "is spelled \(readable(token.bytes)), as the byte alphabet spells token \(other)",
                    remedy: remedy
                )
            }
        }
    }

    private static let remedy =
        "A model with such a vocabulary could not be saved and read again: mend the file."

    private static func emptyToken(_ id: Int) -> Failure {
        Failure(.badData, at: "token \(id)", "is empty; expected at least one byte", remedy: remedy)
    }

    private static func repeated(
        _ id: Int,
        _ other: Int,
        _ spellings: SpellingTable,
        spelling: Int? = nil
    ) -> Failure {
        Failure(
            .badData,
            at: "token \(id)",
            "is spelled \(readable(spellings[spelling ?? other])), as token \(other) is; expected "
                + "different spellings",
            remedy: remedy
        )
    }

    /// Bytes as a quoted text for messages, control characters escaped.
    private static func readable(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.prefix(60), as: UTF8.self).debugDescription
    }

    /// One more than the largest id.
    var count: Int { kinds.count }

    /// The id of a token by its bytes.
    func id(of source: [UInt8], _ range: Range<Int>) -> Int32? {
        spellings.find(source, range).map(Int32.init)
    }

    /// Lets added tokens be found before normal ones spelled alike, for use after merges are read.
    mutating func preferAdded() {
        for token in added { spellings.publish(token.id, replacing: true) }
    }
}
