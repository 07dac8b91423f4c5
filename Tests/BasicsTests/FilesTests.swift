import Foundation
import Synchronization
import Testing

@testable import Basics

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "-0.5", "1e+300", "9007199254740993", "\"\\u00e9\\ud83d\\ude00\\n\"",
        "[]", "{}", "[1,[2,{\"a\":null}]]", "{\"b\":1,\"a\":2}",
    ]) func survivesParsingAndWriting(_ text: String) throws {
        let value = try JSON(parsing: text)
        #expect(try JSON(parsing: value.compact).compact == value.compact)
        #expect(try JSON(parsing: value.pretty).compact == value.compact)
    }

    @Test(arguments: [
        "", "nul", "01", "-", "1.", "1e", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "\"\u{01}\"",
        "\"\\x\"",
        "1 2", "{\"a\":1,\"a\":2}", "1e999", "\"open", "[", "\"\\ud8\"",
    ]) func refuses(_ text: String) {
        #expect(throws: Failure.self) { try JSON(parsing: text) }
    }

    @Test func refusesDeepNesting() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: Failure.self) { try JSON(parsing: text) }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: Failure.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func keepsCanonicallyEquivalentKeysApart() throws {
        let value = try JSON(parsing: "{\"\u{E0}\":1,\"a\u{300}\":2}")
        #expect(value["\u{E0}"]?.integer == 1)
        #expect(value["a\u{300}"]?.integer == 2)
    }

    @Test func keepsTheOrderOfMembersAndIntegers() throws {
        #expect(try JSON(parsing: " {\"z\": 10, \"a\": 1.5} ").compact == "{\"z\":10,\"a\":1.5}")
    }

    @Test func writesFloatsInTheirShortestForm() {
        #expect(JSON.numbers([Float(0.1), .nan, 1]).compact == "[0.1,null,1.0]")
    }
}

@Suite struct JSONLinesTests {
    let path = FileManager.default.temporaryDirectory.appending(
        path: "rsd-\(UUID().uuidString) ü.jsonl"
    ).path(percentEncoded: false)

    private func write(_ text: String) throws { try TextFile.write(text, to: path) }
    private func numbers(_ tail: JSONLines.TornTail = .refuse) throws -> [Int] {
        try JSONLines.read(path, tornTail: tail) { try $0.integer("n") }
    }

    @Test func readsBOMAndCRLFAndBlankLines() throws {
        try write("\u{FEFF}{\"n\":1}\r\n\r\n{\"n\":2}\r\n{\"n\":3}")
        #expect(try numbers() == [1, 2, 3])
    }

    @Test func namesFileLineAndKey() throws {
        try write("{\"n\":1}\n{\"n\":\"x\"}\n")
        let failure = #expect(throws: Failure.self) { try numbers() }
        #expect(failure?.file == path)
        #expect(failure?.place == "line 2, 'n'")
        #expect(failure?.kind.exitCode == 65)
    }

    @Test func dropsOnlyATornTail() throws {
        try write("{\"n\":1}\n{\"n\":2")
        #expect(try numbers(.drop) == [1])
        #expect(throws: Failure.self) { try numbers() }
        try write("{\"n\":1\n{\"n\":2}\n")
        #expect(throws: Failure.self) { try numbers(.drop) }
    }

    @Test func appendingCutsATornTail() throws {
        try write("{\"n\":1}\n{\"n\":2")
        try JSONLines.Appender(path).append(["n": 3])
        #expect(try numbers() == [1, 3])
    }

    @Test func missingFileIsMissingInput() {
        let failure = #expect(throws: Failure.self) { try numbers() }
        #expect(failure?.kind.exitCode == 66)
    }

    /// A file that opens but cannot be read is no file that ends.
    @Test func aReadErrorIsAFailure() {
        // Nothing is mapped at address 0.
        let failure = #expect(throws: Failure.self) {
            try JSONLines.stream("/proc/self/mem") { _ in }
        }
        #expect(failure?.kind.exitCode == 66 && failure?.message == "cannot be read")
    }

    @Test func fullDiskIsADiskFailure() throws {
        let file = try OutputFile(appendingTo: "/dev/full")
        let failure = #expect(throws: Failure.self) { try file.write(Data("x".utf8)) }
        #expect(failure?.kind.exitCode == 74)
    }
}

