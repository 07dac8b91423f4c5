import Basics
import Checkpoints
import Foundation
import Kernels
import Models
import TestSupport
import Tokenizers

/// A model of a few thousand random weights with a vocabulary of all bytes, in every form on disk.
enum TinyModel {
    static let merges = [("t", "h"), ("th", "e"), ("Ġ", "a"), ("1", "2"), ("Ġ", "t")]
    static let special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

    /// The spellings of the bytes in order, then of the merges.
    static var spellings: [String] {
        // The byte alphabet, by what a tokenizer of single bytes would say of each.
        let visible = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        var next: UInt32 = 0x100
        let bytes = (0..<256).map { byte -> String in
            if visible.contains(byte) { return String(UnicodeScalar(UInt8(byte))) }
            defer { next += 1 }
            return String(UnicodeScalar(next).map(Character.init) ?? " ")
        }
        return bytes + merges.map { $0.0 + $0.1 }
    }

    /// A tokenizer.json.
    static var tokenizerJSON: JSON {
        let vocabulary = spellings.enumerated().map { (key: $1, value: JSON.integer($0)) }
        let added = special.enumerated().map { index, text -> JSON in
            [
                "id": .integer(vocabulary.count + index), "content": .string(text),
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
                "special": true,
            ]
        }
        return [
            "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(added),
            "normalizer": .null,
            "pre_tokenizer": [
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                "use_regex": true,
            ],
            "post_processor": .null, "decoder": ["type": "ByteLevel"],
            "model": [
                "type": "BPE", "dropout": .null, "unk_token": .null,
                "continuing_subword_prefix": .null,
                "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false,
                "ignore_merges": false, "vocab": .object(JSONObject(vocabulary)),
                "merges": .array(merges.map { .string("\($0.0) \($0.1)") }),
            ],
        ]
    }

    /// The model of a family.
    static func model(_ family: ModelConfiguration.Family) throws -> LanguageModel {
        let tokenizer = try Tokenizer(json: tokenizerJSON)
        let configuration = ModelConfiguration(
            family: family,
            vocabularySize: tokenizer.vocabularySize,
            hiddenSize: 8,
            intermediateSize: 16,
            layerCount: 2,
            queryHeadCount: 2,
            keyValueHeadCount: 1,
            headDimension: 4,
            maximumPositions: 64,
            tiesWordEmbeddings: family != .qwen2,
            endOfTextIDs: [tokenizer.vocabularySize - 1]
        )
        let weights = RandomWeights<Float>(seed: 3, layerCount: 2, standardDeviation: 0.5)
        return LanguageModel(
            name: "tiny",
            transformer: try Transformer(configuration, weights: weights),
            tokenizer: tokenizer
        )
    }

    /// Writes a model as a Hugging Face folder.
    static func writeFolder(_ family: ModelConfiguration.Family, to folder: String) throws {
        let model = try model(family)
        try HuggingFaceExport(
            tensors: model.checkpointTensors,
            configuration: model.configuration.json,
            tokenizer: model.tokenizer.toJSON(),
            tokenizerConfiguration: model.tokenizer.configurationJSON
        ).write(to: folder)
    }

    /// A checkpoint with moments and all texts.
    static func checkpoint(_ storage: NamedTensor.Storage) throws -> CheckpointContent {
        let model = try model(.qwen3)
        func stored(_ tensor: NamedTensor) -> NamedTensor {
            NamedTensor(
                name: tensor.name,
                shape: tensor.shape,
                storage: storage,
                load: tensor.load
            )
        }
        return CheckpointContent(
            tensors: model.checkpointTensors.map(stored),
            firstMoments: model.checkpointTensors.prefix(3).map(stored),
            secondMoments: model.checkpointTensors.prefix(3).map(stored),
            state: ["step": 3, "epoch": 1, "cursor": 1, "seed": 7],
            configuration: model.configuration.json,
            tokenizer: model.tokenizer.toJSON(),
            metadata: ["tokenizer_config": model.tokenizer.configurationJSON]
        )
    }

    /// Does with a model what decoding, scoring and training begin with.
    ///
    /// - Throws: `FuzzFault`; `Failure` for texts that the vocabulary cannot spell.
    static func use(_ model: LanguageModel, _ random: inout SplitMix) throws {
        let count = min(model.vocabularySize, model.configuration.vocabularySize)
        guard count > 0 else { throw FuzzFault("a model without tokens was loaded") }
        let ids = [0, count / 2, count - 1, random.below(count)].map { Int32($0) }
        let rows = [model.transformer.logits(TokenBatch([ids]), wanted: [3])]
        let cached = TokenBatch([ids], caches: [model.makeCache()])
        let again = [model.transformer.logits(cached, wanted: [3])]
        guard rows[0].count == model.configuration.vocabularySize, again[0].count == rows[0].count
        else { throw FuzzFault("\(rows[0].count) logits for \(count) tokens") }
        try use(model.tokenizer)
    }

    /// Texts that are spelled with every tokenizer.
    static let texts = [
        "", "the 12 a\n", "naïve 数学 👩‍👩‍👧", "<|im_end|> th", "  \t\r\n 1+1=2", "\u{0}\u{7F}e\u{301}",
    ]

    /// Encodes and decodes; exports and reads back.
    ///
    /// - Throws: `FuzzFault` when another text comes out, or another tokenizer.
    static func use(_ tokenizer: Tokenizer) throws {
        var spelled: [[Int32]] = []
        for text in texts {
            do {
                let ids = try tokenizer.encode(text, specialTokens: .asText)
                spelled.append(ids)
                let bytes = tokenizer.decode(ids, skipSpecial: false)
                // A normaliser may change other texts.
                if text.utf8.allSatisfy({ $0 < 0x80 }), bytes != Array(text.utf8) {
                    throw FuzzFault(
                        "'\(text)' comes back as '\(String(decoding: bytes, as: UTF8.self))'"
                    )
                }
                _ = try tokenizer.encode(text, specialTokens: .parse)
            } catch is Failure { spelled.append([-1]) }
        }
        let json = tokenizer.toJSON()
        let read: Tokenizer
        do {
            read = try Tokenizer(json: json, configuration: tokenizer.configurationJSON)
        } catch let failure as Failure {
            throw FuzzFault("the exported tokenizer cannot be read: \(failure)")
        }
        guard read.hasSameVocabulary(as: tokenizer) else {
            throw FuzzFault("the exported tokenizer has another vocabulary")
        }
        for (text, ids) in zip(texts, spelled) {
            let again = (try? read.encode(text, specialTokens: .asText)) ?? [-1]
            if again != ids { throw FuzzFault("the exported tokenizer spells '\(text)' otherwise") }
        }
    }
}

/// The random numbers that keep a tiny GGUF file's weights small: bytes below 0x30.
extension SplitMix {
    mutating func smallBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(below(0x30)) }
    }
}
