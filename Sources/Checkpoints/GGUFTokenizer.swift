import Basics
import Tokenizers

extension GGUFFile {
    /// The tokenizer in the metadata; nil when the file has none.
    ///
    /// - Throws: `Failure.badData` naming the key whose value is of the wrong kind or length.
    public func vocabulary() throws -> GGUFVocabulary? {
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
        return GGUFVocabulary(
            model: model,
            tokens: tokens,
            types: types ?? Array(repeating: 1, count: tokens.count),
            merges: try merges("\(prefix).merges"),
            pre: try optional("\(prefix).pre", "a string", \.text) ?? "default",
            bosID: try id("bos"),
            eosID: try id("eos"),
            padID: try id("padding"),
            eotID: try id("eot"),
            addBOS: try optional("\(prefix).add_bos_token", "true or false", \.bool),
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
