import Basics

/// Which questions each arm answers: one row an arm, one column a question, a fuller colour for more often.
///
/// The questions of a benchmark stand from the easiest to the hardest, so an arm that answers others
/// than its neighbours shows as a pattern and not as a number.
struct QuestionGridPlot {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// Columns of one line; a larger benchmark takes several.
    static let perLine = 150
    /// Shades beside white; shares in between are rounded.
    static let shades = 4

    private static let rowHeight = 15.0
    private static let lineGap = 12.0
    private static let headingHeight = 30.0

    /// The plot, or nil if no question is known.
    var svg: String? {
        let grids = model.questionGrids.filter { !$0.questions.isEmpty && !$0.rows.isEmpty }
        guard !grids.isEmpty else { return nil }
        let picture = Picture(
            id: "questions",
            title: "Which questions each arm answers",
            subtitle:
                "One column a question, the easiest first; the fuller the colour, the more samples right.",
            description: grids.map { grid in
                let (all, none) = grid.agreement
                return
                    "\(grid.benchmark), \(grid.questions.count) questions: all arms answer \(all) "
                    + "right at least half the time, no arm \(none)."
            }.joined(separator: " ")
        )
        let widest = grids.flatMap { $0.rows.map(\.arm) }.map { TextMetrics.width($0, size: 12) }
        let left = min(170, max(60, (widest.max() ?? 0) + 12))
        var body: [SVGElement] = []
        var y = picture.headerHeight
        for grid in grids {
            let (all, none) = grid.agreement
            body.append(
                .label(
                    TextMetrics.fitted(grid.benchmark, into: 300, size: 13),
                    x: 0,
                    y: y + 18,
                    bold: true
                )
            )
            let note =
                "\(NumberText.counted(grid.questions.count, "question")); right in every arm "
            body.append(
                .group(
                    "muted",
                    color: Picture.mutedInk,
                    [
                        .label(
                            note + "\(NumberText.count(all)), in none \(NumberText.count(none))",
                            x: Picture.width,
                            y: y + 18,
                            anchor: "end",
                            size: 12
                        )
                    ]
                )
            )
            y += Self.headingHeight
            let order = grid.order
            for start in stride(from: 0, to: order.count, by: Self.perLine) {
                let columns = Array(order[start..<min(start + Self.perLine, order.count)])
                body += line(grid, columns, left: left, top: y)
                y += Double(grid.rows.count) * Self.rowHeight + Self.lineGap
            }
        }
        return picture.markup(height: y, body: body)
    }

    private func line(
        _ grid: ReportModel.QuestionGrid,
        _ columns: [Int],
        left: Double,
        top: Double
    ) -> [SVGElement] {
        let count = min(Self.perLine, grid.questions.count)
        let width = min(9, (Picture.width - left) / Double(count))
        return grid.rows.enumerated().flatMap { index, row -> [SVGElement] in
            let y = top + Double(index) * Self.rowHeight
            let style = palette.style(of: row.arm)
            let height = Self.rowHeight - 2
            let ground = SVGElement(
                "rect",
                [
                    "x": left, "y": y, "width": width * Double(columns.count), "height": height,
                    "fill": "currentColor", "fill-opacity": 0.35,
                ]
            )
            let cells = (1...Self.shades).compactMap { shade -> SVGElement? in
                let path = columns.enumerated().filter { _, question in
                    Int((row.shares[question] * Double(Self.shades)).rounded()) == shade
                }.map { place, _ in
                    "M\((left + Double(place) * width).svgText) \(y.svgText)"
                        + "h\((width * 0.9).svgText)v\(height.svgText)h-\((width * 0.9).svgText)z"
                }.joined()
                guard !path.isEmpty else { return nil }
                return SVGElement(
                    "path",
                    [
                        "d": path, "fill": "currentColor",
                        "fill-opacity": Double(shade) / Double(Self.shades),
                    ]
                )
            }
            let mean = row.shares.reduce(0, +) / Double(max(1, row.shares.count))
            return [
                .label(
                    TextMetrics.fitted(row.arm, into: left - 10, size: 12),
                    x: left - 8,
                    y: y + 10.5,
                    anchor: "end",
                    size: 12
                ),
                .group("grid", color: Picture.gridInk, [ground]),
                .group(
                    style.role,
                    color: style.color,
                    tooltip: "\(row.arm), \(grid.benchmark): \(NumberText.percent(mean)) % right",
                    cells
                ),
            ]
        }
    }
}
