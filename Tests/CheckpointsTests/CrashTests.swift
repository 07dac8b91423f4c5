import Basics
import Foundation
import Kernels
import Models
import Testing

@testable import Checkpoints

/// What happens when writing ends early; the cases that bend the process run in a child.
@Suite struct CrashTests {
    @Test func neverTakesATemporaryFileForACheckpoint() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.path, keep: 3)
        try checkpoints.write(sampleContent(step: 1), step: 1)
        let whole = try bytes(checkpoints.path(step: 1))
        // A writer killed after any amount of bytes, even after all of them, before the rename.
        for share in 0...8 {
            let part = Array(whole.prefix(whole.count * share / 8))
            let dead = try TemporaryFile(for: checkpoints.path(step: 2))
            try Data(part).write(to: URL(filePath: dead.path))
            withExtendedLifetime(dead) {}
            #expect(checkpoints.list().map(\.step) == [1])
            #expect(try checkpoints.latest()?.step == 1)
        }
        let alive = try TemporaryFile(for: checkpoints.path(step: 9))
        let other = try TemporaryFile(for: folder.file("notes")).path
        let elsewhere = try folder.write("step-000004.h5.tmp.01234567-4026531836-9-1", [1])
        try checkpoints.write(sampleContent(step: 3), step: 3)
        #expect(
            folder.names
                == [
                    other, checkpoints.path(step: 1), checkpoints.path(step: 3), alive.path,
                    elsewhere,
                ].map { URL(filePath: $0).lastPathComponent }.sorted()
        )
        withExtendedLifetime(alive) {}
    }

    @Test func keepsTheNewest() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.file("run"), keep: 2)
        #expect(try checkpoints.latest() == nil)
        for step in [1, 2, 1_000_000] {
            try checkpoints.write(sampleContent(step: step), step: step)
        }
        #expect(checkpoints.list().map(\.step) == [2, 1_000_000])
        let latest = try #require(try checkpoints.latest())
        #expect(latest.step == 1_000_000 && latest.damaged.isEmpty)
        #expect(latest.checkpoint.state["step"]?.integer == 1_000_000)
    }

    @Test func skipsAndReportsADamagedCheckpoint() throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.path, keep: 2)
        for step in 1...2 { try checkpoints.write(sampleContent(step: step), step: step) }
        func damage(_ step: Int) throws {
            var whole = try bytes(checkpoints.path(step: step))
            whole[whole.count / 2] ^= 4
            _ = try folder.write("step-00000\(step).h5", whole)
        }
        try damage(2)
        let latest = try #require(try checkpoints.latest())
        #expect(latest.step == 1 && latest.damaged.count == 1)
        #expect(latest.damaged[0].file == checkpoints.path(step: 2))
        try damage(1)
        let failure = try #require(failure { _ = try checkpoints.latest() })
        #expect(failure.kind == .badData && failure.message.contains("none of the 1 older"))
    }

    /// Where writing hits a limit on the size of files, the old checkpoint stays.
    @Test func diskFullBeforeWriting() async {
        await #expect(processExitsWith: .success) {
            try CrashTests.writeUnderLimit(ignoringEstimate: false)
        }
    }

    /// The same when the limit is met in the middle of the HDF5 library's own writing.
    @Test func diskFullWhileWriting() async {
        await #expect(processExitsWith: .success) {
            try CrashTests.writeUnderLimit(ignoringEstimate: true)
        }
    }

    static func writeUnderLimit(ignoringEstimate: Bool) throws {
        signal(SIGXFSZ, SIG_IGN)
        let folder = try TemporaryFolder()
        let path = folder.file("a.h5")
        try HDF5Checkpoint.write(sampleContent(), to: path)
        let before = try bytes(path)
        for limit in stride(from: 0, to: before.count, by: 512) {
            var limits = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
            let saved = limits.rlim_cur
            limits.rlim_cur = rlim_t(limit)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
            let found = failure {
                if ignoringEstimate {
                    try AtomicFile.replace(path, byteCount: 0) { temporary in
                        try HDF5Writer.write(sampleContent(), to: temporary)
                        try CheckpointSeal.stamp(temporary)
                    }
                } else {
                    try HDF5Checkpoint.write(sampleContent(), to: path)
                }
            }
            limits.rlim_cur = saved
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
            guard found?.kind.exitCode == 74, try bytes(path) == before, folder.names == ["a.h5"]
            else {
                print("limit \(limit): \(found.map(String.init(describing:)) ?? "no failure")")
                exit(1)
            }
        }
        try HDF5Checkpoint.verify(path)
    }

    /// All attacks with the address space nearly used up: none may ask for what its file claims.
    @Test func attacksAllocateLittle() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            var files: [(Attack, String)] = []
            for (index, attack) in (ggufAttacks + safetensorsAttacks).enumerated() {
                files.append((attack, try folder.write("\(index)", attack.make())))
            }
            var limits = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits)
            limits.rlim_cur = rlim_t(try CrashTests.addressSpace() + 256 << 20)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits)
            for (index, (_, path)) in files.enumerated() {
                let found = failure {
                    if index < ggufAttacks.count {
                        let file = try ggufFile(path)
                        _ = try file.vocabulary()
                        _ = try file.configuration()
                    } else {
                        _ = try Safetensors(path)
                    }
                }
                guard found?.kind.exitCode == 65 else { exit(1) }
            }
        }
    }

    /// Bytes of address space in use.
    static func addressSpace() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.prefix { $0 != " " }) ?? 0) * Int(getpagesize())
    }
}
