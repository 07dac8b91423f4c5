import Basics
import Foundation
import Kernels
import Testing

@testable import Checkpoints

@Suite struct SafetensorsTests {
    @Test func readsShards() throws {
        let model = try Safetensors(fixture("sharded"))
        #expect(model.tensors.count == 5)
        #expect(model.tensors["model.embed_tokens.weight"]?.format == .bf16)
        #expect(model.tensors["model.layers.0.mlp.up_proj.weight"]?.format == .f16)
        for (name, info) in model.tensors {
            let wanted = (0..<info.count).map { Float($0) / 4 - 3 }
            #expect(try model.values(name).array == wanted, "\(name)")
        }
        #expect(model.tensors["model.scalar"]?.shape == [])
        #expect(try model.matrix("model.norm.weight").rows == 1)
        #expect(failure { _ = try model.matrix("model.empty") }?.kind.exitCode == 65)
        let missing = try #require(failure { _ = try model.matrix("lm_head.weight") })
        #expect(missing.kind == .badData && "\(missing)".contains("no such tensor"))
    }

    @Test(arguments: safetensorsAttacks) func refuses(_ attack: Attack) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("attack.safetensors", attack.make())
        let failure = try #require(failure { _ = try Safetensors(path) })
        #expect(failure.kind.exitCode == 65)
        #expect("\(failure)".contains(attack.fragment), "\(failure)")
        #expect(failure.file == path)
    }

    @Test func refusesEveryTruncation() throws {
        let folder = try TemporaryFolder()
        let whole = try bytes(fixture("sharded/model-00001-of-00002.safetensors"))
        for length in 0..<whole.count {
            let path = try folder.write("cut.safetensors", Array(whole.prefix(length)))
            #expect(failure { _ = try Safetensors(path) }?.kind.exitCode == 65, "\(length) bytes")
        }
    }

    @Test(arguments: [
        ("{\"weight_map\":{\"a\":\"../b.safetensors\"}}", "in the same folder", Int32(65)),
        ("{\"weight_map\":{\"a\":\"b.bin\"}}", "in the same folder", 65),
        ("{\"weight_map\":{\"a\":1}}", "found an integer", 65),
        ("{\"weight_map\":[]}", "expected an object", 65),
        ("{\"weight_map\":{\"a\":\"b.safetensors\"}}", "no such file", 66),
        ("{\"weight_map\":{\"a\":\"one.safetensors\"}}", "does not say that it is here", 65),
        (
            "{\"weight_map\":{\"x\":\"one.safetensors\",\"y\":\"one.safetensors\"}}",
            "'y': missing", 65
        ),
    ])
    func refusesIndex(_ index: String, _ fragment: String, _ exitCode: Int32) throws {
        let folder = try TemporaryFolder()
        let one = "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
        _ = try folder.write("one.safetensors", safetensors(one, data: 4))
        _ = try folder.write("model.safetensors.index.json", Array(index.utf8))
        let failure = try #require(failure { _ = try Safetensors(folder.path) })
        #expect(failure.kind.exitCode == exitCode)
        #expect("\(failure)".contains(fragment), "\(failure)")
    }

    @Test func writesWhatItReads() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("out.safetensors")
        try SafetensorsWriter.write(sampleContent().tensors, to: path)
        let written = try bytes(path)
        let length = written.prefix(8).enumerated().reduce(0) {
            $0 | Int($1.element) << (8 * $1.offset)
        }
        #expect(length % 8 == 0)
        let header = String(decoding: written[8..<8 + length], as: UTF8.self)
        #expect(header.hasPrefix("{\"__metadata__\":{\"format\":\"pt\"},\"model.empty\":{"))
        let read = try Safetensors(path)
        for tensor in sampleContent().tensors {
            #expect(read.tensors[tensor.name]?.shape == tensor.shape)
            #expect(read.tensors[tensor.name]?.format == tensor.storage.format)
            #expect(try read.values(tensor.name).array == tensor.load().array)
        }
        try SafetensorsWriter.write(sampleContent().tensors.reversed(), to: folder.file("b"))
        #expect(try bytes(folder.file("b")) == written)
        #expect(folder.names == ["b", "out.safetensors"])
    }

    @Test func copiesWhatIsNotAligned() throws {
        let folder = try TemporaryFolder()
        let header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
        let odd = header + String(repeating: " ", count: (9 - header.utf8.count & 7) & 7 | 1)
        let values = [Float(1.5), -2].flatMap { little($0.bitPattern) }
        let path = try folder.write("odd.safetensors", safetensors(odd) + values)
        let matrix = try Safetensors(path).matrix("a")
        #expect(Int(bitPattern: matrix.bytes.baseAddress) % 4 == 0)
        #expect(try Safetensors(path).values("a").array == [1.5, -2])
    }

    @Test(
        arguments: [
            (1, 0x3F80), (1.00390625, 0x3F80), (1.01171875, 0x3F82),
            (1.003907, 0x3F81), (-0.0, 0x8000), (.infinity, 0x7F80),
            (.greatestFiniteMagnitude, 0x7F80),
            (Float(bitPattern: 0x0001_0000), 0x0001),
        ] as [(Float, UInt16)]
    )
    func roundsToBFloat16(_ value: Float, _ bits: UInt16) {
        #expect(BFloat16.bits(value) == bits)
        #expect(BFloat16.bits(.nan) & 0x7FFF > 0x7F80)
        #expect(BFloat16.bits(Float(bitPattern: 0x7F80_0001)) & 0x7FFF > 0x7F80)
    }
}
