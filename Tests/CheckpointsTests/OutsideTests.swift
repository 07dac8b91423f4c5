import Basics
import Foundation
import Models
import Testing

@testable import Checkpoints

/// Tests that need what the repository does not hold; each says how to have it.
@Suite struct OutsideTests {
    static let environment = ProcessInfo.processInfo.environment
    static let python = environment["RSD_PYTHON"]
    static let models = environment["RSD_MODELS"]

    @Test func saysWhatIsSkipped() {
        let isRequired = Self.environment["RSD_REQUIRE_ASSETS"] == "1"
        #expect(!isRequired || Self.python != nil, "RSD_PYTHON is not set")
        if Self.python == nil { print("SKIPPED: checkpoints read by h5py; set RSD_PYTHON") }
    }

    @Test(.enabled(if: python != nil, "SKIPPED: set RSD_PYTHON to a python3 that has h5py"))
    func h5pyOpensCheckpoints() throws {
        let folder = try TemporaryFolder()
        try HDF5Checkpoint.write(sampleContent(), to: folder.file("a.h5"))
        let script = URL(filePath: #filePath)
            .appending(path: "../../../Tools/checkpoint_check.py").standardizedFileURL
        let process = Process()
        process.executableURL = URL(filePath: try #require(OutsideTests.python))
        process.arguments = [script.path(percentEncoded: false), folder.file("a.h5")]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try #require(try output.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let found = try JSON(parsing: text)
        #expect(found["model/model.embed_tokens.weight"]?["dtype"]?.string == "bfloat16")
        #expect(found["model/model.embed_tokens.weight"]?["sum"]?.number == 78.75)
        #expect(found["optimizer/v/model.norm.weight"]?["shape"]?.array?.count == 1)
        #expect(found["tokenizer"]?["json"]?.bool == true)
    }

    @Test(
        .enabled(if: models != nil, "SKIPPED: set RSD_MODELS to a folder of .gguf files"),
        arguments: [
            ("smollm2-135m-instruct.gguf", 272, 49152, 48900, "smollm"),
            ("qwen2.5-coder-0.5b-instruct.gguf", 291, 151936, 151387, "qwen2"),
            ("qwen2.5-coder-1.5b-instruct.gguf", 339, 151936, 151387, "qwen2"),
        ]
    )
    func opensRealModels(
        _ name: String,
        _ tensors: Int,
        _ tokens: Int,
        _ merges: Int,
        _ preTokenizer: String
    ) throws {
        let path = "\(try #require(OutsideTests.models))/\(name)"
        // The small model must be there; the large ones are tested where somebody has fetched them.
        guard name.hasPrefix("smollm2") || FileManager.default.fileExists(atPath: path) else {
            print("SKIPPED: the file format of \(name); RSD_MODELS has no such file")
            return
        }
        let model = try ModelFiles.open(path)
        #expect(model.source.tensors.count == tensors)
        #expect(model.source.tensors.keys.allSatisfy { !$0.hasPrefix("blk.") })
        guard case .gguf(let vocabulary) = model.tokenizer else {
            Issue.record("no vocabulary")
            return
        }
        #expect(vocabulary.tokens.count == tokens && vocabulary.merges.count == merges)
        #expect(vocabulary.pre == preTokenizer)
        #expect(model.configuration["vocab_size"]?.integer == tokens)
    }
}
