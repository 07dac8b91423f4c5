import Files

/// The tokenizer of a GGUF file: raw material for the tokenizers, which are built elsewhere.
///
/// Source: ggml, docs/gguf.md, "Tokenizer".
public struct StoredVocabulary: Sendable {
    /// `tokenizer.ggml.model`: `gpt2` for byte-level BPE, `llama` for SentencePiece.
    public var model: String
    /// `tokenizer.ggml.pre`: how text is cut before merging (`qwen2`, `smollm`, `llama-bpe`, ...).
    public var preTokenizer: String?
    /// The spelling of each id, as stored (byte-level BPE: in GPT-2's printable byte alphabet).
    public var tokens: [[UInt8]]
    /// The type of each id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    public var types: [Int]
    /// Merges in order of rank.
    public var merges: [(left: [UInt8], right: [UInt8])]
    /// Begins a text, where the model wants one.
    public var beginningID: Int?
    /// Ends a text.
    public var endID: Int?
    /// Ends a turn, where it is another than `endID`.
    public var endOfTurnID: Int?
    /// Fills up a batch.
    public var paddingID: Int?
    /// Stands for what the vocabulary cannot spell.
    public var unknownID: Int?
    /// Whether texts begin with `beginningID`.
    public var addsBeginning: Bool
    /// The chat template (Jinja).
    public var chatTemplate: String?
}

extension GGUFFile {
    /// The tokenizer in the metadata; nil when the file has none.
    ///
    /// - Throws: `Failure.badData` naming the key whose value is of the wrong kind or length.
    public func vocabulary() throws -> StoredVocabulary? {
        let prefix = "tokenizer.ggml"
        guard metadata["\(prefix).tokens"] != nil else { return nil }
        let tokens =
            try optional("\(prefix).tokens", "a list of strings") { $0.array?.strings } ?? []
        let types = try optional("\(prefix).token_type", "a list of integers") {
            $0.array?.integers
        }
        if let types, types.count != tokens.count {
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(prefix).token_type'",
                "\(types.count) types; expected one for each of \(tokens.count) tokens"
            )
        }
        let model = try optional("\(prefix).model", "a string", \.text)
        guard let model else {
            throw Failure(.badData, file: path, at: "metadata '\(prefix).model'", "missing")
        }
        func id(_ name: String) throws -> Int? {
            let key = "\(prefix).\(name)_token_id"
            guard let id = try optional(key, "an integer", \.integer) else { return nil }
            guard tokens.indices.contains(id) else {
                throw Failure(
                    .badData,
                    file: path,
                    at: "metadata '\(key)'",
                    "found \(id); expected an id below \(tokens.count)"
                )
            }
            return id
        }
        return StoredVocabulary(
            model: model,
            preTokenizer: try optional("\(prefix).pre", "a string", \.text),
            tokens: tokens,
            types: types ?? Array(repeating: 1, count: tokens.count),
            merges: try merges("\(prefix).merges"),
            beginningID: try id("bos"),
            endID: try id("eos"),
            endOfTurnID: try id("eot"),
            paddingID: try id("padding"),
            unknownID: try id("unknown"),
            addsBeginning: try optional("\(prefix).add_bos_token", "true or false", \.bool)
                ?? false,
            chatTemplate: try optional("tokenizer.chat_template", "UTF-8 text", \.text)
        )
    }

    private func merges(_ key: String) throws -> [(left: [UInt8], right: [UInt8])] {
        let lines = try optional(key, "a list of strings") { $0.array?.strings } ?? []
        return try lines.enumerated().map { rank, line in
            // The byte alphabet has no space, so the only one is the separator.
            guard let space = line.firstIndex(of: 0x20), space > 0, space + 1 < line.count,
                !line[(space + 1)...].contains(0x20)
            else {
                throw Failure(
                    .badData,
                    file: path,
                    at: "metadata '\(key)', merge \(rank)",
                    "found '\(String(decoding: line.prefix(60), as: UTF8.self))'; "
                        + "expected two spellings with one space between"
                )
            }
            return (Array(line[..<space]), Array(line[(space + 1)...]))
        }
    }
}
