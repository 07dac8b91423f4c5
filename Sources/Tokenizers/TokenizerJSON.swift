import Basics
import Foundation

extension Tokenizer {
    /// Reads a Hugging Face tokenizer.json, given as bytes.
    ///
    /// - Throws: `Failure.badData`; see `init(json:configuration:)`.
    public init(json data: Data, configuration: JSON? = nil) throws {
        try self.init(json: JSON(parsing: data), configuration: configuration)
    }

    /// Reads a Hugging Face tokenizer.json.
    ///
    /// - Parameters:
    ///   - json: The file; a byte-level BPE model with one of the known pre-tokenizers.
    ///   - configuration: The tokenizer_config.json beside it, which names the tokens that begin,
    ///     end and pad texts, and the chat template. Without it they are recognised by name.
    /// - Throws: `Failure.badData` naming the key that is damaged, or that asks for something not
    ///   supported: another model (WordPiece, Unigram), byte fallback, an unknown pre-tokenizer,
    ///   normalisation other than form C, added tokens that swallow the spaces around them.
    public init(json: JSON, configuration: JSON? = nil) throws {
        var parts = TokenizerParts()
        let model = try json.require("model", "an object") { $0.object == nil ? nil : $0 }
        try TokenizerJSON.checkModel(model)
        parts.added = try TokenizerJSON.addedTokens(json["added_tokens"])
        parts.normal = try TokenizerJSON.vocabulary(model, added: parts.added)
        parts.merges = try TokenizerJSON.merges(model)
        parts.ignoresMerges = model["ignore_merges"]?.bool ?? false
        parts.preTokenizer = try PreTokenizer(json: json["pre_tokenizer"])
        parts.normalizesNFC = try TokenizerJSON.normalizesNFC(json["normalizer"])
        if parts.preTokenizer == .whole && !parts.normal.isEmpty {
            throw Failure(
                .badData,
                at: "'pre_tokenizer'",
                "missing; only a vocabulary whose tokens are all added tokens can do without"
            )
        }
        try TokenizerJSON.checkDecoder(json["decoder"])
        parts.roles = try TokenizerJSON.roles(json, configuration, parts)
        try self.init(parts: parts)
    }
}

