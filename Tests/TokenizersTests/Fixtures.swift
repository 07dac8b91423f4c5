import Basics
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// The committed vocabularies and the reference's ids; Tools/tokenizer_fixtures.py makes them.
enum Fixtures {
    static let names = ["gpt-2", "qwen2", "llama-bpe", "smollm"]

    struct Case: Sendable {
        let name: String
        let text: String
    }

    static func json(_ name: String) throws -> JSON {
        let folder = try #require(Bundle.module.resourceURL)
        return try TextFile.readJSON(
            folder.appending(path: "Fixtures/\(name).json").path(percentEncoded: false)
        )
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(json: json(name))
    }

    static func cases() throws -> [Case] {
        try json("cases").array("cases").map {
            try Case(name: $0.string("name"), text: $0.string("text"))
        }
    }

    /// Each case with the ids expected of a vocabulary.
    static func expected(
        _ name: String,
        _ specialTokens: SpecialTokens
    ) throws -> [(Case, [Int32])] {
        let ids = try json("cases").require("ids", "an object") { $0[name] }
            .array(specialTokens == .parse ? "parse" : "asText")
        return try zip(cases(), ids).map { ($0, ($1.array ?? []).map { Int32($0.integer ?? -1) }) }
    }

    /// The same vocabulary in the form of GGUF metadata.
    static func gguf(_ name: String) throws -> GGUFVocabulary {
        let file = try json(name)
        let model = try file.require("model", "an object") { $0 }
        let members = try model.require("vocab", "an object", \.object).members
        let added = try file.array("added_tokens")
        let count = 1 + (members.compactMap(\.value.integer).max() ?? 0)
        var tokens = [[UInt8]](repeating: [], count: count)
        var types = [Int](repeating: 1, count: count)
        for member in members {
            tokens[member.value.integer ?? -1] = Array(member.key.utf8)
        }
        for token in added {
            let id = try token.integer("id")
            while tokens.count <= id {
                tokens.append([])
                types.append(5)
            }
            tokens[id] = Array(try token.string("content").utf8)
            types[id] = try token.bool("special") ? 3 : 4
        }
        // Rows that only pad the output layer, as published files have them.
        tokens += (0..<3).map { Array("[PAD\($0)]".utf8) }
        types += [5, 5, 5]
        let merges = try model.array("merges").map { item in
            let sides = (item.array ?? []).compactMap(\.string).map { Array($0.utf8) }
            return (left: sides[0], right: sides[1])
        }
        return GGUFVocabulary(tokens: tokens, types: types, merges: merges, pre: name)
    }
}

/// The generator that all tests share, for files that do not import it.
typealias SplitMix = TestSupport.SplitMix
