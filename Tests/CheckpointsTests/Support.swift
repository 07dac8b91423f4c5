import Basics
import Foundation
import Kernels
import Models
import Testing

@testable import Checkpoints

/// A folder that is removed with this object.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory
            .appending(path: "checkpoints-\(UUID().uuidString)").path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(filePath: file(name)))
        return file(name)
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}

/// A file of the fixtures.
func fixture(_ name: String) throws -> String {
    let root = try #require(Bundle.module.resourceURL)
    return root.appending(path: "Fixtures/\(name)").path(percentEncoded: false)
}

/// The failure that `body` throws; nil when it throws none.
func failure(_ body: () throws -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch let failure as Failure { return failure } catch { return nil }
}

func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

/// A file that must be refused, and part of what must be said.
struct Attack: CustomTestStringConvertible, Sendable {
    let name: String
    let fragment: String
    let make: @Sendable () -> [UInt8]

    init(_ name: String, _ fragment: String, _ make: @escaping @Sendable () -> [UInt8]) {
        self.name = name
        self.fragment = fragment
        self.make = make
    }

    var testDescription: String { name }
}

/// Little-endian bytes.
func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// A small model with moments, texts and both types of number.
func sampleContent(step: Int = 7) -> CheckpointContent {
    func ramp(_ count: Int, _ scale: Float) -> Buffer<Float> {
        Buffer((0..<count).map { Float($0) * scale - 1 })
    }
    let tensors = [
        NamedTensor(name: "model.norm.weight", shape: [5], values: ramp(5, 0.5)),
        NamedTensor(
            name: "model.embed_tokens.weight",
            shape: [6, 5],
            values: ramp(30, 0.25),
            storage: .bfloat16
        ),
        NamedTensor(name: "model.scalar", shape: [], values: ramp(1, 1)),
        NamedTensor(name: "model.empty", shape: [0, 5], values: Buffer(count: 0)),
    ]
    return CheckpointContent(
        tensors: tensors,
        firstMoments: [
            NamedTensor(name: "model.norm.weight", shape: [5], values: ramp(5, 0.1))
        ],
        secondMoments: [
            NamedTensor(
                name: "model.norm.weight",
                shape: [5],
                values: ramp(5, 0.25),
                storage: .bfloat16
            )
        ],
        state: ["step": .integer(step), "seed": .integer(.max), "rate": 1e-5],
        configuration: ["model_type": "qwen3", "hidden_size": 5],
        tokenizer: Data("{\"à\": 1, \"a\u{300}\": 2}".utf8),
        metadata: ["note": "tab\tand \"quote\""]
    )
}

/// A GGUF file of any known family.
func ggufFile(_ path: String) throws -> GGUFFile {
    try GGUFFile(path, families: ModelFamily.allCases)
}
