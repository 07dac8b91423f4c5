import Basics
import ChatTemplates
import Checkpoints
import Foundation
import Models
import Testing

@testable import Tokenizers

/// Ids of published vocabularies over whole data sets, against digests of the reference's ids.
///
/// Tools/tokenizer_parity.py makes the digests. Needs the environment variables RSD_MODELS (a
/// folder of GGUF files) and RSD_DATA (a folder of JSONL files).
@Suite struct RealModelTests {
    static let models = ["qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"]

    static func folder(_ name: String) -> String? {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            return nil
        }
        return value
    }

    @Test func sayWhatIsSkipped() {
        for (name, what) in [("RSD_MODELS", "GGUF files"), ("RSD_DATA", "JSONL files")]
        where RealModelTests.folder(name) == nil {
            print("SKIPPED: token ids of real models; set \(name) to a folder of \(what)")
        }
        for model in RealModelTests.models
        where RealModelTests.folder("RSD_MODELS") != nil && !RealModelTests.isPresent(model) {
            print("SKIPPED: token ids of \(model); RSD_MODELS has no such file")
        }
    }

    static func isPresent(_ model: String) -> Bool {
        guard let folder = folder("RSD_MODELS") else { return false }
        return FileManager.default.fileExists(atPath: "\(folder)/\(model).gguf")
    }

    static func load(_ model: String) throws -> Tokenizer {
        let folder = try #require(RealModelTests.folder("RSD_MODELS"))
        let stored = try GGUFFile("\(folder)/\(model).gguf", families: ModelFamily.allCases)
            .vocabulary()
        return try Tokenizer(gguf: #require(stored))
    }

    /// Conversations by the models' own chat templates, as `apply_chat_template` of transformers has
    /// them.
    @Test(arguments: models.filter(isPresent))
    func idsOfConversationsEqualTheReference(_ model: String) throws {
        let tokenizer = try RealModelTests.load(model)
        let cases = try #require(Fixtures.json("model-templates")["models"]?[model]?.array)
        #expect(cases.count >= 5)
        for json in cases {
            let messages = try json.array("messages").map {
                ChatMessage(role: try $0.string("role"), content: try $0.string("content"))
            }
            let ids = try tokenizer.prompt(messages, ChatTemplate.Options())
                .encode(problem: "", with: tokenizer)
            #expect(try ids.map(Int.init) == json.integers("ids"), "\(messages)")
        }
    }

    @Test(
        .enabled(if: folder("RSD_DATA") != nil),
        arguments: models.filter(isPresent)
    )
    func idsOfTheCorpusEqualTheReference(_ model: String) throws {
        let start = ContinuousClock.now
        let tokenizer = try RealModelTests.load(model)
        let loaded = ContinuousClock.now - start
        let files = try Fixtures.json("parity").require(model, "an object", \.object)
        let data = try #require(RealModelTests.folder("RSD_DATA"))
        let again = try Tokenizer(json: tokenizer.toJSON())
        var (bytes, tokens, seconds) = (0, 0, Duration.zero)
        for (file, expected) in files.members {
            let texts =
                try file == "hand-made"
                ? Fixtures.cases().map(\.text) : RealModelTests.texts("\(data)/\(file)")
            let count = try expected.integer("texts")
            #expect(texts.count == count, "\(file)")
            var digest = Digest()
            for text in texts {
                let input = Array(text.utf8)
                let start = ContinuousClock.now
                let ids = try tokenizer.encode(input, specialTokens: .parse)
                seconds += ContinuousClock.now - start
                #expect(tokenizer.decode(ids, skipSpecial: false) == input)
                digest.add(ids)
                bytes += input.count
                tokens += ids.count
                if file == "hand-made" || file.hasPrefix("aime24") {
                    #expect(try again.encode(input, specialTokens: .parse) == ids)
                }
            }
            let reference = try expected.string("digest")
            #expect(digest.text == reference, "\(model), \(file)")
        }
        let rate = Double(bytes) / 1e6 / (seconds / .seconds(1))
        print("\(model): loaded in \(loaded), \(tokens) tokens, \(rate) MB/s")
    }

    /// The texts of a data set in the order in which the script reads them.
    static func texts(_ path: String) throws -> [String] {
        try JSONLines.read(path) { record in
            ["problem", "answer", "solution", "trace"].compactMap { record[$0]?.string }
        }.flatMap(\.self)
    }

    /// FNV-1a over 32-bit units: each id, and 0xFFFFFFFF after each text.
    struct Digest {
        var state: UInt64 = 0xCBF2_9CE4_8422_2325

        mutating func add(_ ids: [Int32]) {
            for id in ids { mix(UInt32(bitPattern: id)) }
            mix(.max)
        }

        private mutating func mix(_ unit: UInt32) {
            state = (state ^ UInt64(unit)) &* 0x0000_0100_0000_01B3
        }

        var text: String {
            let digits = String(state, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }
}