@Suite struct TextFileTests {
    @Test func sweepsWhatAKilledWriterLeft() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try TextFile.write("new", to: "\(folder)/a.txt")
        // One whose writer has ended, one of another file, one that is being written, and one of a
        // process elsewhere, of which nothing can be known.
        let dead = try TemporaryFile(for: "\(folder)/a.txt").path
        let other = try TemporaryFile(for: "\(folder)/b.txt").path
        let alive = try TemporaryFile(for: "\(folder)/a.txt")
        let elsewhere = "\(folder)/a.txt.tmp.01234567-4026531836-2000000000-1"
        for path in [elsewhere, "\(folder)/a.txt.tmp.2000000000"] {
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
        }
        #expect(FileManager.default.fileExists(atPath: dead))
        try TextFile.write("newer", to: "\(folder)/a.txt")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                == [
                    "\(folder)/a.txt", elsewhere, "\(folder)/a.txt.tmp.2000000000", alive.path,
                    other,
                ].map { URL(filePath: $0).lastPathComponent }.sorted()
        )
        #expect(try TextFile.read("\(folder)/a.txt") == Data("newer".utf8))
        withExtendedLifetime(alive) {}
    }

    /// Many at once, in one process and for one name: each has a file of its own, and none is swept.
    @Test func writersOfOneNameDoNotMeet() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let failures = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 200) { number in
            do { try TextFile.write("\(number)", to: "\(folder)/a.txt") } catch {
                failures.withLock { $0 += 1 }
            }
        }
        #expect(failures.withLock { $0 } == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
    }

    /// What is no file is refused at once, for reading and for writing.
    @Test func refusesWhatIsNoFile() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
        let cases = [
            ("\(folder)/pipe", "is a named pipe; expected a file"),
            (folder, "is a folder; expected a file"), ("/dev/zero", "is a device; expected a file"),
            ("\(folder)/none", "no such file"), ("\(folder)/pipe/below", "no such file"),
        ]
        for (path, message) in cases {
            let found = #expect(throws: Failure.self) { try TextFile.read(path) }
            #expect(found?.message == message && found?.kind.exitCode == 66)
            #expect(throws: Failure.self) { try JSONLines.stream(path) { _ in } }
            #expect(throws: Failure.self) { try LineReader(path) }
        }
        let pipe = #expect(throws: Failure.self) { try OutputFile(appendingTo: "\(folder)/pipe") }
        #expect(pipe?.kind.exitCode == 74)
        // What is open already may be anything.
        let ends = Pipe()
        try ends.fileHandleForWriting.write(contentsOf: Data("text".utf8))
        try ends.fileHandleForWriting.close()
        let name = "/dev/fd/\(ends.fileHandleForReading.fileDescriptor)"
        #expect(try TextFile.read(name) == Data("text".utf8))
    }

    @Test func writesThroughNoLink() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let target = "\(folder)/target"
        try TextFile.write("mine", to: target)
        for (link, to) in [("link", target), ("dangling", "\(folder)/none")] {
            #expect(symlink(to, "\(folder)/\(link)") == 0)
            for open in [OutputFile.init(creating:), OutputFile.init(appendingTo:)] {
                let found = #expect(throws: Failure.self) { try open("\(folder)/\(link)") }
                #expect(found?.kind.exitCode == 74)
                #expect(found?.remedy?.contains("symbolic link") == true)
            }
        }
        #expect(try TextFile.read(target) == Data("mine".utf8))
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
        // Replacing puts a file in the place of the link.
        try TextFile.write("own", to: "\(folder)/link")
        #expect(try TextFile.read(target) == Data("mine".utf8))
    }

    /// What is written to a file that has lost its name is lost.
    @Test func appendingNoticesThatItsFileIsGone() throws {
        for replaces in [false, true] {
            let folder = try folder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let path = "\(folder)/below/a.jsonl"
            let lines = try JSONLines.Appender(path)
            try lines.append(["n": 1])
            try FileManager.default.removeItem(atPath: "\(folder)/below")
            if replaces { try TextFile.write("", to: path) }
            let found = #expect(throws: Failure.self) { try lines.append(["n": 2]) }
            #expect(found?.kind.exitCode == 74 && found?.file == path)
        }
    }

    @Test(arguments: [(EIO, true), (ENOSPC, true), (EINVAL, false), (ENOTSUP, false)])
    func aFolderThatCannotBeFlushedIsAFailure(code: Int32, isFailure: Bool) throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var found: Failure?
        do {
            try OutputFile.synchronizeFolder(folder) { _ in
                errno = code
                return -1
            }
        } catch { found = error as? Failure }
        #expect((found?.kind.exitCode == 74) == isFailure)
    }

    private func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            .path(percentEncoded: false)
        try TextFile.createFolder(folder)
        return folder
    }
}

@Suite struct LineReaderTests {
    @Test(arguments: ["", "\n", "a", "a\n", "a\n\nb", "a\r\nb\n"]) func givesTheLines(
        _ text: String
    ) throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Short lines, and lines longer than what is read at once.
        for times in [1, 300_000] {
            let text = String(
                text.map { $0 == "a" ? String(repeating: "a", count: times) : "\($0)" }.joined()
            )
            try TextFile.write(text, to: path)
            let reader = try LineReader(path)
            var again: [UInt8] = []
            while let line = try reader.next() {
                #expect(line.offset == again.count)
                again += line.bytes + (line.isEnded ? [0x0A] : [])
            }
            #expect(again == Array(text.utf8))
        }
    }

    @Test(arguments: [
        ([Int](), "none"), ([3], "3"), ([3, 4, 5, 9], "3 to 5 and 9"), ([1, 3, 5], "1, 3 and 5"),
        (Array(stride(from: 0, to: 50, by: 2)), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and more"),
    ]) func listsNumbers(_ numbers: [Int], _ text: String) {
        #expect(JSONLines.list(numbers) == text)
    }
}
