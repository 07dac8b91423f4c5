import Basics

extension Tokenizer {
    /// The tokens of a text.
    ///
    /// Special tokens spelled out in it become tokens with `.parse` and stay text with `.asText`.
    /// Added tokens that are not special (`<tool_call>` in Qwen2, the words of a whole-word
    /// vocabulary) are found in both, as in the reference implementations.
    ///
    /// - Throws: `Failure.badData` when the vocabulary cannot spell the text.
    public func encode(_ text: String, specialTokens: SpecialTokens) throws -> [Int32] {
        try encode(Array(text.utf8), specialTokens: specialTokens)
    }

    /// The tokens of some bytes, which need not be UTF-8; see `encode(_:specialTokens:)`.
    ///
    /// - Throws: `Failure.badData` when the vocabulary cannot spell the bytes.
    public func encode(_ bytes: [UInt8], specialTokens: SpecialTokens) throws -> [Int32] {
        var scratch =
            storage.scratch.withLock { shared in
                let taken = shared
                shared = nil
                return taken
            } ?? BytePairScratch()
        defer { storage.scratch.withLock { [scratch] in $0 = scratch } }

        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 3)
        try storage.added.cut(bytes, 0..<bytes.count, specialTokens: specialTokens) { segment in
            switch segment {
            case .token(let id): ids.append(id)
            case .text(let range):
                let isRaw = !storage.normalizesNFC
                let text = isRaw ? bytes : Normalization.composed(bytes, range)
                try storage.addedAfterNormalizing.cut(
                    text,
                    isRaw ? range : 0..<text.count,
                    specialTokens: specialTokens
                ) { segment in
                    switch segment {
                    case .token(let id): ids.append(id)
                    case .text(let range):
                        try storage.preTokenizer.cut(text, range) { piece in
                            try append(text, piece, to: &ids, using: &scratch)
                        }
                    }
                }
            }
        }
        return ids
    }

    /// Appends the tokens of one piece.
    private func append(
        _ bytes: [UInt8],
        _ piece: Range<Int>,
        to ids: inout [Int32],
        using scratch: inout BytePairScratch
    ) throws {
        if let known = scratch.remembered(bytes, piece) {
            ids.append(contentsOf: known)
            return
        }
        let start = ids.count
        if storage.encoder.ignoresMerges, let id = storage.vocabulary.id(of: bytes, piece),
            storage.vocabulary.kinds[Int(id)] == .normal
        {
            ids.append(id)
        } else if let place = storage.encoder.encode(bytes, piece, into: &ids, using: &scratch) {
            throw unspellable(bytes, at: place)
        }
        scratch.remember(bytes, piece, as: ids[start...])
    }

    private func unspellable(_ bytes: [UInt8], at place: Int) -> Failure {
        let excerpt = String(decoding: bytes[place..<min(place + 20, bytes.count)], as: UTF8.self)
        guard storage.preTokenizer == .whole else {
            let byte = String(bytes[place], radix: 16, uppercase: true)
            return Failure(
                .badData,
                at: "byte \(place) of the text",
                "the vocabulary has no token for byte 0x\(byte)",
                remedy:
                    "Remove the character from the text, or use a model whose vocabulary has it."
            )
        }
        return Failure(
            .badData,
            at: "byte \(place) of the text",
            "no word of the vocabulary begins \(excerpt.debugDescription)",
            remedy: "Add the missing words to the vocabulary, or correct the text."
        )
    }
}
