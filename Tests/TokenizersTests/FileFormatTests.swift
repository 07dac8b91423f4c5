import Basics
import Foundation
import Testing

@testable import Tokenizers

@Suite struct FileFormatTests {
    @Test(arguments: Fixtures.names) func writtenAndReadAgain(_ name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let again = try Tokenizer(
            json: tokenizer.toJSON(),
            configuration: tokenizer.configurationJSON
        )
        for (item, ids) in try Fixtures.expected(name, .parse) {
            #expect(try again.encode(item.text, specialTokens: .parse) == ids, "\(item.name)")
        }
        #expect(again.json.compact == tokenizer.json.compact)
        #expect(again.configurationJSON.compact == tokenizer.configurationJSON.compact)
        #expect(again.endOfTurnIDs == tokenizer.endOfTurnIDs && again.padID == tokenizer.padID)
    }

    @Test func rolesAreDeclaredOrRecognised() throws {
        let named = try Fixtures.tokenizer("qwen2")
        let end = try #require(named.id(of: "<|im_end|>"))
        let text = try #require(named.id(of: "<|endoftext|>"))
        #expect(named.eosID == end && named.endOfTurnIDs == [end, text])
        #expect(named.padID == named.id(of: "<|fim_pad|>") && named.bosID == nil)

        let declared = try Tokenizer(
            json: Fixtures.json("qwen2"),
            configuration: [
                "bos_token": "<|endoftext|>", "eos_token": ["content": "<|im_end|>"],
                "pad_token": "<|im_end|>", "add_bos_token": true, "chat_template": "{{ x }}",
            ]
        )
        #expect(declared.eosID == end && declared.bosID == text && declared.addsBOS)
        #expect(declared.padID == named.padID, "a pad that ends turns is not taken")
        #expect(declared.chatTemplate == "{{ x }}")
        let several = try Tokenizer(
            json: Fixtures.json("qwen2"),
            configuration: [
                "chat_template": [
                    ["name": "tool_use", "template": "{{ t }}"],
                    ["name": "default", "template": "{{ d }}"],
                ]
            ]
        )
        #expect(several.chatTemplate == "{{ d }}")
        // Written and read again it is the same.
        let again = try Tokenizer(json: several.toJSON(), configuration: several.configurationJSON)
        #expect(again.chatTemplate == "{{ d }}")

        #expect(try Fixtures.tokenizer("llama-bpe").addsBOS)
        var llama = try Fixtures.gguf("llama-bpe")
        llama.bosID = Int(try Tokenizer(gguf: llama).id(of: "<|im_start|>") ?? -1)
        #expect(try llama.addBOS == nil && Tokenizer(gguf: llama).addsBOS)
        llama.addBOS = false
        #expect(try !Tokenizer(gguf: llama).addsBOS)
        #expect(try !Tokenizer(gguf: Fixtures.gguf("smollm")).addsBOS)
        var gguf = try Fixtures.gguf("smollm")
        gguf.eosID = Int(try Tokenizer(gguf: gguf).id(of: "<|im_start|>") ?? -1)
        gguf.padID = gguf.eosID
        let odd = try Tokenizer(gguf: gguf)
        #expect(odd.eosID == odd.id(of: "<|im_start|>") && odd.endOfTurnIDs.count == 3)
        #expect(!odd.endOfTurnIDs.contains(odd.padID))
    }

    @Test func idsOutsideTheVocabularyAreNothing() throws {
        let tokenizer = try Tokenizer(gguf: Fixtures.gguf("gpt-2"))
        let size = Int32(tokenizer.vocabularySize)
        #expect(tokenizer.id(of: "[PAD0]") == nil)
        #expect(tokenizer.decode([-1, size, .max], skipSpecial: false).isEmpty)
        #expect(tokenizer.tokenBytes(size).isEmpty && !tokenizer.isSpecial(-1))
        let end = try #require(tokenizer.id(of: "<|im_end|>"))
        let ids = try tokenizer.encode("é<|im_end|>", specialTokens: .parse)
        #expect(ids.last == end && tokenizer.isSpecial(end))
        #expect(tokenizer.text(of: ids, skipSpecial: true) == "é")
        #expect(tokenizer.text(of: ids, skipSpecial: false) == "é<|im_end|>")
        let half = try tokenizer.encode([0xF0, 0x9F, 0x61], specialTokens: .asText)
        #expect(tokenizer.text(of: half, skipSpecial: false) == "\u{FFFD}a")
    }

