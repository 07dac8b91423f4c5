/// A table in GitHub's Markdown, padded so that it also reads well in a terminal.
public struct MarkdownTable {
    /// How a column is set.
    public enum Alignment: Sendable {
        /// Flush left, for names.
        case left
        /// Flush right, for numbers.
        case right
    }

    /// The heading and setting of each column.
    public var columns: [(title: String, alignment: Alignment)]
    /// The cells, one array a row; a short row is filled with empty cells.
    public var rows: [[String]]

    /// A table of columns and rows.
    public init(columns: [(title: String, alignment: Alignment)], rows: [[String]] = []) {
        self.columns = columns
        self.rows = rows
    }

    /// A table whose first column is set left and whose others are set right.
    public init(header: [String], rows: [[String]] = []) {
        self.init(
            columns: header.enumerated().map { ($1, $0 == 0 ? .left : .right) },
            rows: rows
        )
    }

    /// The table's lines, each ended by a newline.
    public var text: String {
        let titles = columns.map { Self.escape($0.title) }
        let cells = rows.map { row in
            columns.indices.map { $0 < row.count ? Self.escape(row[$0]) : "" }
        }
        let widths = columns.indices.map { column in
            max(3, ([titles] + cells).map { $0[column].count }.max() ?? 0)
        }
        func line(_ cells: [String]) -> String {
            let padded = columns.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return columns[column].alignment == .left
                    ? cells[column] + space : space + cells[column]
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = columns.indices.map { column in
            let dashes = String(repeating: "-", count: widths[column] - 1)
            return columns[column].alignment == .left ? ":" + dashes : dashes + ":"
        }
        return line(titles) + line(rule) + cells.map(line).joined()
    }

    /// Text that cannot end its cell, in which no tag begins, and that a terminal shows as it is.
    ///
    /// A `<` before a space or digit is left alone: "p < 0.001" must read well in a terminal.
    public static func escape(_ text: String) -> String {
        var escaped = ""
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "|": escaped += "\\|"
            case "\\": escaped += "\\\\"
            // A link or a picture from elsewhere would begin here.
            case "]"
            where index + 1 < scalars.count && "([".unicodeScalars.contains(scalars[index + 1]):
                escaped += "\\]"
            case "<":
                let next = index + 1 < scalars.count ? scalars[index + 1] : " "
                let isHarmless = next.properties.isWhitespace || ("0"..."9").contains(next)
                escaped += isHarmless ? "<" : "&lt;"
            case _ where scalar.properties.isWhitespace && scalar != "\u{202F}": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped.printable
    }
}
