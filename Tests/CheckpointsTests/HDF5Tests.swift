import Basics
import Foundation
import Kernels
import Testing

@testable import Checkpoints

@Suite struct HDF5Tests {
    @Test func readsWhatItWrote() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.h5")
        let content = sampleContent()
        try HDF5Checkpoint.write(content, to: path)
        let read = try HDF5Checkpoint.verify(path)
        #expect(read.tensors.count == content.tensors.count)
        for tensor in content.tensors {
            #expect(read.tensors[tensor.name]?.shape == tensor.shape)
            #expect(read.tensors[tensor.name]?.format == tensor.storage.format)
            #expect(try read.values(tensor.name).array == tensor.load().array)
        }
        #expect(read.state.compact == content.state.compact)
        #expect(read.configuration.compact == content.configuration.compact)
        #expect(read.metadata.compact == content.metadata.compact)
        #expect(read.tokenizer == content.tokenizer)
        #expect(read.hasOptimizer)
        let name = "model.norm.weight"
        #expect(try read.firstMoment(name).array == content.firstMoments[0].load().array)
        #expect(try read.secondMoment(name).array == content.secondMoments[0].load().array)
        #expect(failure { _ = try read.firstMoment("model.scalar") }?.kind == .badData)
        let matrix = try read.matrix(name)
        #expect(Int(bitPattern: matrix.bytes.baseAddress) % 64 == 0)
        #expect(folder.names == ["a.h5"])
    }

    @Test func writesWithoutOptimizerAndTokenizer() throws {
        let folder = try TemporaryFolder()
        var content = sampleContent()
        content.firstMoments = []
        content.secondMoments = []
        content.tokenizer = nil
        try HDF5Checkpoint.write(content, to: folder.file("a.h5"))
        let read = try HDF5Checkpoint(folder.file("a.h5"))
        #expect(!read.hasOptimizer && read.tokenizer == nil)
    }

    @Test func equalContentGivesEqualBytes() throws {
        let folder = try TemporaryFolder()
        // Enough data sets for the dense form of groups.
        func content(reversed: Bool) -> CheckpointContent {
            var content = sampleContent()
            for index in 0..<40 {
                let values = Buffer((0..<index + 1).map { Float($0 * index) })
                let shape = [index + 1]
                content.tensors.append(NamedTensor(name: "t\(index)", shape: shape, values: values))
            }
            if reversed { content.tensors.reverse() }
            return content
        }
        try HDF5Checkpoint.write(content(reversed: false), to: folder.file("a.h5"))
        try HDF5Checkpoint.write(content(reversed: true), to: folder.file("b.h5"))
        #expect(try bytes(folder.file("a.h5")) == bytes(folder.file("b.h5")))
        #expect(try HDF5Checkpoint.verify(folder.file("a.h5")).tensors.count == 44)
    }

    @Test func detectsEveryFlippedBit() throws {
        let folder = try TemporaryFolder()
        try HDF5Checkpoint.write(sampleContent(), to: folder.file("a.h5"))
        let whole = try bytes(folder.file("a.h5"))
        let seed: UInt64 = 11
        let stream = RandomStream(seed: seed, name: "bit flips")
        let path = folder.file("flipped.h5")
        for trial in 0..<1000 {
            // Half of the flips fall into the seal, which is small beside the rest.
            let range = trial.isMultiple(of: 2) ? 512 : whole.count
            let share = stream.uniform(item: UInt64(trial), attempt: 0, position: 0, draw: 0)
            let bit = Int(share * Double(range * 8))
            var damaged = whole
            damaged[bit / 8] ^= 1 << (bit % 8)
            try Data(damaged).write(to: URL(filePath: path))
            let found = failure { _ = try HDF5Checkpoint(path) }
            #expect(found?.kind.exitCode == 65, "bit \(bit), seed \(seed)")
        }
    }

    @Test func refusesEveryTruncation() throws {
        let folder = try TemporaryFolder()
        try HDF5Checkpoint.write(sampleContent(), to: folder.file("a.h5"))
        let whole = try bytes(folder.file("a.h5"))
        let lengths =
            Array(stride(from: 0, to: whole.count, by: 512)) + [1, 511, 513, whole.count - 1]
        for length in lengths {
            let path = try folder.write("cut.h5", Array(whole.prefix(length)))
            let found = failure { _ = try HDF5Checkpoint(path) }
            #expect(found?.kind.exitCode == 65, "\(length) bytes")
        }
        let path = try folder.write("long.h5", whole + [0])
        let found = try #require(failure { _ = try HDF5Checkpoint(path) })
        #expect(found.message.contains("is \(whole.count + 1) bytes long; its seal says"))
    }

    @Test func neverLoadsAnUnsealedFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.h5")
        try HDF5Writer.write(sampleContent(), to: path)
        let found = try #require(failure { _ = try HDF5Checkpoint(path) })
        #expect("\(found)".contains("does not begin with 'rsd checkpoint 1'"))
    }

    @Test func namesAnotherSchemaVersion() throws {
        let folder = try TemporaryFolder()
        try HDF5Checkpoint.write(sampleContent(), to: folder.file("a.h5"))
        var whole = try bytes(folder.file("a.h5"))
        whole[15] = UInt8(ascii: "2")
        let path = try folder.write("b.h5", whole)
        let found = try #require(failure { _ = try HDF5Checkpoint(path) })
        #expect("\(found)".contains("found schema version '2'; expected 1"))
    }

    @Test func keepsTheOldFileWhenWritingFails() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.h5")
        try HDF5Checkpoint.write(sampleContent(), to: path)
        let before = try bytes(path)
        var content = sampleContent(step: 8)
        content.tensors.append(
            NamedTensor(name: "z", shape: [1]) { throw Failure(.failed, "no numbers") }
        )
        #expect(failure { try HDF5Checkpoint.write(content, to: path) }?.message == "no numbers")
        #expect(try bytes(path) == before)
        #expect(folder.names == ["a.h5"])
    }

    @Test func refusesMoreThanTheDiskHolds() throws {
        let folder = try TemporaryFolder()
        let huge = NamedTensor(name: "z", shape: [1 << 50]) { Buffer(count: 0) }
        let content = CheckpointContent(tensors: [huge], configuration: [:])
        let found = try #require(
            failure { try HDF5Checkpoint.write(content, to: folder.file("a.h5")) }
        )
        #expect(found.kind.exitCode == 74 && folder.names.isEmpty)
    }
}
