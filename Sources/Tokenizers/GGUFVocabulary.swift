import Basics

/// A tokenizer as the metadata of a GGUF file holds it (`tokenizer.ggml.*`).
///
/// Source: ggml's GGUF specification, section "Tokenizer".
public struct GGUFVocabulary: Sendable {
    /// `model`: `gpt2` for byte-level BPE, the only one implemented; `llama` for SentencePiece.
    public var model: String
    /// `tokens`: spellings by id, as stored: merged tokens in GPT-2's byte alphabet, others plain.
    public var tokens: [[UInt8]]
    /// `token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    public var types: [Int]
    /// `merges`: the two sides of each rule, by rank, in GPT-2's byte alphabet.
    public var merges: [(left: [UInt8], right: [UInt8])]
    /// `pre`: the name of the pre-tokenizer.
    public var pre: String
    /// `bos_token_id`.
    public var bosID: Int?
    /// `eos_token_id`.
    public var eosID: Int?
    /// `padding_token_id`.
    public var padID: Int?
    /// `eot_token_id`.
    public var eotID: Int?
    /// `add_bos_token`; nil where the file does not say.
    public var addBOS: Bool?
    /// `tokenizer.chat_template`.
    public var chatTemplate: String?

    /// Gathers the values.
    public init(
        model: String = "gpt2",
        tokens: [[UInt8]],
        types: [Int],
        merges: [(left: [UInt8], right: [UInt8])],
        pre: String,
        bosID: Int? = nil,
        eosID: Int? = nil,
        padID: Int? = nil,
        eotID: Int? = nil,
        addBOS: Bool? = nil,
        chatTemplate: String? = nil
    ) {
        self.model = model
        self.tokens = tokens
        self.types = types
        self.merges = merges
        self.pre = pre
        self.bosID = bosID
        self.eosID = eosID
        self.padID = padID
        self.eotID = eotID
        self.addBOS = addBOS
        self.chatTemplate = chatTemplate
    }
}

extension Tokenizer {
    /// Reads the tokenizer of a GGUF file.
    ///
    /// Control and unknown tokens are special, user-defined ones are added, unused ones (the
    /// padding rows of a model) are left out. A GGUF file does not say whether text is to be
    /// normalised; like llama.cpp this takes it as it is.
    ///
    /// - Throws: `Failure.badData` naming the key that is damaged or not supported.
    public init(gguf: GGUFVocabulary) throws {
        guard gguf.model == "gpt2" else {
            throw Failure(
                .badData,
                at: "'tokenizer.ggml.model'",
                "'\(gguf.model)' is not implemented; expected gpt2 (byte-level BPE)"
            )
        }
        guard gguf.types.count == gguf.tokens.count else {
            throw Failure(
                .badData,
                at: "'tokenizer.ggml.token_type'",
                "found \(gguf.types.count) types; expected \(gguf.tokens.count), one a token"
            )
        }
        guard gguf.tokens.count <= Vocabulary.largestID else {
            throw Failure(
                .badData,
                at: "'tokenizer.ggml.tokens'",
                "found \(gguf.tokens.count) tokens; expected at most \(Vocabulary.largestID)"
            )
        }
        var parts = TokenizerParts()
        parts.preTokenizer = try PreTokenizer(ggufName: gguf.pre)
        // llama.cpp's rules: the files themselves do not say the first, and may leave out the second.
        let isLlama3 = parts.preTokenizer == .llama3
        parts.ignoresMerges = isLlama3
        for (id, (token, type)) in zip(gguf.tokens, gguf.types).enumerated() {
            switch type {
            case 1: parts.normal.append((id, TokenizerParts.bytes(ofNormal: token)))
            case 2, 3:
                parts.added.append(Vocabulary.Token(id: id, bytes: token, kind: .special))
            case 4: parts.added.append(Vocabulary.Token(id: id, bytes: token, kind: .added))
            case 5: continue
            default:
                let name = String(decoding: token, as: UTF8.self)
                throw Failure(
                    .badData,
                    at: "'tokenizer.ggml.token_type[\(id)]'",
                    "token '\(name)' has type \(type); expected 1 to 5 in a byte-level vocabulary"
                )
            }
        }
        var buffer: [UInt8] = []
        for merge in gguf.merges {
            try parts.merges.append(left: merge.left, right: merge.right, using: &buffer)
        }
        func checked(_ id: Int?, _ key: String) throws -> Int32? {
            guard let id else { return nil }
            guard gguf.tokens.indices.contains(id) else {
                throw Failure(
                    .badData,
                    at: "'tokenizer.ggml.\(key)'",
                    "found \(id); expected the id of one of \(gguf.tokens.count) tokens"
                )
            }
            return gguf.types[id] == 5 ? nil : Int32(id)
        }
        parts.roles = try TokenRoles(
            bos: checked(gguf.bosID, "bos_token_id"),
            eos: checked(gguf.eosID, "eos_token_id"),
            pad: checked(gguf.padID, "padding_token_id"),
            endOfTurn: checked(gguf.eotID, "eot_token_id"),
            addsBOS: gguf.addBOS ?? isLlama3,
            chatTemplate: gguf.chatTemplate
        )
        try self.init(parts: parts)
    }
}
