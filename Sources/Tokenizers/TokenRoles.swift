/// Which tokens begin and end texts and fill up batches, and what else goes with a tokenizer.
struct TokenRoles: Sendable {
    /// As the file declares them; nil where it does not.
    var bos: Int32?
    var eos: Int32?
    var pad: Int32?
    var endOfTurn: Int32?
    var addsBOS = false
    var chatTemplate: String?
}

/// The roles with what a file leaves open filled in by the names that published models use.
struct ResolvedRoles: Sendable {
    let bosID: Int32?
    let eosID: Int32?
    let padID: Int32
    let endOfTurnIDs: Set<Int32>
    /// The declared end of a turn, where neither its name nor `eosID` gives it away.
    let otherEndOfTurn: Int32?
    let addsBOS: Bool
    let chatTemplate: String?

    /// Special tokens that end a turn or a text, those of chat first.
    private static let endNames = [
        "<|im_end|>", "<|eot_id|>", "<|end_of_turn|>", "<end_of_turn>", "<|end|>",
        "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>", "<｜end▁of▁sentence｜>", "</s>",
    ]
    /// Special tokens meant for filling up, which no text contains.
    private static let padNames = [
        "<|fim_pad|>", "<|finetune_right_pad_id|>", "<|pad|>", "<pad>", "[PAD]",
    ]

    init(_ declared: TokenRoles, vocabulary: Vocabulary) {
        func special(_ name: String) -> Int32? {
            let bytes = Array(name.utf8)
            let token = vocabulary.added.first { $0.kind == .special && $0.bytes == bytes }
            return token.map { Int32($0.id) }
        }
        let specials = vocabulary.added.filter { $0.kind == .special }.map { Int32($0.id) }
        let named = ResolvedRoles.endNames.compactMap(special)
        let eos = declared.eos ?? named.first ?? specials.first
        var ends = Set(named)
        if let eos { ends.insert(eos) }
        otherEndOfTurn = declared.endOfTurn.flatMap { ends.insert($0).inserted ? $0 : nil }

        // A pad that ends turns would be left out of the loss along with the ends it must learn.
        let pads = [declared.pad] + ResolvedRoles.padNames.map(special)
        let pad =
            pads.compactMap(\.self).first { !ends.contains($0) }
            ?? specials.last { !ends.contains($0) && $0 != declared.bos }
            ?? (0..<Int32(vocabulary.count)).first {
                !ends.contains($0) && vocabulary.kinds[Int($0)] != .absent
            }

        bosID = declared.bos
        eosID = eos
        padID = pad ?? 0
        endOfTurnIDs = ends
        addsBOS = declared.addsBOS && declared.bos != nil
        chatTemplate = declared.chatTemplate
    }
}
