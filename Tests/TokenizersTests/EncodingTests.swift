import Basics
import Foundation
import Testing

@testable import Tokenizers

@Suite struct EncodingTests {
    @Test(arguments: Fixtures.names, [SpecialTokens.parse, .asText])
    func idsEqualTheReference(_ name: String, _ specialTokens: SpecialTokens) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let expected = try Fixtures.expected(name, specialTokens)
        #expect(expected.count > 50)
        for (item, ids) in expected {
            let found = try tokenizer.encode(item.text, specialTokens: specialTokens)
            #expect(found == ids, "\(name), \(item.name)")
        }
    }

    /// A GGUF file does not ask for normalisation, so texts that form C changes are left out.
    @Test(arguments: Fixtures.names)
    func ggufGivesTheSameIDs(_ name: String) throws {
        let tokenizer = try Tokenizer(gguf: Fixtures.gguf(name))
        #expect(!tokenizer.normalizesNFC)
        #expect(tokenizer.vocabularySize == (try Fixtures.tokenizer(name)).vocabularySize)
        for (item, ids) in try Fixtures.expected(name, .parse) {
            let bytes = Array(item.text.utf8)
            guard Normalization.composed(bytes, 0..<bytes.count) == bytes else { continue }
            #expect(try tokenizer.encode(item.text, specialTokens: .parse) == ids, "\(item.name)")
        }
    }

    @Test(arguments: Fixtures.names) func decodingRestoresBytes(_ name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let unnormalized = try Tokenizer(gguf: Fixtures.gguf(name))
        for item in try Fixtures.cases() {
            let bytes = Array(item.text.utf8)
            let composed = Array(item.text.precomposedStringWithCanonicalMapping.utf8)
            for mode in [SpecialTokens.parse, .asText] {
                let ids = try tokenizer.encode(bytes, specialTokens: mode)
                #expect(
                    tokenizer.decode(ids, skipSpecial: false)
                        == (tokenizer.normalizesNFC ? composed : bytes),
                    "\(item.name)"
                )
                let raw = try unnormalized.encode(bytes, specialTokens: mode)
                #expect(unnormalized.decode(raw, skipSpecial: false) == bytes, "\(item.name)")
            }
        }
    }

    @Test func normalizationIsTheFiles() throws {
        #expect(try Fixtures.tokenizer("qwen2").normalizesNFC)
        #expect(try !Fixtures.tokenizer("gpt-2").normalizesNFC)
        let invalid: [UInt8] = [0x65, 0xCC, 0x81, 0xFF, 0x65, 0xCC, 0x81]
        #expect(
            Normalization.composed(invalid, 0..<7) == [0xC3, 0xA9, 0xFF, 0xC3, 0xA9]
        )
    }

    static let notUTF8: [[UInt8]] = [
        [0xFF], [0x61, 0x80, 0x62], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC0, 0xAF],
        [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x20, 0xFE, 0x20, 0x31, 0x0A, 0xC3],
        Array("<|im_end|>".utf8) + [0xE2] + Array("<|im_end|>".utf8),
    ]

    @Test(arguments: Fixtures.names) func anyBytesSurvive(_ name: String) throws {
        let tokenizer = try Tokenizer(gguf: Fixtures.gguf(name))
        var generator = SplitMix(state: 7)
        let random = (0..<300).map { _ in
            (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                // Mostly what pre-tokenizers look at: space, newline, digit, letter, quote.
                [
                    0x20, 0x0A, 0x31, 0x61, 0x27, 0xC2, 0xA0,
                    UInt8.random(in: 0...255, using: &generator),
                ]
                .randomElement(using: &generator) ?? 0
            }
        }
        for bytes in EncodingTests.notUTF8 + random {
            let ids = try tokenizer.encode(bytes, specialTokens: .parse)
            #expect(tokenizer.decode(ids, skipSpecial: false) == bytes, "\(bytes)")
        }
    }

    @Test func piecesMetBeforeGiveTheSameIDs() throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let text = try Fixtures.cases().map(\.text).joined(separator: "\n")
        let first = try tokenizer.encode(text, specialTokens: .asText)
        #expect(try tokenizer.encode(text, specialTokens: .asText) == first)
        #expect(try Fixtures.tokenizer("qwen2").encode(text, specialTokens: .asText) == first)
    }

    @Test func threadsShareATokenizer() async throws {
        let tokenizer = try Fixtures.tokenizer("llama-bpe")
        let texts = try Fixtures.cases().map(\.text)
        let alone = try texts.map { try tokenizer.encode($0, specialTokens: .parse) }
        try await withThrowingTaskGroup(of: [[Int32]].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try texts.map { try tokenizer.encode($0, specialTokens: .parse) }
                }
            }
            for try await ids in group { #expect(ids == alone) }
        }
    }

    @Test func aByteWithoutTokenIsRefused() throws {
        var vocabulary = try Fixtures.gguf("gpt-2")
        let place = try #require(vocabulary.tokens.firstIndex(of: Array("!".utf8)))
        vocabulary.types[place] = 5
        vocabulary.merges.removeAll { ($0.left + $0.right).contains(UInt8(ascii: "!")) }
        let tokenizer = try Tokenizer(gguf: vocabulary)
        let failure = #expect(throws: Failure.self) {
            try tokenizer.encode("ha!", specialTokens: .asText)
        }
        #expect(failure?.description.contains("byte 2 of the text") == true)
        #expect(failure?.description.contains("no token for byte 0x21") == true)
    }
}

