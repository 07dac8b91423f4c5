import Basics
import Foundation
import Testing

@testable import Experiments

@Suite struct RunLockTests {
    @Test func keepsASecondProcessOutUntilReleased() throws {
        try withFolder { folder in
            let path = "\(folder)/lock"
            let lock = try RunLock(path)
            // flock belongs to the open file, so a second one in this process is refused too.
            let text = failureText { _ = try RunLock(path) }
            let process = ProcessInfo.processInfo.processIdentifier
            #expect(
                text == "75: \(path): process \(process) is working here\n"
                    + "Wait for it to end, then run the same command again."
            )
            lock.release()
            lock.release()
            let again = try RunLock(path)
            again.release()
        }
    }

    @Test func takesOverTheLockOfADeadProcess() throws {
        try withFolder { folder in
            let path = "\(folder)/lock"
            try TextFile.write("999999999\n", to: path)
            let lock = try RunLock(path)
            let text = String(decoding: try TextFile.read(path), as: UTF8.self)
            #expect(text == ProcessIdentity.current.text)
            lock.release()
        }
    }

    /// Where there is no `flock`, only what has ended for certain is taken over.
    @Test func withoutFlockAForeignLockStays() throws {
        let own = ProcessIdentity.current
        func identity(_ change: (inout ProcessIdentity) -> Void) -> ProcessIdentity {
            var copy = own
            copy.process = 999_999_999
            change(&copy)
            return copy
        }
        let cases: [(owner: ProcessIdentity?, isTaken: Bool, name: String)] = [
            (identity { _ in }, true, ""),
            (identity { $0.process = 1 }, false, "process 1 is"),
            (identity { $0.namespace = "1" }, false, "another container on this machine"),
            (
                identity {
                    $0.boot = "b"; $0.host = "node7"
                }, false, "process 999999999 on node7"
            ),
            (nil, false, "another process is"),
        ]
        for (owner, isTaken, name) in cases {
            try withFolder { folder in
                let path = "\(folder)/lock"
                try TextFile.write(owner?.text ?? "", to: path + ".held")
                func take() throws -> RunLock { try RunLock(path) { _ in ENOTSUP } }
                if isTaken {
                    let lock = try take()
                    #expect(failureText { _ = try take() }.hasPrefix("75: "))
                    lock.release()
                    try take().release()
                } else {
                    let text = failureText { _ = try take() }
                    #expect(text.hasPrefix("75: ") && text.contains(name), "\(text)")
                    #expect(try TextFile.read(path + ".held") == Data((owner?.text ?? "").utf8))
                }
                let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                #expect(left == (isTaken ? ["lock"] : ["lock", "lock.held"]), "\(left)")
            }
        }
    }

    /// A link leads elsewhere, and a pipe nowhere.
    @Test func refusesLinksAndPipes() throws {
        try withFolder { folder in
            for name in ["link", "dangling"] {
                let target = "\(folder)/\(name)-target"
                if name == "link" { try TextFile.write("mine", to: target) }
                #expect(symlink(target, "\(folder)/\(name)") == 0)
                let text = failureText { _ = try RunLock("\(folder)/\(name)") }
                #expect(text.hasPrefix("74: ") && text.contains("symbolic link"), "\(text)")
                #expect((try? TextFile.read(target)) == (name == "link" ? Data("mine".utf8) : nil))
            }
        }
    }
}

@Suite struct CommandOutputTests {
    @Test func isWhatAProgramPrints() {
        func text(_ arguments: String...) -> String? {
            CommandOutput.of(arguments).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(text("sh", "-c", "cat; echo out; echo err >&2") == "out\n")
        #expect(text("sh", "-c", "echo out; exit 3") == nil)
        #expect(text("sh", "-c", "kill -9 $$") == nil)
        #expect(text("no-such-program-anywhere") == nil)
        let long = text("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x")
        #expect(long?.utf8.count == 300_000)
    }

    /// Also one that holds its output open after its end, or prints for ever.
    @Test(arguments: ["sleep 60", "sleep 60 & echo x", "while :; do echo x; done"])
    func isWaitedForOnlySoLong(command: String) {
        let start = ContinuousClock.now
        #expect(CommandOutput.of(["sh", "-c", command], within: .seconds(0.3)) == nil)
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}

@Suite struct InputDigestTests {
    /// Another file of equal size and time is another file.
    @Test func rememberedDigestsAreThoseOfTheFile() throws {
        try withFolder { folder in
            let (path, cache) = ("\(folder)/weights.bin", "\(folder)/digests.json")
            let past = Date(timeIntervalSince1970: 1_700_000_000)
            func digest(_ byte: UInt8, inPlace: Bool) throws -> String {
                let data = Data(repeating: byte, count: 2 << 20)
                if inPlace {
                    try data.write(to: URL(filePath: path))
                } else {
                    try TextFile.write(data, to: path)
                }
                try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: path)
                return try InputDigests(cache: cache).digest(of: path)
            }
            let first = try digest(1, inPlace: true)
            #expect(try InputDigests(cache: cache).digest(of: path) == first)
            #expect(try digest(2, inPlace: true) != first)
            #expect(try digest(1, inPlace: true) == first)
            #expect(try digest(3, inPlace: false) != first)
            // One entry a file, however often it changes.
            #expect(try TextFile.readJSON(cache).object?.members.count == 1)
        }
    }
}
