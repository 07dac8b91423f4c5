import Basics
import Foundation
import Kernels
import Testing

@testable import Checkpoints

/// Checkpoints whose structure has been changed and sealed again, checksums included.
@Suite struct HDF5MutationTests {
    /// Enough data sets for the dense form of groups, with a B-tree of two levels.
    static func dense(_ count: Int = 120) -> CheckpointContent {
        var content = sampleContent()
        for index in 0..<count {
            let name = "model.layers.\(index).self_attn.q_proj.weight"
            let values = Buffer((0..<3).map { Float($0 + index) })
            content.tensors.append(NamedTensor(name: name, shape: [3], values: values))
        }
        return content
    }

    @Test(arguments: [0, 1, 7, 8, 9, 120, 3000]) func readsGroupsOfEverySize(_ count: Int) throws {
        let folder = try TemporaryFolder()
        let content = HDF5MutationTests.dense(count)
        try HDF5Checkpoint.write(content, to: folder.file("a.h5"))
        let read = try HDF5Checkpoint.verify(folder.file("a.h5"))
        #expect(read.tensors.count == content.tensors.count)
        for index in Set([0, count / 2, count - 1]) where index >= 0 && index < count {
            let name = "model.layers.\(index).self_attn.q_proj.weight"
            #expect(try read.values(name).array == [0, 1, 2].map { $0 + Float(index) })
        }
    }

    /// Seals bytes as if they were genuine; mends the structure's checksums as often as they fail.
    private func read(_ bytes: inout [UInt8], _ folder: TemporaryFolder) throws -> Failure? {
        for _ in 0..<64 {
            let path = try folder.write("mutant.h5", bytes)
            try CheckpointSeal.stamp(path)
            let found = failure { _ = try HDF5Checkpoint(path) }
            guard let found, let match = found.message.firstMatch(of: /its bytes give (\d+)/),
                let right = UInt32(match.1), let place = found.place?.split(separator: " ").last,
                let end = Int(place)
            else { return found }
            bytes.replaceSubrange(end - 4..<end, with: little(right))
        }
        return Failure(.badData, "a checksum that is part of itself")
    }

    @Test(arguments: [0, 120]) func damagedStructureIsRefusedOrRead(_ count: Int) throws {
        let folder = try TemporaryFolder()
        try HDF5Checkpoint.write(HDF5MutationTests.dense(count), to: folder.file("a.h5"))
        let whole = try bytes(folder.file("a.h5"))
        let variable = ProcessInfo.processInfo.environment["RSD_FUZZ"]
        let trials = variable.flatMap { Int($0) } ?? 300
        let stream = RandomStream(seed: 23, name: "HDF5 mutants")
        var refused = 0
        let clock = ContinuousClock()
        for trial in 0..<trials {
            func draw(_ position: Int, _ limit: Int) -> Int {
                let item = UInt64(trial)
                let share = stream.uniform(item: item, attempt: 0, position: position, draw: 0)
                return Int(share * Double(limit))
            }
            var mutant = whole
            for change in 0..<1 + draw(0, 3) {
                let place = 512 + draw(10 * change + 1, whole.count - 520)
                switch draw(10 * change + 2, 4) {
                case 0: mutant[place] ^= 1 << UInt8(draw(10 * change + 3, 8))
                case 1: mutant[place] = UInt8(draw(10 * change + 3, 256))
                case 2:
                    // An address or a length: huge, 0, or the place of something else.
                    let values = [
                        UInt64.max, 1 << 63, 0, UInt64(draw(10 * change + 4, whole.count)),
                    ]
                    let value = values[draw(10 * change + 3, 4)]
                    mutant.replaceSubrange(place..<place + 8, with: little(value))
                default:
                    let source = 512 + draw(10 * change + 3, whole.count - 520)
                    mutant.replaceSubrange(place..<place + 8, with: whole[source..<source + 8])
                }
            }
            let elapsed = try clock.measure {
                let found = try read(&mutant, folder)
                if found != nil { refused += 1 }
                #expect(found == nil || found?.kind == .badData, "trial \(trial)")
            }
            #expect(elapsed < .seconds(5), "trial \(trial)")
        }
        #expect(refused > trials / 4, "of \(trials) changed files \(refused) were refused")
    }

    /// What a library of another version writes: refused before anything in it is followed.
    @Test func otherVersionsOfTheFormatAreRefused() throws {
        let folder = try TemporaryFolder()
        try HDF5Checkpoint.write(sampleContent(), to: folder.file("a.h5"))
        let whole = try bytes(folder.file("a.h5"))
        for (version, fragment) in [
            (0, "found superblock version 0"), (3, "version 3; this program"),
        ] {
            var changed = whole
            changed[512 + 8] = UInt8(version)
            let found = try #require(try read(&changed, folder))
            #expect("\(found)".contains(fragment), "\(found)")
        }
    }

    @Test func checksumsAreThoseOfTheReference() {
        // lookup3.c, driver5: the empty key and the two halves of "Four score and seven years ago".
        #expect(HDF5Checksum.lookup3([UInt8]()) == 0xDEAD_BEEF)
        let text = Array("Four score and seven years ago".utf8)
        #expect(HDF5Checksum.lookup3(text) == 0x1777_0551)
    }
}
