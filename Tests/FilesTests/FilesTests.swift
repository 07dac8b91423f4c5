import Foundation
import Testing

@testable import Files

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

    @Test func replacesLoneSurrogates() throws {
        #expect(try JSON(parsing: "\"\\ud800x\\udc00\"").string == "\u{FFFD}x\u{FFFD}")
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
        // No process has so high a number; number 1 always runs, and may still be writing.
        for name in ["a.txt.tmp.2000000000", "b.txt.tmp.2000000000", "a.txt.tmp.1"] {
            #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil))
        }
        try TextFile.write("newer", to: "\(folder)/a.txt")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                "a.txt", "a.txt.tmp.1", "b.txt.tmp.2000000000",
            ]
        )
        #expect(try TextFile.read("\(folder)/a.txt") == Data("newer".utf8))
    }
}