/// The pieces of a tokenizer.json.
private enum TokenizerJSON {
    static func checkModel(_ model: JSON) throws {
        func refuse(_ key: String, _ what: String) -> Failure {
            Failure(.badData, at: "'model.\(key)'", what)
        }
        let type = model["type"]?.string ?? "BPE"
        guard type == "BPE" else {
            throw refuse("type", "found \(type); only byte-level BPE is supported")
        }
        guard model["byte_fallback"]?.bool != true else {
            throw refuse(
                "byte_fallback",
                "a SentencePiece vocabulary; only byte-level BPE is supported"
            )
        }
        guard (model["dropout"]?.number ?? 0) == 0 else {
            throw refuse("dropout", "random merges are not supported")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"]
        where model[key]?.string?.isEmpty == false {
            throw refuse(key, "not supported; only byte-level BPE is")
        }
    }

    static func checkID(_ id: Int?, _ place: @autoclosure () -> String) throws -> Int {
        guard let id, (0..<Vocabulary.largestID).contains(id) else {
            let found = id.map { "found \($0)" } ?? "missing"
            throw Failure(
                .badData,
                at: place(),
                "\(found); expected a token id below \(Vocabulary.largestID)"
            )
        }
        return id
    }

    static func addedTokens(_ json: JSON?) throws -> [Vocabulary.Token] {
        guard let json, !json.isNull else { return [] }
        guard let list = json.array else {
            throw Failure(
                .badData,
                at: "'added_tokens'",
                "found \(json.kindName); expected a list"
            )
        }
        var ids = Set<Int>()
        return try list.enumerated().map { index, item in
            let place = "'added_tokens[\(index)]'"
            guard let content = item["content"]?.string, !content.isEmpty else {
                throw Failure(.badData, at: place, "expected an object with a 'content'")
            }
            let id = try checkID(item["id"]?.integer, place)
            guard ids.insert(id).inserted else {
                throw Failure(.badData, at: place, "id \(id) is given to two added tokens")
            }
            for flag in ["lstrip", "rstrip", "single_word"] where item[flag]?.bool == true {
                throw Failure(.badData, at: place, "'\(content)': \(flag) is not supported")
            }
            return Vocabulary.Token(
                id: id,
                bytes: Array(content.utf8),
                kind: item["special"]?.bool == true ? .special : .added,
                isNormalized: item["normalized"]?.bool ?? false
            )
        }
    }

    /// The merged tokens: the model's vocabulary without what the added tokens repeat.
    static func vocabulary(
        _ model: JSON,
        added: [Vocabulary.Token]
    ) throws -> [(id: Int, bytes: [UInt8])] {
        let object = try model.require("vocab", "an object", \.object)
        let addedByID = Dictionary(added.map { ($0.id, $0.bytes) }) { first, _ in first }
        var seen = Set<Int>(minimumCapacity: object.members.count)
        var tokens: [(id: Int, bytes: [UInt8])] = []
        tokens.reserveCapacity(object.members.count)
        for (key, value) in object.members {
            let id = try checkID(value.integer, "'model.vocab', '\(key)'")
            guard seen.insert(id).inserted else {
                throw Failure(
                    .badData,
                    at: "'model.vocab', '\(key)'",
                    "id \(id) is given to two tokens"
                )
            }
            if let content = addedByID[id] {
                guard key.utf8.elementsEqual(content) else {
                    throw Failure(
                        .badData,
                        at: "'model.vocab', '\(key)'",
                        "id \(id) is also that of the added token "
                            + "'\(String(decoding: content, as: UTF8.self))'"
                    )
                }
                continue
            }
            tokens.append((id, TokenizerParts.bytes(ofNormal: key.utf8)))
        }
        return tokens
    }

    static func merges(_ model: JSON) throws -> MergeTexts {
        var merges = MergeTexts()
        var buffer: [UInt8] = []
        for item in try model.array("merges") {
            if let text = item.string {
                try merges.append(text.utf8, using: &buffer)
            } else if let pair = item.array, pair.count == 2, let left = pair[0].string,
                let right = pair[1].string
            {
                try merges.append(left: left.utf8, right: right.utf8, using: &buffer)
            } else {
                throw Failure(
                    .badData,
                    at: "'model.merges'",
                    "found \(item.kindName); expected \"left right\" or [\"left\", \"right\"]"
                )
            }
        }
        return merges
    }

    static func normalizesNFC(_ json: JSON?) throws -> Bool {
        guard let json, !json.isNull else { return false }
        let type = try json.string("type")
        switch type {
        case "NFC": return true
        case "Sequence":
            return try json.array("normalizers").reduce(false) { try normalizesNFC($1) || $0 }
        default:
            throw Failure(
                .badData,
                at: "'normalizer'",
                "\(type) is not supported; known is NFC"
            )
        }
    }

    static func checkDecoder(_ json: JSON?) throws {
        guard let json, !json.isNull else { return }
        let type = try json.string("type")
        guard type == "ByteLevel" || type == "Fuse" else {
            throw Failure(.badData, at: "'decoder'", "\(type) is not supported; known is ByteLevel")
        }
    }

    /// What tokenizer_config.json says, and whether the post-processor begins with a token.
    static func roles(
        _ json: JSON,
        _ configuration: JSON?,
        _ parts: TokenizerParts
    ) throws -> TokenRoles {
        var roles = TokenRoles()
        if let first = firstToken(json["post_processor"]) {
            roles.bos = parts.added.first { $0.bytes.elementsEqual(first.utf8) }.map {
                Int32($0.id)
            }
            roles.addsBOS = roles.bos != nil
        }
        guard let configuration else { return roles }
        func token(_ key: String) throws -> Int32? {
            let value = configuration[key]
            guard let content = value?.string ?? value?["content"]?.string else { return nil }
            let bytes = Array(content.utf8)
            if let added = parts.added.first(where: { $0.bytes == bytes }) {
                return Int32(added.id)
            }
            let spelled = TokenizerParts.bytes(ofNormal: bytes)
            if let normal = parts.normal.first(where: { $0.bytes == spelled }) {
                return Int32(normal.id)
            }
            throw Failure(
                .badData,
                file: "tokenizer_config.json",
                at: "'\(key)'",
                "'\(content)' is not a token of tokenizer.json"
            )
        }
        roles.bos = try token("bos_token") ?? roles.bos
        roles.eos = try token("eos_token")
        roles.pad = try token("pad_token")
        // Ours; elsewhere it may name what this vocabulary does not have.
        roles.endOfTurn = try? token("eot_token")
        roles.addsBOS = configuration["add_bos_token"]?.bool ?? roles.addsBOS
        let template = configuration["chat_template"]
        roles.chatTemplate =
            template?.string
            ?? template?.array?.first { $0["name"]?.string == "default" }?["template"]?.string
        return roles
    }

    /// The special token that a post-processor puts before every text.
    private static func firstToken(_ json: JSON?) -> String? {
        if let processors = json?["processors"]?.array {
            return processors.lazy.compactMap(firstToken).first
        }
        return json?["single"]?.array?.first?["SpecialToken"]?["id"]?.string
    }
}

extension TokenizerParts {
    /// The bytes of a merged token; a spelling outside the byte alphabet stands for itself.
    static func bytes(ofNormal spelling: some Sequence<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        if ByteAlphabet.appendBytes(of: spelling, to: &bytes) { return bytes }
        return Array(spelling)
    }
}
