import Basics

extension Tokenizer {
    /// A vocabulary of whole words, for miniature worlds.
    ///
    /// Every word is matched literally wherever it occurs, the longest of those that begin at the
    /// same place; text that no word covers cannot be encoded. Ids are the words' indices, then
    /// the end of turn, then the padding token.
    ///
    /// - Parameters:
    ///   - words: Distinct and not empty.
    ///   - endOfTurn: The spelling of the special token that ends a turn; not a word.
    /// - Throws: `Failure.configuration` for an empty or repeated word.
    public init(words: [String], endOfTurn: String) throws {
        let pad = "<|pad|>"
        var seen = Set<[UInt8]>()
        var parts = TokenizerParts()
        for (id, word) in (words + [endOfTurn, pad]).enumerated() {
            let bytes = Array(word.utf8)
            guard !bytes.isEmpty, seen.insert(bytes).inserted else {
                throw Failure(
                    .configuration,
                    at: "word \(id)",
                    bytes.isEmpty ? "is empty" : "'\(word)' occurs twice",
                    remedy: "Words must be distinct, and other than '\(endOfTurn)' and '\(pad)'."
                )
            }
            let kind: Vocabulary.Kind = id < words.count ? .added : .special
            parts.added.append(Vocabulary.Token(id: id, bytes: bytes, kind: kind))
        }
        parts.roles.eos = Int32(words.count)
        parts.roles.pad = Int32(words.count + 1)
        try self.init(parts: parts)
    }
}
