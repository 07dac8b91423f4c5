import Basics
import Foundation
import Kernels
import Models
import Testing

@testable import Checkpoints

@Suite struct ModelFilesTests {
    @Test func opensGGUF() throws {
        let model = try ModelFiles.open(fixture("tiny.gguf"))
        #expect(model.source is GGUFFile)
        #expect(model.configuration["model_type"]?.string == "llama")
        guard case .gguf(let vocabulary) = model.tokenizer else {
            Issue.record("no vocabulary")
            return
        }
        #expect(vocabulary.tokens.count == 3 && vocabulary.chatTemplate == "{{ messages }}")
    }

    @Test func opensFolder() throws {
        let model = try ModelFiles.open(fixture("sharded"))
        #expect(model.source.tensors.count == 5)
        #expect(model.configuration["model_type"]?.string == "qwen3")
        guard case .json(let text) = model.tokenizer else {
            Issue.record("no tokenizer")
            return
        }
        #expect(text == Data("{\"version\": \"1.0\"}".utf8))
        #expect(model.tokenizerConfiguration?["chat_template"]?.string == "{{ new }}")
    }

    @Test func opensCheckpointUnderAnyName() throws {
        let folder = try TemporaryFolder()
        var content = sampleContent()
        content.metadata = ["tokenizer_config": ["chat_template": "{{ kept }}"]]
        try HDF5Checkpoint.write(content, to: folder.file("student"))
        let model = try ModelFiles.open(folder.file("student"))
        #expect(model.source is HDF5Checkpoint)
        #expect(model.tokenizerConfiguration?["chat_template"]?.string == "{{ kept }}")
    }

    @Test func saysWhatIsWrong() throws {
        let folder = try TemporaryFolder()
        func exitCode(_ path: String, _ fragment: String) -> Int32? {
            let found = failure { _ = try ModelFiles.open(path) }
            #expect(found.map { "\($0)".contains(fragment) } == true, "\(path): \(found as Any)")
            return found?.kind.exitCode
        }
        #expect(exitCode(folder.file("none"), "no such file or folder") == 66)
        #expect(exitCode(folder.path, "no such file") == 66)
        #expect(exitCode(try folder.write("a.txt", [1, 2, 3]), "is no model") == 65)
        #expect(exitCode(try folder.write("a.gguf", [1, 2, 3, 4]), "expected 'GGUF'") == 65)
        #expect(exitCode(try folder.write("a.h5", [1, 2, 3, 4]), "rsd checkpoint 1") == 65)
        #expect(exitCode(try folder.write("a.safetensors", [1]), "Give the folder") == 65)
        _ = try folder.write("config.json", Array("{\"model_type\":\"mamba\"}".utf8))
        #expect(exitCode(folder.path, "found 'mamba'; expected one of llama, qwen2, qwen3") == 65)
        _ = try folder.write("config.json", Array("{\"model_type\":\"llama\"}".utf8))
        #expect(exitCode(folder.path, "neither model.safetensors nor") == 66)
    }

    @Test func exportsWhatOpens() throws {
        let folder = try TemporaryFolder()
        let target = folder.file("export")
        var content = sampleContent()
        var head = content.tensors[1]
        head.name = "lm_head.weight"
        content.tensors.append(head)
        content.configuration = [
            "model_type": "qwen3", "tie_word_embeddings": true, "eos_token_id": 2,
        ]
        content.tokenizer = Data("{\"added_tokens\":[{\"id\":2,\"content\":\"<end>\"}]}".utf8)
        try HDF5Checkpoint.write(content, to: folder.file("a.h5"))
        let export = try HuggingFaceExport(of: ModelFiles.open(folder.file("a.h5")))
        // Twice: the second takes the place of the first.
        for _ in 0..<2 { try export.write(to: target) }
        #expect(folder.names == ["a.h5", "export"])
        let names = try FileManager.default.contentsOfDirectory(atPath: target)
        #expect(names.count == 5)
        let model = try ModelFiles.open(target)
        #expect(model.source.tensors.count == 4, "the tied head is left out")
        let name = "model.embed_tokens.weight"
        let wanted = try content.tensors.first { $0.name == name }?.load().array
        #expect(try model.source.values(name).array == wanted)
        #expect(model.generationConfiguration?.compact == "{\"eos_token_id\":2}")
        #expect(model.tokenizerConfiguration?["eos_token"]?.string == "<end>")
        #expect(model.configuration["dtype"]?.string == "float32")
        guard case .json(let text) = model.tokenizer else {
            Issue.record("no tokenizer")
            return
        }
        #expect(text == content.tokenizer)
    }

    @Test func refusesToExportOverOtherFiles() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("thesis.tex", [1])
        let export = HuggingFaceExport(tensors: sampleContent().tensors, configuration: [:])
        let found = try #require(failure { try export.write(to: folder.path) })
        #expect(found.kind == .disk && "\(found)".contains("holds 'thesis.tex'"))
        #expect(folder.names == ["thesis.tex"])
    }
}

/// Readers know a family by what they are handed.
@Suite struct HandedFamilyTests {
    /// Other names than those of all published families.
    static let imaginary = ModelFamily(
        name: "imaginary",
        architecture: "Imaginary",
        names: {
            var names = TensorNames()
            names.embedding = .init("words", gguf: "token_embd")
            names.head = .init("speech", gguf: "output")
            names.layers = .init("floors", gguf: "blk")
            return names
        }()
    )

    @Test func namesAreThoseOfTheFamily() throws {
        let folder = try TemporaryFolder()
        func tensor(_ name: String, _ value: Float) -> NamedTensor {
            NamedTensor(name: name, shape: [1, 2], values: Buffer([value, 1]))
        }
        let export = HuggingFaceExport(
            tensors: [
                tensor("words.weight", 1), tensor("speech.weight", 2),
                tensor("floors.0.self_attn.q_proj.weight", 3),
                tensor("floors.6.self_attn.q_proj.weight", 3),
            ],
            configuration: ["model_type": "imaginary", "tie_word_embeddings": true]
        )
        try export.write(to: folder.file("model"))
        let path = folder.file("model")
        let model = try ModelFiles.open(path, families: [.llama, Self.imaginary])
        #expect(model.family == Self.imaginary && model.layerCount == 7)
        #expect(failure { try model.checkTiedHead() }?.place == "tensor 'speech.weight'")
        let unknown = failure { _ = try ModelFiles.open(path) }
        #expect(unknown?.message.hasPrefix("found 'imaginary'; expected one of llama, ") == true)
    }

    @Test func ggufFilesAreReadWithTheNamesHanded() throws {
        let folder = try TemporaryFolder()
        var builder = GGUFBuilder.valid()
        builder.values[0] = GGUFBuilder.text(Array("general.architecture".utf8))
        builder.values[0] += GGUFBuilder.string("imaginary")
        let path = try folder.write("valid.gguf", builder.bytes)
        let file = try GGUFFile(path, families: [Self.imaginary])
        #expect(file.tensors["words.weight"]?.shape == [2, 4])
        #expect(failure { _ = try ggufFile(path) }?.place == "metadata 'general.architecture'")
    }
}
