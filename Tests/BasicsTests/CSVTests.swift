import Basics
import TestSupport
import Testing

/// Reading and writing comma-separated values; what becomes of formulas is in `HostileTextTests`.
@Suite struct CSVTests {
    struct Table: Sendable, CustomTestStringConvertible {
        var text: String
        var rows: [[String]]
        /// The lines that the rows behind the header begin on.
        var lines: [Int]
        var testDescription: String { text.debugDescription }
    }

    static let tables: [Table] = [
        Table(text: "a,b\n1,2\n", rows: [["a", "b"], ["1", "2"]], lines: [2]),
        // No newline at the end; CRLF; a byte-order mark.
        Table(text: "a,b\n1,2", rows: [["a", "b"], ["1", "2"]], lines: [2]),
        Table(text: "\u{FEFF}a,b\r\n1,2\r\n", rows: [["a", "b"], ["1", "2"]], lines: [2]),
        // Blank lines separate; empty fields are fields.
        Table(
            text: "\n\na,b\n\n,\n\n1,\n",
            rows: [["a", "b"], ["", ""], ["1", ""]],
            lines: [5, 7]
        ),
        Table(text: "a\n\"\"\"\"\n", rows: [["a"], ["\""]], lines: [2]),
        // Inside quotes commas, quotes and both kinds of line break are text, and lines count on.
        Table(
            text: "\"a,\"\"x\"\"\",b\n\"1\n\n2\r\n3\",\"\"\n4,5\n",
            rows: [["a,\"x\"", "b"], ["1\n\n2\r\n3", ""], ["4", "5"]],
            lines: [2, 6]
        ),
        // Spaces belong to the field, and so does what follows a closing quote.
        Table(
            text: "a , b\n\"1\"x, \"2\"\n",
            rows: [["a ", " b"], ["1x", " \"2\""]],
            lines: [2]
        ),
        // A quote with a combining mark is one character, and still a quote.
        Table(text: "a\n\"\"\"\u{301}\"\n", rows: [["a"], ["\"\u{301}"]], lines: [2]),
        Table(text: "ä,日本\n😀,\u{2028}\n", rows: [["ä", "日本"], ["😀", "\u{2028}"]], lines: [2]),
    ]

    @Test(arguments: tables) func tablesAreRead(_ table: Table) throws {
        let read = try CSV(parsing: Array(table.text.utf8))
        let rows = [read.columns] + read.rows.map(\.fields)
        #expect(
            rows.map { $0.map { Array($0.utf8) } } == table.rows.map { $0.map { Array($0.utf8) } }
        )
        #expect(read.rows.map(\.line) == table.lines)
    }

    static let damaged: [(bytes: [UInt8], said: String)] = [
        (Array("".utf8), "line 1: is empty; expected the names of columns"),
        (Array("\n\r\n\n".utf8), "line 1: is empty; expected the names of columns"),
        (Array("a,b\n1\n".utf8), "line 2: has 1 fields; expected 2"),
        (Array("a,b\n\n1,2\n1,2,\n".utf8), "line 4: has 3 fields; expected 2"),
        // The row is named by the line that it begins on.
        (Array("a,b\n\"1\n2\",3\n4\n".utf8), "line 4: has 1 fields; expected 2"),
        (Array("a,b\n\"1\n2\",3,4\n".utf8), "line 2: has 3 fields; expected 2"),
        (Array("a,b\n1,\"2\n3,4\n".utf8), "line 2: a quote never ends"),
        (Array("a,b\n1,\u{0}\n".utf8), "line 2: holds a NUL byte; expected text"),
        (Array("a,b\n1,".utf8) + [0xFF, 0x0A], "line 2: is not UTF-8 text"),
    ]

    @Test(arguments: damaged)
    func damagedTablesAreRefused(_ row: (bytes: [UInt8], said: String)) {
        let failure = #expect(throws: Failure.self) { try CSV(parsing: row.bytes) }
        #expect(failure?.kind == .badData && failure?.description == row.said)
    }

    @Test func aFieldIsBounded() {
        let long = "a\n\"" + String(repeating: "x", count: CSV.longestField + 1) + "\"\n"
        let failure = #expect(throws: Failure.self) { try CSV(parsing: Array(long.utf8)) }
        #expect(failure?.place == "line 2")
    }

    @Test func aFileIsNamed() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("x.csv")
        let missing = #expect(throws: Failure.self) { try CSV.read(path) }
        #expect(missing?.kind == .missingInput)
        try TextFile.write("a,b\n1\n", to: path)
        let broken = #expect(throws: Failure.self) { try CSV.read(path) }
        #expect(broken?.kind == .badData && broken?.file == path && broken?.place == "line 2")
    }

    /// Fields of random signs, with what quoting has to do with, come back as they were.
    @Test func everyTableComesBack() throws {
        var random = SplitMix(state: 7)
        let signs: [Character] = [
            ",", "\"", "\n", "\r", "\r\n", "\t", " ", "'", "=", "a", "é", "−",
        ]
        for _ in 0..<300 {
            let width = Int.random(in: 1...4, using: &random)
            // A first letter keeps a field from being a formula.
            let rows = (0...Int.random(in: 0...3, using: &random)).map { _ in
                (0..<width).map { _ in
                    "x"
                        + String(
                            (0..<Int.random(in: 0...5, using: &random))
                                .map { _ in signs.randomElement(using: &random) ?? "b" }
                        )
                }
            }
            let text = CSV.text(rows)
            let read = try CSV(parsing: Array(text.utf8))
            let found = [read.columns] + read.rows.map(\.fields)
            #expect(
                found.map { $0.map { Array($0.utf8) } } == rows.map { $0.map { Array($0.utf8) } },
                "\(text.debugDescription)"
            )
        }
    }
}