    /// A change to a good file, and what its refusal must say.
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let message: [String]
        let change: @Sendable (inout JSONObject) -> Void

        /// Sets a member of the model.
        static func model(_ key: String, _ value: JSON, _ message: String...) -> Damage {
            Damage(testDescription: "model.\(key)", message: message) { file in
                var model = file["model"]?.object ?? JSONObject()
                model[key] = value
                file["model"] = .object(model)
            }
        }

        /// Sets or removes a member of the file.
        static func file(_ key: String, _ value: JSON?, _ message: String...) -> Damage {
            Damage(testDescription: key, message: message) { $0[key] = value }
        }
    }

    static let damages: [Damage] = [
        .file("model", nil, "'model'", "missing"),
        .file("model", 3, "'model'", "found an integer"),
        .model("type", "Unigram", "'model.type'", "Unigram", "byte-level BPE"),
        .model("type", "WordPiece", "WordPiece"),
        .model("byte_fallback", true, "'model.byte_fallback'", "SentencePiece"),
        .model("dropout", 0.1, "'model.dropout'"),
        .model("end_of_word_suffix", "</w>", "'model.end_of_word_suffix'"),
        .model("vocab", [], "'vocab'", "found a list; expected an object"),
        .model("vocab", ["a": -1], "'model.vocab', 'a'", "found -1"),
        .model("vocab", ["a": 9_000_000_000], "found 9000000000", "below"),
        .model("vocab", ["a": "x"], "'model.vocab', 'a'", "missing"),
        .model("vocab", ["a": 1, "b": 1], "id 1 is given to two tokens"),
        .model("vocab", ["a": 1], "merge 0", "is not in the vocabulary"),
        .model("merges", ["ab"], "merge 0", "a space between"),
        .model("merges", ["a b", "日 b"], "merge 1", "stands for no byte"),
        .model("merges", [["a"]], "'model.merges'", "found a list"),
        .file("added_tokens", 1, "'added_tokens'", "expected a list"),
        .file("added_tokens", [["id": 1]], "'added_tokens[0]'", "'content'"),
        .file("added_tokens", [["content": "x"]], "'added_tokens[0]'", "missing"),
        .file(
            "added_tokens",
            [["id": 1, "content": "x", "lstrip": true]],
            "lstrip is not supported"
        ),
        .file(
            "added_tokens",
            [["id": 1, "content": "<x>"]],
            "id 1 is also that of the added token '<x>'"
        ),
        .file(
            "added_tokens",
            [["id": 5000, "content": "<x>"], ["id": 5000, "content": "<y>"]],
            "id 5000 is given to two added tokens"
        ),
        .file("normalizer", ["type": "Lowercase"], "'normalizer'", "Lowercase", "NFC"),
        .file("decoder", ["type": "WordPiece"], "'decoder'", "WordPiece"),
        .file("pre_tokenizer", .null, "'pre_tokenizer'", "missing"),
        .file("pre_tokenizer", ["type": "Whitespace"], "Whitespace: this type"),
        .file(
            "pre_tokenizer",
            ["type": "ByteLevel", "add_prefix_space": true],
            "add_prefix_space"
        ),
        .file(
            "pre_tokenizer",
            [
                "type": "Split", "pattern": ["Regex": "[a-z]+"], "behavior": "Isolated",
                "invert": false,
            ],
            "unknown pre-tokenizer [Split [a-z]+]",
            "GPT-2, Qwen2, Llama 3 and SmolLM"
        ),
        .file(
            "pre_tokenizer",
            ["type": "Split", "pattern": ["Regex": "x"], "behavior": "Removed"],
            "another behavior"
        ),
        .file("pre_tokenizer", ["type": "Digits", "individual_digits": false], "digits together"),
    ]

    @Test(arguments: damages) func whatIsNotSupportedIsRefused(_ damage: Damage) throws {
        var file = try #require(try Fixtures.json("gpt-2").object)
        damage.change(&file)
        let failure = #expect(throws: Failure.self) { _ = try Tokenizer(json: .object(file)) }
        for part in damage.message {
            #expect(failure?.description.contains(part) == true, "\(failure?.description ?? "")")
        }
    }

    @Test func aConfigurationMustNameTokens() throws {
        let failure = #expect(throws: Failure.self) {
            try Tokenizer(json: Fixtures.json("gpt-2"), configuration: ["eos_token": "<nope>"])
        }
        #expect(failure?.description.contains("'eos_token': '<nope>' is not a token") == true)
    }

    @Test func damagedGGUFVocabulariesAreRefused() throws {
        func refusal(_ change: (inout GGUFVocabulary) -> Void) throws -> String {
            var vocabulary = try Fixtures.gguf("gpt-2")
            change(&vocabulary)
            let failure = #expect(throws: Failure.self) { _ = try Tokenizer(gguf: vocabulary) }
            return failure?.description ?? ""
        }
        #expect(try refusal { $0.types.removeLast() }.contains("one a token"))
        #expect(try refusal { $0.types[3] = 6 }.contains("token_type[3]"))
        #expect(try refusal { $0.eosID = 1 << 40 }.contains("'tokenizer.ggml.eos_token_id'"))
        #expect(try refusal { $0.merges.append(([0x61], [0x20])) }.contains("stands for no byte"))
        #expect(try refusal { $0.merges[0].left = [0x61, 0x62, 0x63] }.contains("merge 0"))
        #expect(try refusal { $0.model = "llama" }.contains("'llama' is not implemented"))
        let unknown = try refusal { $0.pre = "default" }
        for part in ["'default'", "gpt-2", "qwen2", "llama-bpe", "smollm", "starcoder"] {
            #expect(unknown.contains(part), "\(unknown)")
        }
    }
}

