import Basics
import Foundation

extension Tokenizer {
    /// A Hugging Face tokenizer.json, which gives the same ids when read again, here or by others.
    public func toJSON() -> Data { Data(json.compact.utf8) }

    /// The content of `toJSON()` as a value.
    public var json: JSON {
        let isWords = storage.preTokenizer == .whole
        return [
            "version": "1.0",
            "truncation": .null,
            "padding": .null,
            "added_tokens": .array(storage.vocabulary.added.map(addedTokenJSON)),
            "normalizer": normalizesNFC ? ["type": "NFC"] : .null,
            "pre_tokenizer": storage.preTokenizer.json,
            "post_processor": postProcessorJSON,
            "decoder": isWords
                ? ["type": "Fuse"]
                : [
                    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false,
                    "use_regex": false,
                ],
            "model": [
                "type": "BPE",
                "dropout": .null,
                "unk_token": .null,
                "continuing_subword_prefix": .null,
                "end_of_word_suffix": .null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": .bool(storage.encoder.ignoresMerges),
                "vocab": vocabularyJSON,
                "merges": mergesJSON,
            ],
        ]
    }

    /// The tokenizer_config.json that belongs beside `toJSON()`: roles of tokens, chat template.
    public var configurationJSON: JSON {
        var members: [(key: String, value: JSON)] = [
            ("tokenizer_class", "PreTrainedTokenizerFast"),
            ("add_bos_token", .bool(addsBOS)),
            ("clean_up_tokenization_spaces", false),
        ]
        let roles = [
            ("bos_token", bosID), ("eos_token", eosID), ("pad_token", padID),
            ("eot_token", storage.roles.otherEndOfTurn),
        ]
        for (key, id) in roles { if let id { members.append((key, .string(content(id)))) } }
        if let chatTemplate { members.append(("chat_template", .string(chatTemplate))) }
        return .object(JSONObject(members))
    }

    /// Makes sure that the tokenizer is the same when it is written and read again.
    ///
    /// - Parameter path: The model that it belongs to, for messages.
    /// - Throws: `Failure.badData` saying why it is not.
    public func checkReadsBack(of path: String) throws {
        func refuse(_ reason: String) -> Failure {
            Failure(
                .badData,
                file: path,
                at: "tokenizer",
                "cannot be saved with a model: \(reason)",
                remedy: "Use the tokenizer that was published with the model."
            )
        }
        let (text, configuration) = (toJSON(), configurationJSON)
        let again: Tokenizer
        do { again = try Tokenizer(json: text, configuration: configuration) } catch {
            throw refuse("written as tokenizer.json it is refused: \(error)")
        }
        guard again.toJSON() == text, again.configurationJSON.compact == configuration.compact,
            again.endOfTurnIDs == endOfTurnIDs, again.padID == padID
        else { throw refuse("written as tokenizer.json and read again it is another") }
    }

    private func content(_ id: Int32) -> String {
        storage.vocabulary.kinds[Int(id)] == .normal
            ? ByteAlphabet.spelling(of: tokenBytes(id)) : text(of: [id], skipSpecial: false)
    }

    private func addedTokenJSON(_ token: Vocabulary.Token) -> JSON {
        [
            "id": .integer(token.id),
            "content": .string(content(Int32(token.id))),
            "single_word": false,
            "lstrip": false,
            "rstrip": false,
            "normalized": .bool(token.isNormalized),
            "special": .bool(token.kind == .special),
        ]
    }

    private var postProcessorJSON: JSON {
        guard addsBOS, let bosID else { return .null }
        let name = JSON.string(content(bosID))
        func sequence(_ id: String, _ type: Int) -> JSON {
            ["Sequence": ["id": .string(id), "type_id": .integer(type)]]
        }
        func begin(_ type: Int) -> JSON {
            ["SpecialToken": ["id": name, "type_id": .integer(type)]]
        }
        return [
            "type": "TemplateProcessing",
            "single": [begin(0), sequence("A", 0)],
            "pair": [begin(0), sequence("A", 0), begin(1), sequence("B", 1)],
            "special_tokens": .object(
                JSONObject([
                    (
                        content(bosID),
                        ["id": name, "ids": [.integer(Int(bosID))], "tokens": [name]]
                    )
                ])
            ),
        ]
    }

    private var vocabularyJSON: JSON {
        let vocabulary = storage.vocabulary
        var members: [(key: String, value: JSON)] = []
        members.reserveCapacity(vocabulary.count)
        for (id, kind) in vocabulary.kinds.enumerated() {
            let isListed = kind == .normal || (kind != .absent && !vocabulary.addedFollowNormal)
            if isListed { members.append((content(Int32(id)), .integer(id))) }
        }
        return .object(JSONObject(members))
    }

    private var mergesJSON: JSON {
        .array(
            storage.mergeList.map { merge in
                let sides = [merge.left, merge.right].map {
                    ByteAlphabet.spelling(of: storage.vocabulary.spellings[Int($0)])
                }
                return .string(sides.joined(separator: " "))
            }
        )
    }
}
