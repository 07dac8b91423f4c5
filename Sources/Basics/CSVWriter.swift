extension CSV {
    /// Rows as text (RFC 4180), each ended by a newline.
    public static func text(_ rows: [[String]]) -> String {
        rows.map { $0.map(cell).joined(separator: ",") + "\n" }.joined()
    }

    /// A cell: in quotes where it holds a comma, a quote or a line break.
    ///
    /// Line breaks and tabs are kept inside the quotes, other control characters are spelled. What
    /// a spreadsheet would take for a formula begins with an apostrophe.
    public static func cell(_ text: String) -> String {
        // By scalars, because "\r\n" is one `Character` and neither of its halves.
        let content = withoutFormula(text).spelled(keeping: ["\n", "\r", "\t"])
        let special: Set<Unicode.Scalar> = [",", "\"", "\n", "\r"]
        guard content.unicodeScalars.contains(where: special.contains) else { return content }
        var inner = String.UnicodeScalarView()
        for scalar in content.unicodeScalars {
            if scalar == "\"" { inner.append("\"") }
            inner.append(scalar)
        }
        return "\"\(String(inner))\""
    }

    /// Cells as one line with tabs between them, ended by a newline.
    ///
    /// Tabs, line breaks and control characters inside a cell are spelled; formulas as in `cell`.
    public static func tabSeparated(_ cells: [String]) -> String {
        cells.map { withoutFormula($0).printable }.joined(separator: "\t") + "\n"
    }

    /// Text that no spreadsheet computes; numbers such as -3.2 stay numbers.
    ///
    /// Spreadsheets take a cell for a formula by its first character, white space skipped, and
    /// full-width signs for their narrow forms.
    private static func withoutFormula(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        let start = text.unicodeScalars.first { !$0.properties.isWhitespace } ?? first
        let starts: Set<Unicode.Scalar> = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]
        let isBlank: Set<Unicode.Scalar> = ["\t", "\r", "\n"]
        guard starts.contains(start) || isBlank.contains(first), !isNumber(text) else {
            return text
        }
        return "'" + text
    }

    private static func isNumber(_ text: String) -> Bool {
        text.utf8.allSatisfy { "+-.eE0123456789".utf8.contains($0) } && Double(text) != nil
    }
}
