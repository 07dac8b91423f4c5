import Foundation

/// A Markdown table, padded so that it reads well as plain text too.
struct TextTable {
    /// The heads of the columns; the first column is set left, the others right.
    var header: [String]
    /// The rows, each as long as the header.
    var rows: [[String]] = []

    /// The table with a final newline.
    var markdown: String {
        let all = ([header] + rows).map { $0.map { $0.replacing("|", with: "\\|") } }
        let widths = header.indices.map { column in
            max(3, all.map { $0[column].count }.max() ?? 0)
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = widths.enumerated().map { column, width in
            column == 0
                ? String(repeating: "-", count: width)
                : String(repeating: "-", count: width - 1) + ":"
        }
        return line(all[0]) + line(rule) + all.dropFirst().map(line).joined()
    }
}

/// A share as per cent: `54.2 %`, `0.04 %`; a dash for nil.
func percentage(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    let value = 100 * share
    return String(format: value > 0 && value < 0.995 ? "%.2f %%" : "%.1f %%", value)
}

/// A number with one decimal; a dash for nil.
func decimal(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }
