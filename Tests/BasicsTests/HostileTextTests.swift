import Foundation
import Testing

@testable import Basics

/// Texts from files on their way to a terminal, a spreadsheet or a table.
@Suite struct HostileTextTests {
    static let printed: [(text: String, shown: String)] = [
        ("plain ü 🍸 −3 ∑", "plain ü 🍸 −3 ∑"),
        ("\u{1B}[31mred", "\\u{1B}[31mred"),
        ("\u{9B}31mred", "\\u{9B}31mred"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("a\r\nb", "a\\r\\nb"),
        ("a\u{0}b\u{7}c\u{8}d\u{7F}", "a\\u{0}b\\u{7}c\\u{8}d\\u{7F}"),
        ("a\u{2028}b\u{2029}c\u{85}d", "a\\u{2028}b\\u{2029}c\\u{85}d"),
        ("pay\u{202E}gnp.exe", "pay\\u{202E}gnp.exe"),
        ("\u{2066}a\u{2069}\u{200F}\u{61C}", "\\u{2066}a\\u{2069}\\u{200F}\\u{61C}"),
        ("a\u{200B}b\u{FEFF}c\u{AD}d", "a\\u{200B}b\\u{FEFF}c\\u{AD}d"),
        ("👩\u{200D}🔬 می\u{200C}خواهم", "👩\u{200D}🔬 می\u{200C}خواهم"),
        ("e\u{301}", "e\u{301}"),
    ]

    @Test(arguments: printed) func terminalsShowTextAsItIs(_ row: (text: String, shown: String)) {
        #expect(Array(row.text.printable.unicodeScalars) == Array(row.shown.unicodeScalars))
        let failure = Failure(.badData, file: row.text, at: row.text, row.text, remedy: "Try.")
        let shown = row.shown
        #expect(failure.description == "\(shown): \(shown): \(shown)\nTry.")
    }

    @Test func linesCanBeKept() {
        #expect("a\n\u{1B}b\r\n".printableLines == "a\n\\u{1B}b\\r\n")
    }

    @Test func aMessageIsBounded() {
        let long = String(repeating: "e", count: 10_000_000)
        #expect(Failure(.badData, at: "'\(long)'", long).description.utf8.count < 5000)
        // One character of a million scalars.
        let tall = "a" + String(repeating: "\u{301}", count: 1_000_000)
        #expect(Failure(.badData, tall).description.utf8.count < 5000)
        #expect("abc".shortened(to: 3) == "abc")
        #expect("abcd".shortened(to: 3) == "abc...")
    }

    static let cells: [(text: String, cell: String)] = [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""),
        ("a\r\nb", "\"a\r\nb\""), ("\"\u{301}", "\"\"\"\u{301}\""), ("", ""),
        ("=1+1", "'=1+1"), ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"), ("@x", "'@x"),
        ("+1+cmd", "'+1+cmd"), ("-1-1", "'-1-1"), ("-x", "'-x"), ("-", "'-"),
        (" =1", "' =1"), ("\t=1", "'\t=1"), ("\tx", "'\tx"), ("\rx", "\"'\rx\""),
        ("＝1", "'＝1"), ("=\"a,b\"", "\"'=\"\"a,b\"\"\""), ("-inf", "'-inf"), ("-0x1p3", "'-0x1p3"),
        ("-3.2", "-3.2"), ("+1", "+1"), ("-1", "-1"), ("-1e-05", "-1e-05"), ("−3", "−3"),
        ("a=b", "a=b"), ("a-1", "a-1"), ("'=1", "'=1"),
        ("\u{1B}[31m", "\\u{1B}[31m"), ("a\u{2028}b", "a\\u{2028}b"), ("x\ty", "x\ty"),
    ]

    @Test(arguments: cells) func cellsHoldNoFormulas(_ row: (text: String, cell: String)) throws {
        #expect(Array(CSV.cell(row.text).unicodeScalars) == Array(row.cell.unicodeScalars))
    }

    @Test func whatIsWrittenReadsBack() throws {
        let rows = [["a", "b"], ["1,\"2\"", "x\r\ny"], ["-3.2", "é"]]
        let table = try CSV(parsing: Array(CSV.text(rows).utf8))
        #expect([table.columns] + table.rows.map(\.fields) == rows)
    }

    @Test func tabsOnlySeparate() {
        #expect(
            CSV.tabSeparated(["x\ty", "=1", "a\nb", "-2", "c,\"d\""])
                == "x\\ty\t'=1\ta\\nb\t-2\tc,\"d\"\n"
        )
    }

    @Test func tableCellsShowAsTheyAre() {
        #expect(MarkdownTable.escape("a|\u{1B}[1m\u{202E}b\nc") == "a\\|\\u{1B}[1m\\u{202E}b c")
    }
}

