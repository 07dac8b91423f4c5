import Foundation
import Testing

@testable import Files

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