@Suite struct BytePairTests {
    /// The definition itself: the lowest rank, leftmost, until none applies.
    static func naive(_ bytes: [UInt8], _ encoder: BytePairEncoder) -> [Int32] {
        var symbols = bytes.map { encoder.byteTokens[Int($0)] }
        while true {
            let rules = zip(symbols, symbols.dropFirst()).map { encoder.merges.rule($0, $1) }
            guard let best = rules.min(), best != MergeTable.none,
                let place = rules.firstIndex(of: best)
            else { return symbols }
            symbols.replaceSubrange(place...place + 1, with: [MergeTable.result(of: best)])
        }
    }

    @Test func bothWaysOfMergingFollowTheDefinition() throws {
        let encoder = try Fixtures.tokenizer("gpt-2").storage.encoder
        var generator = SplitMix(state: 11)
        var scratch = BytePairScratch()
        for length in Array(1...60) + [97, 150, 300] {
            for letters in ["ab", "the andsion", "=! ", "aeiouhtns"].map({ Array($0.utf8) }) {
                let bytes = (0..<length).map { _ in
                    letters.randomElement(using: &generator) ?? 0
                }
                var ids: [Int32] = []
                let place = encoder.encode(bytes, 0..<length, into: &ids, using: &scratch)
                #expect(place == nil)
                #expect(ids == BytePairTests.naive(bytes, encoder), "\(bytes)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aLongPieceIsNotQuadratic() throws {
        let tokenizer = try Fixtures.tokenizer("qwen2")
        let text = String(repeating: "thereforeand", count: 5_000)
        let ids = try tokenizer.encode(text, specialTokens: .asText)
        #expect(tokenizer.text(of: ids, skipSpecial: false) == text)
    }

    @Test func spellingsAreFoundByTheirBytes() {
        var table = SpellingTable(capacity: 2)
        let words =
            (0..<500).map { Array("w\($0)".utf8) } + [[], Array("e\u{301}".utf8), Array("é".utf8)]
        for word in words { table.publish(table.append(word)) }
        for (index, word) in words.enumerated() {
            #expect(table.find(word, 0..<word.count) == index)
            #expect(Array(table[index]) == word)
        }
        #expect(table.find(Array("w500".utf8), 0..<4) == nil)
        table.publish(table.append(words[3]))
        #expect(table.find(words[3], 0..<2) == 3)
        table.publish(table.count - 1, replacing: true)
        #expect(table.find(words[3], 0..<2) == words.count)
        table.removeAll()
        #expect(table.count == 0 && table.find(words[3], 0..<2) == nil)
    }

    @Test func theByteAlphabetIsABijection() {
        let all = (0...255).map { UInt8($0) }
        let spelling = ByteAlphabet.spelling(of: all)
        #expect(spelling.unicodeScalars.count == 256)
        var bytes: [UInt8] = []
        #expect(ByteAlphabet.appendBytes(of: spelling.utf8, to: &bytes))
        #expect(bytes == all)
        #expect(ByteAlphabet.spelling(of: [0x20, 0x0A, 0x61, 0xAD]) == "ĠĊaŃ")
        for other in ["a b", "a\n", "日本", "\u{AD}", "a\u{144}"] {
            #expect(!ByteAlphabet.appendBytes(of: other.utf8, to: &bytes), "\(other)")
        }
        #expect(bytes == all)
    }
}