/// Files that are no JSON Lines, and lines that other readers would split.
@Suite struct HostileFileTests {
    private func withFile<T>(_ data: Data, _ body: (String) throws -> T) throws -> T {
        let path = NSTemporaryDirectory() + "rsd-\(UUID().uuidString).jsonl"
        try TextFile.write(data, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private func failure(_ data: Data) throws -> Failure? {
        try withFile(data) { path in
            do { _ = try JSONLines.read(path) { $0 } } catch let failure as Failure {
                #expect(failure.kind == .badData && failure.file == path)
                return failure
            }
            return nil
        }
    }

    static let formats: [(start: [UInt8], name: String)] = [
        ([0xFF, 0xFE, 0x7B, 0], "UTF-16 text"), ([0xFE, 0xFF, 0, 0x7B], "UTF-16 text"),
        ([0x7B, 0, 0x22, 0], "UTF-16 text"), ([0, 0x7B, 0, 0x22], "UTF-16 text"),
        ([0xFF, 0xFE, 0, 0], "UTF-32 text"), (Array("PAR1".utf8), "a Parquet file"),
        ([0x1F, 0x8B, 8], "a gzip file"), ([0x50, 0x4B, 3, 4], "a zip file"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard file"), (Array("BZh9".utf8), "a bzip2 file"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"), (Array("GGUF".utf8), "a GGUF file, a model"),
        (Array("\n<!DOCTYPE html>".utf8), "an HTML page"),
        (
            Array("version https://git-lfs.github.com/spec/v1\n".utf8),
            "a Git LFS pointer, not the file that it stands for"
        ),
    ]

    @Test(arguments: formats) func otherFormatsAreNamed(
        _ row: (start: [UInt8], name: String)
    ) throws {
        let found = try failure(Data(row.start + [0, 1, 2, 3]))
        #expect(found?.message == "is \(row.name); expected JSON Lines, in UTF-8")
        #expect(found?.remedy?.isEmpty == false)
    }

    @Test func arraysAndPrettyRecordsAreNamed() throws {
        for text in ["[\n {\"a\": 1}\n]", "\n [{\"a\":1}]"] {
            let found = try failure(Data(text.utf8))
            #expect(found?.message.hasPrefix("begins with a JSON array") == true)
            #expect(found?.remedy?.contains("jq -c") == true)
        }
        let pretty = try failure(Data("{\n \"a\": 1\n}\n".utf8))
        #expect(pretty?.place == "line 1, byte 1")
        #expect(pretty?.remedy == "Write each record on one line.")
    }

    @Test func aLineIsBounded() throws {
        let long = Data("{\"a\":\"".utf8) + Data(repeating: 0x61, count: 20_000_000)
        let found = try failure(Data("{}\n".utf8) + long)
        #expect(found?.place == "line 2")
        #expect(found?.message.contains("longer than 16777216 bytes") == true)
        // A line of a gigabyte is given up as soon.
        try withFile(Data()) { path in
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.truncate(atOffset: 1 << 30)
            try file.close()
            let endless = #expect(throws: Failure.self) { try JSONLines.stream(path) { _ in } }
            #expect(endless?.place == "line 1" && endless?.kind == .badData)
        }
    }

    @Test func recordsStayOneLineForEveryReader() throws {
        let text = "a\u{2028}b\u{2029}c\u{85}d\u{9B}e\u{7F}f\u{B}g\u{0}"
        let line = JSON.string(text).compact
        #expect(line == #""a\u2028b\u2029c\u0085d\u009be\u007ff\u000bg\u0000""#)
        #expect(try JSON(parsing: line).string == text)
        // Digests stay what they were.
        #expect(JSON.string("\u{2028}\n").digestText == "\"\u{2028}\\n\"")
    }

    static let halves = [
        #""\ud83c""#, #""\udf78""#, #""\ud83cx""#, #""\ud83c\ud83c""#, #"{"\ud800":1}"#,
    ]

    @Test(arguments: halves) func halvesOfCharactersAreRefused(_ text: String) throws {
        let failure = #expect(throws: Failure.self) { try JSON(parsing: text) }
        #expect(failure?.message.hasSuffix("is half of a character") == true)
        let replaced = try JSON(replacingLoneSurrogatesIn: text.utf8).compact
        #expect(replaced.contains("\u{FFFD}"))
    }

    @Test func listsNameTheirElement() throws {
        let record = try JSON(parsing: #"{"ids":[1,"2"],"p":[0.5,true],"n":7}"#)
        func said(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(
            said { _ = try record.integers("ids") }
                == "'ids'[1]: found a string; expected an integer"
        )
        #expect(
            said { _ = try record.numbers("p") }
                == "'p'[1]: found a truth value; expected a number or null"
        )
        #expect(
            said { _ = try record.integers("n") }
                == "'n': found an integer; expected a list of integers"
        )
    }

    static let tables: [(text: String, expected: String)] = [
        ("a,b\n1,\"2", "line 2: a quote never ends"),
        ("a,b\n1,2\u{0}\n", "line 2: holds a NUL byte; expected text"),
        ("a,b\n1,\"2\n\u{0}\"\n", "line 3: holds a NUL byte; expected text"),
        (
            "a\n\"" + String(repeating: "x", count: 17_000_000),
            "line 2: a field is longer than 16777216 bytes; is a quote left open?"
        ),
        ("PAR1", "is a Parquet file; expected CSV, in UTF-8"),
    ]

    @Test(arguments: tables) func hostileTablesAreRefused(_ row: (text: String, expected: String)) {
        let failure = #expect(throws: Failure.self) { try CSV(parsing: Array(row.text.utf8)) }
        #expect(failure?.description.hasPrefix(row.expected) == true)
        #expect(failure?.kind == .badData)
    }
}
