import Basics
import Foundation
import Testing

@testable import Tokenizers

/// Whatever vocabulary is accepted can be written and read again, as the same.
@Suite struct ReadBackTests {
    /// One token a byte, two merged ones, and some special and added ones.
    static let small: GGUFVocabulary = {
        func spelled(_ text: String) -> [UInt8] {
            Array(ByteAlphabet.spelling(of: text.utf8).utf8)
        }
        let bytes = (0..<256).map { Array(ByteAlphabet.spelling(of: [UInt8($0)]).utf8) }
        return GGUFVocabulary(
            tokens: bytes + [spelled("ab"), spelled(" a")]
                + ["<|im_start|>", "<|im_end|>", "<tool>", "[PAD]"].map { Array($0.utf8) },
            types: Array(repeating: 1, count: 258) + [3, 3, 4, 5],
            merges: [(spelled("a"), spelled("b")), (spelled(" "), spelled("a"))],
            pre: "gpt-2",
            eosID: 259
        )
    }()

    static func raw(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// What is changed in the vocabulary, and the token and reason that a refusal must name.
    static let refused:
        [(name: String, change: @Sendable (inout GGUFVocabulary) -> Void, parts: [String])] = [
            (
                "two tokens of one spelling", { $0.tokens[257] = $0.tokens[256] },
                ["token 257", "\"ab\"", "as token 256 is"]
            ),
            // "é" outside the byte alphabet stands for itself, and so for the same two bytes.
            (
                "one spelling in two alphabets",
                {
                    $0.tokens[256] = raw("日")
                    $0.tokens[257] = raw(ByteAlphabet.spelling(of: "日".utf8))
                    $0.merges = []
                }, ["token 257", "as token 256 is"]
            ),
            ("an empty token", { $0.tokens[256] = [] }, ["token 256", "is empty"]),
            ("an empty special token", { $0.tokens[258] = [] }, ["token 258", "is empty"]),
            ("an empty added token", { $0.tokens[260] = [] }, ["token 260", "is empty"]),
            (
                "an added token like a letter of the alphabet", { $0.tokens[260] = raw("Ġ") },
                ["token 260", "\"Ġ\"", "spells token 32"]
            ),
            (
                "a special token like a normal one", { $0.tokens[258] = raw("ab") },
                ["token 258", "\"ab\"", "spells token 256"]
            ),
            (
                "two special tokens of one spelling", { $0.tokens[258] = $0.tokens[259] },
                ["token 259", "as token 258 is"]
            ),
            (
                "a special token of a raw byte", { $0.tokens[258] = [0xFF] },
                ["token 258", "ff", "not UTF-8"]
            ),
            (
                "an added token with half a character", { $0.tokens[260] = [0x61, 0xE6, 0x97] },
                ["token 260", "61 e6 97", "not UTF-8"]
            ),
            (
                "a special token with a control character",
                {
                    $0.tokens[258] = $0.tokens[259] + [9]
                    $0.tokens[259] = $0.tokens[258]
                }, ["\"<|im_end|>\\t\""]
            ),
        ]

    @Test(arguments: refused.indices) func whatCannotBeReadAgainIsRefused(_ index: Int) {
        let item = Self.refused[index]
        var vocabulary = Self.small
        item.change(&vocabulary)
        let failure = #expect(throws: Failure.self) { try Tokenizer(gguf: vocabulary) }
        #expect(failure?.kind.exitCode == 65)
        for part in item.parts {
            #expect(failure?.description.contains(part) == true, "\(item.name): \(failure as Any)")
        }
    }

    /// What looks odd, and is kept.
    static let kept: [(name: String, change: @Sendable (inout GGUFVocabulary) -> Void)] = [
        ("nothing", { _ in }),
        (
            "a normal token of a raw byte, its letter missing",
            {
                $0.types[0xFF] = 5
                $0.tokens[256] = [0xFF]
                $0.merges = []
            }
        ),
        // As DeepSeek has them: letters of bytes that no UTF-8 text holds, as added tokens.
        (
            "an added token like a letter that no token has",
            {
                $0.types[0xFA] = 5
                $0.tokens[260] = raw("ú")
            }
        ),
        (
            "an added token among the normal ones",
            {
                $0.types[40] = 4
                $0.tokens[40] = raw("<odd>")
            }
        ),
        (
            "canonically equivalent added tokens",
            {
                $0.tokens[258] = raw("\u{E9}")
                $0.types[0xE9] = 5
                $0.tokens[260] = raw("e\u{301}")
            }
        ),
        ("line breaks, escapes and quotes", { $0.tokens[258] = raw("\n\u{1B}[31m\"\\\u{2028}\0") }),
        ("a space as the end of a text", { $0.eosID = 32 }),
        (
            "a letter beyond ASCII as the beginning",
            {
                $0.bosID = 0xE9
                $0.addBOS = true
            }
        ),
        ("an end of turn of no known name", { $0.eotID = 260 }),
        ("a pad that is unused", { $0.padID = 261 }),
        (
            "only ends, and no token of id 0",
            {
                $0.types = [5] + Array(repeating: 3, count: 261)
                $0.tokens = (0..<262).map { raw("<\($0)>") }
                $0.merges = []
            }
        ),
        ("no special token", { $0.types[258...259] = [1, 1] }),
    ]

    @Test(arguments: kept.indices) func whatIsKeptReadsBack(_ index: Int) throws {
        let item = Self.kept[index]
        var vocabulary = Self.small
        item.change(&vocabulary)
        try Self.checkReadsBack(vocabulary, item.name)
    }

    /// Writes the tokenizer, reads it again, and compares ids and roles.
    static func checkReadsBack(_ vocabulary: GGUFVocabulary, _ name: String) throws {
        let tokenizer = try Tokenizer(gguf: vocabulary)
        try tokenizer.checkReadsBack(of: name)
        let again = try Tokenizer(
            json: tokenizer.toJSON(),
            configuration: tokenizer.configurationJSON
        )
        #expect(again.vocabularySize == tokenizer.vocabularySize, "\(name)")
        for id in 0..<Int32(tokenizer.vocabularySize) {
            #expect(again.tokenBytes(id) == tokenizer.tokenBytes(id), "\(name), token \(id)")
            #expect(again.isSpecial(id) == tokenizer.isSpecial(id), "\(name), token \(id)")
        }
        for text in ["abba a <tool>é日\n<|im_end|> ab", "\u{7F}<odd>ú ÿ e\u{301}\u{E9}"] {
            for special in [SpecialTokens.parse, .asText] {
                let ids = try? tokenizer.encode(text, specialTokens: special)
                #expect((try? again.encode(text, specialTokens: special)) == ids, "\(name)")
            }
        }
        #expect(again.bosID == tokenizer.bosID && again.addsBOS == tokenizer.addsBOS, "\(name)")
        #expect(again.eosID == tokenizer.eosID && again.padID == tokenizer.padID, "\(name)")
        #expect(again.endOfTurnIDs == tokenizer.endOfTurnIDs, "\(name)")
    }

    /// The rule that the tables above are cases of, on vocabularies changed at random.
    @Test func changedVocabulariesAreRefusedOrReadBack() throws {
        var random = SplitMix(state: 7)
        let pieces = ["", "Ġ", "é", "a", "ab", "\u{301}", "<|im_end|>", "日", "[PAD]", "\"", "\n"]
        var kept = 0
        for trial in 0..<3000 {
            var vocabulary = Self.small
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let id = Int.random(in: 0..<vocabulary.tokens.count, using: &random)
                switch Int.random(in: 0..<7, using: &random) {
                case 0: vocabulary.types[id] = Int.random(in: 1...5, using: &random)
                case 1:
                    vocabulary.tokens[id] = (0..<Int.random(in: 0...2, using: &random)).flatMap {
                        _ in
                        Self.raw(pieces.randomElement(using: &random) ?? "")
                    }
                case 2: vocabulary.tokens[id] = [UInt8.random(in: .min ... .max, using: &random)]
                case 3: vocabulary.tokens.swapAt(id, (id + 256) % vocabulary.tokens.count)
                case 4: vocabulary.merges.removeAll { _ in Bool.random(using: &random) }
                case 5: vocabulary.eosID = id
                default: (vocabulary.bosID, vocabulary.padID, vocabulary.eotID) = (id, id / 2, id)
                }
            }
            guard (try? Tokenizer(gguf: vocabulary)) != nil else { continue }
            kept += 1
            try Self.checkReadsBack(vocabulary, "trial \(trial)")
        }
        #expect(kept > 300, "\(kept) of 3000 were accepted")
    }

    /// Spellings chosen to meet in one slot of a known hash are strewn by ours, which is not known
    /// before the program runs.
    @Test func spellingsThatCollideInAKnownHashAreStrewn() {
        let count = 512
        // FNV-1a, its bits stirred, in a table of four slots an entry.
        func slot(_ bytes: [UInt8]) -> Int {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            hash = (hash ^ hash >> 29) &* 0xBF58_476D_1CE4_E5B9
            return Int(truncatingIfNeeded: hash >> 20) & (4 * count - 1)
        }
        var table = SpellingTable(capacity: 2 * count)
        var (number, found) = (UInt32(0), 0)
        while found < count {
            let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
            number += 1
            guard slot(bytes) == 77 else { continue }
            #expect(table.publish(table.append(bytes)) == nil)
            found += 1
        }
        #expect(table.longestRun < 40, "\(table.longestRun) of \(count) in a row")
    }
}
