import Basics
import Foundation
import Models
import Testing

@testable import Checkpoints

/// Models whose one file is split into several.
@Suite struct GGUFSplitTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes the valid model with a tensor in each of two parts.
    private func write(
        _ stem: String = "m-1.5b",
        count: Int = 2,
        _ change: (Int, inout GGUFBuilder) -> Void = { _, _ in }
    ) throws -> [String] {
        try (0..<count).map { index in
            var part = GGUFBuilder()
            if index == 0 { part = GGUFBuilder.valid() }
            part.tensors = Array(GGUFBuilder.valid().tensors[index..<index + 1])
            part.tensors[0].offset = 0
            part.data = Array(repeating: 0, count: index == 0 ? 32 : 16)
            part.data[3] = UInt8(0x3F + index)
            part.add("split.no", little(UInt32(2)) + little(UInt16(index)))
            part.add("split.count", little(UInt32(2)) + little(UInt16(count)))
            part.add("split.tensors.count", little(UInt32(5)) + little(UInt32(count)))
            change(index, &part)
            return try folder.write("\(stem)-0000\(index + 1)-of-0000\(count).gguf", part.bytes)
        }
    }

    @Test func allPartsAreFoundFromAnyOfThem() throws {
        let paths = try write()
        for path in paths {
            #expect(GGUFFile.parts(ofModelAt: path) == paths)
            let model = try ModelFiles.open(path)
            #expect(model.source.tensors.count == 2 && model.path == path)
            #expect(model.configuration["hidden_size"]?.integer == 4)
            let table = try model.source.values("model.embed_tokens.weight").array
            let norm = try model.source.values("model.norm.weight").array
            #expect(table.count == 8 && table[0] == 0.5 && norm.count == 4 && norm[0] == 2)
            _ = try model.source.digest()
        }
    }

    @Test func aSinglePartIsAModelUnderAnyName() throws {
        let path = try write(count: 1)[0]
        #expect(GGUFFile.parts(ofModelAt: path) == [path])
        #expect(try ggufFile(path).tensors.count == 1)
        let renamed = try folder.write("renamed.gguf", bytes(path))
        #expect(try ggufFile(renamed).tensors.count == 1)
    }

    @Test func aMissingPartIsNamed() throws {
        let paths = try write()
        try FileManager.default.removeItem(atPath: paths[1])
        let found = try #require(failure { _ = try ggufFile(paths[0]) })
        #expect(found.kind.exitCode == 66 && found.file == paths[1])
        #expect(found.message.contains("it is part 2 of 2 of the model in \(paths[0])"))
    }

    @Test func aRenamedPartSaysWhatToDo() throws {
        let path = try write()[0]
        for name in [
            "renamed.gguf", "m-00002-of-00002.gguf", "m-00001-of-00003.gguf", "m-1-of-2.gguf",
        ] {
            let renamed = try folder.write(name, bytes(path))
            let found = try #require(failure { _ = try ggufFile(renamed) })
            #expect(found.kind.exitCode == 65 && found.file == renamed, "\(found)")
            #expect(found.message.contains("is part 1 of 2 of a split model"))
            #expect(found.message.contains("'-00001-of-00002.gguf'"))
            #expect(found.remedy?.contains("llama-gguf-split --merge") == true)
        }
    }

    @Test func partsOfDifferentModelsAreRefused() throws {
        func refusal(_ change: @escaping (Int, inout GGUFBuilder) -> Void) throws -> String {
            let paths = try write("m-1.5b", count: 2, change)
            let found = try #require(failure { _ = try ggufFile(paths[0]) })
            #expect(found.kind.exitCode == 65)
            return "\(found)"
        }
        let swapped = try refusal { index, part in
            guard index == 1 else { return }
            part.values[0] = GGUFBuilder.text(Array("split.no".utf8)) + GGUFBuilder.integer(0)
        }
        #expect(swapped.contains("is not part 2 of 2, as its name says"))
        let repeated = try refusal { index, part in
            guard index == 1 else { return }
            part.tensors[0].name = Array("token_embd.weight".utf8)
        }
        #expect(repeated.contains("tensor 'model.embed_tokens.weight': the name occurs twice"))
        let fewer = try refusal { index, part in
            guard index == 1 else { return }
            part.tensors = []
        }
        #expect(fewer.contains("'split.tensors.count': found 2; the 2 parts hold 1 tensors"))
    }
}