@Suite struct WordVocabularyTests {
    static let words = ["7", "-", "5", "=", "12", "1", "2", " ", "gives", "give", "é", "\n", "ß$"]

    @Test func theLongestWordWins() throws {
        let tokenizer = try Tokenizer(words: WordVocabularyTests.words, endOfTurn: "$")
        #expect(tokenizer.vocabularySize == 15)
        #expect(tokenizer.eosID == 13 && tokenizer.endOfTurnIDs == [13] && tokenizer.padID == 14)
        let text = "7-5=2 12 gives é\n1ß$"
        let ids = try tokenizer.encode(text, specialTokens: .asText)
        #expect(ids == [0, 1, 2, 3, 6, 7, 4, 7, 8, 7, 10, 11, 5, 12])
        #expect(tokenizer.text(of: ids, skipSpecial: true) == text)
        #expect(try tokenizer.encode("7$", specialTokens: .parse) == [0, 13])
        #expect(try tokenizer.encode("", specialTokens: .parse) == [])
    }

    @Test func whatNoWordCoversIsRefused() throws {
        let tokenizer = try Tokenizer(words: WordVocabularyTests.words, endOfTurn: "$")
        let cases = [
            ("7+5", 1, "+5"), ("giv", 0, "giv"), ("7$", 1, "$"), ("e\u{301}", 0, "e\u{301}"),
        ]
        for (text, place, excerpt) in cases {
            let failure = #expect(throws: Failure.self) {
                try tokenizer.encode(text, specialTokens: .asText)
            }
            let message = failure?.description ?? ""
            #expect(message.contains("byte \(place) of the text"), "\(message)")
            #expect(message.contains(excerpt.debugDescription), "\(message)")
        }
    }

    @Test func survivesTokenizerJSON() throws {
        let tokenizer = try Tokenizer(words: WordVocabularyTests.words, endOfTurn: "$")
        for configuration in [nil, tokenizer.configurationJSON] {
            let again = try Tokenizer(json: tokenizer.toJSON(), configuration: configuration)
            #expect(try again.encode("7-5=2$", specialTokens: .parse) == [0, 1, 2, 3, 6, 13])
            #expect(again.eosID == 13 && again.padID == 14 && again.endOfTurnIDs == [13])
        }
    }

    @Test(arguments: [["a", "a"], ["a", ""], ["a", "$"], ["<|pad|>"]])
    func wordsMustDiffer(_ words: [String]) {
        #expect(throws: Failure.self) { _ = try Tokenizer(words: words, endOfTurn: "$") }
    }
}
