/// The frame of every plot: title, description, legend, white ground, and what is drawn inside.
///
/// Colours are presentation attributes, so a file on its own is dark ink on a white ground in any
/// viewer; a page overrides them by the classes `plot`, `ground`, `muted` and `series-N`.
struct Picture {
    /// Letters and digits that name the picture within a page, such as "accuracy".
    var id: String
    /// The title, drawn on top.
    var title: String
    /// A line under the title that says how to read the plot, or empty.
    var subtitle = ""
    /// The picture in words, for those who do not see it.
    var description: String
    /// What the legend explains, or empty.
    var legend: [LegendEntry] = []

    /// One entry of the legend.
    struct LegendEntry {
        /// The name.
        var name: String
        /// How it is drawn.
        var style: Palette.Style
        /// Whether a piece of line is shown beside the marker.
        var showsLine = false
    }

    /// The width of every picture, in user units; text sizes are in the same units.
    static let width = 760.0
    /// The colour of text and axes on white paper.
    static let ink = "#1F2328"
    /// The colour of secondary text.
    static let mutedInk = "#57606A"
    /// The colour of grid lines.
    static let gridInk = "#D8DEE4"

    /// The height of title, subtitle and legend together: where the drawing may begin.
    var headerHeight: Double {
        legendTop + Double(legendRows.count) * Self.legendLine + (legend.isEmpty ? 2 : 6)
    }

    /// The finished picture.
    ///
    /// - Parameters:
    ///   - height: The height of the whole, header included.
    ///   - body: What is drawn, in coordinates of the whole picture.
    /// - Returns: A complete SVG document without an XML declaration.
    func markup(height: Double, body: [SVGElement]) -> String {
        var header = [SVGElement.label(title, x: 0, y: 20, size: 16, bold: true)]
        if !subtitle.isEmpty {
            header.append(
                .group("muted", color: Self.mutedInk, [.label(subtitle, x: 0, y: 40)])
            )
        }
        let root = SVGElement(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "class": "plot", "role": "img",
                "aria-labelledby": "\(id)-title \(id)-description",
                "viewBox": "-12 -8 \((Self.width + 24).svgText) \((height + 16).svgText)",
                "width": Self.width + 24, "height": height + 16, "fill": "currentColor",
                "color": Self.ink, "font-size": 13,
                "font-family": "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', "
                    + "'Noto Sans', Arial, sans-serif",
            ],
            children: [
                SVGElement("title", ["id": "\(id)-title"], text: title),
                SVGElement("desc", ["id": "\(id)-description"], text: description),
                SVGElement(
                    "rect",
                    [
                        "class": "ground", "x": -12, "y": -8, "width": Self.width + 24,
                        "height": height + 16, "fill": "#FFFFFF",
                    ]
                ),
            ] + header + drawnLegend + body
        )
        return root.markup + "\n"
    }

    private static let legendLine = 22.0

    private var legendTop: Double { subtitle.isEmpty ? 32 : 50 }

    /// The legend's entries with their x positions, broken into rows that fit the width.
    private var legendRows: [[(entry: LegendEntry, x: Double)]] {
        var rows: [[(entry: LegendEntry, x: Double)]] = []
        var x = Double.infinity
        for entry in legend {
            let width = symbolWidth(entry) + TextMetrics.width(name(entry), size: 13) + 20
            if x + width > Self.width {
                rows.append([])
                x = 0
            }
            rows[rows.count - 1].append((entry, x))
            x += width
        }
        return rows
    }

    private func symbolWidth(_ entry: LegendEntry) -> Double { entry.showsLine ? 36 : 18 }

    private func name(_ entry: LegendEntry) -> String {
        TextMetrics.fitted(entry.name, into: 240, size: 13)
    }

    private var drawnLegend: [SVGElement] {
        legendRows.enumerated().flatMap { index, row in
            row.map { entry, x in
                let y = legendTop + Self.legendLine * (Double(index) + 0.5)
                let middle = x + (entry.showsLine ? 15 : 6)
                var symbol: [SVGElement] = []
                if entry.showsLine {
                    symbol.append(
                        .polyline([(x, y), (x + 30, y)], dash: entry.style.dash)
                    )
                }
                symbol.append(entry.style.marker.element(x: middle, y: y, radius: 4.5))
                return SVGElement(
                    "g",
                    children: [
                        .group(entry.style.role, color: entry.style.color, symbol),
                        .label(name(entry), x: x + symbolWidth(entry), y: y + 4.5),
                    ]
                )
            }
        }
    }
}
