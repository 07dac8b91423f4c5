/// A grid of panels side by side that share one column of row labels at the left.
struct FacetGrid {
    /// The room between two panels.
    static let gap = 22.0
    /// The height of one row.
    static let rowHeight = 24.0
    /// The height of a panel's title.
    static let titleHeight = 26.0

    /// The labels of the rows, from the top.
    var rows: [String]
    /// How many panels there are.
    var panelCount: Int
    /// The upper edge of the grid.
    var top: Double
    /// The most panels side by side; the others go below.
    var most = 4

    /// One panel: the area in which rows are drawn.
    struct Panel {
        /// The area's edges.
        var left, right, top, bottom: Double

        /// The middle of a row.
        func y(ofRow row: Int) -> Double {
            top + FacetGrid.rowHeight * (Double(row) + 0.5)
        }
    }

    /// The room for row labels.
    var labelWidth: Double {
        let widest = rows.map { TextMetrics.width($0, size: 13) }.max() ?? 0
        return min(190, max(60, widest + 14))
    }

    private var panelsPerLine: Int { max(1, min(panelCount, most)) }

    /// The height of one line of panels: title, rows, tick labels, the axis's name.
    private var lineHeight: Double {
        Self.titleHeight + Self.rowHeight * Double(rows.count) + 56
    }

    /// The lower edge of the grid with its tick labels.
    var bottom: Double {
        let lines = (panelCount + panelsPerLine - 1) / panelsPerLine
        return top + Double(lines) * lineHeight
    }

    /// The area of a panel, counted along the lines.
    func panel(_ index: Int) -> Panel {
        let count = Double(panelsPerLine)
        let room = Picture.width - labelWidth - Self.gap * (count - 1) - 8
        let width = min(room / count, 480)
        let left = labelWidth + Double(index % panelsPerLine) * (width + Self.gap)
        let upper = top + Double(index / panelsPerLine) * lineHeight + Self.titleHeight
        return Panel(
            left: left,
            right: left + width,
            top: upper,
            bottom: upper + Self.rowHeight * Double(rows.count)
        )
    }

    /// The row labels, once for each line of panels.
    var labels: [SVGElement] {
        stride(from: 0, to: panelCount, by: panelsPerLine).flatMap { first in
            let panel = panel(first)
            return rows.indices.map { row in
                let text = TextMetrics.fitted(rows[row], into: labelWidth - 14, size: 13)
                return SVGElement.label(
                    text,
                    x: labelWidth - 14,
                    y: panel.y(ofRow: row) + 4.5,
                    anchor: "end"
                )
            }
        }
    }

    /// A panel's title.
    func title(_ text: String, of panel: Panel) -> SVGElement {
        let room = panel.right - panel.left + Self.gap - 4
        return .label(
            TextMetrics.fitted(text, into: room, size: 13.5),
            x: panel.left,
            y: panel.top - 9,
            size: 13,
            bold: true
        )
    }
}
