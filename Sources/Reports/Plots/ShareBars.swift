import Basics
import Records

/// Bars of acceptance, fallback and low-probability shares, one panel a measure, one row an arm.
struct ShareBars {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// One panel: its title, its axis's name, and each arm's share.
    private struct Measure {
        var title: String
        var unit: String
        var values: [Double?]
        var highest: Double
    }

    /// The plot, or nil if no share is known.
    var svg: String? {
        let measures = measures
        guard !measures.isEmpty else { return nil }
        let picture = Picture(
            id: "shares",
            title: "Acceptance and low-probability tokens",
            subtitle: "Shares in %; P_S is the student's probability of a token of its traces.",
            description: measures.map { measure in
                let parts = zip(model.traces, measure.values).map {
                    "\($0.arm) \(NumberText.share($1))"
                }
                return "\(measure.title): \(parts.joined(separator: ", "))."
            }.joined(separator: " ")
        )
        let grid = FacetGrid(
            rows: model.traces.map(\.arm),
            panelCount: measures.count,
            top: picture.headerHeight
        )
        var body = grid.labels
        for (index, measure) in measures.enumerated() {
            body += drawn(measure, in: grid.panel(index), of: grid)
        }
        return picture.markup(height: grid.bottom + 2, body: body)
    }

    /// The measures that at least one arm has; both low-probability shares share one axis.
    private var measures: [Measure] {
        func known(_ path: KeyPath<TraceStatistics, Double?>) -> [Double?] {
            model.traces.map { $0[keyPath: path].flatMap { $0.isFinite ? $0 : nil } }
        }
        let low = known(\.shareBelowOnePercent)
        let lower = known(\.shareBelowTenthPercent)
        let most = (low + lower).compactMap(\.self).max() ?? 0
        let highest = min(1, Ticks.roundDomain([most], including: [0, 0.01], about: 4).upperBound)
        return [
            Measure(title: "P_S below 1 %", unit: "tokens, %", values: low, highest: highest),
            Measure(title: "P_S below 0.1 %", unit: "tokens, %", values: lower, highest: highest),
            Measure(
                title: "proposals accepted",
                unit: "proposals, %",
                values: known(\.acceptance),
                highest: 1
            ),
            Measure(
                title: "student spoke",
                unit: "positions, %",
                values: known(\.fallbackShare),
                highest: 1
            ),
        ].filter { $0.values.contains { $0 != nil } }
    }

    private func drawn(
        _ measure: Measure,
        in panel: FacetGrid.Panel,
        of grid: FacetGrid
    ) -> [SVGElement] {
        // The bar ends before the panel does, so that its number finds room behind it.
        let scale = Scale(
            domain: 0...measure.highest,
            start: panel.left,
            end: panel.right - 46
        )
        var elements = [grid.title(measure.title, of: panel)]
        elements += Axes.horizontal(
            scale,
            top: panel.top,
            bottom: panel.bottom,
            format: .percent,
            name: measure.unit,
            about: 4
        )
        for (row, trace) in model.traces.enumerated() {
            let y = panel.y(ofRow: row)
            guard let value = measure.values[row] else {
                elements.append(
                    .group(
                        "muted",
                        color: Picture.mutedInk,
                        [.label(NumberText.unknown, x: panel.left + 5, y: y + 4.5, size: 12)]
                    )
                )
                continue
            }
            let style = palette.style(of: trace.arm)
            let end = scale.clampedPosition(of: value)
            let text = NumberText.share(value)
            let bar = SVGElement(
                "rect",
                [
                    "x": panel.left, "y": y - 7, "width": max(1, end - panel.left), "height": 14,
                    "fill": "currentColor",
                ]
            )
            elements.append(
                .group(
                    style.role,
                    color: style.color,
                    tooltip: "\(trace.arm), \(measure.title): \(text)",
                    [bar]
                )
            )
            elements.append(.label(text, x: end + 5, y: y + 4.5, size: 12))
        }
        elements.append(.line(from: (panel.left, panel.top), to: (panel.left, panel.bottom)))
        return elements
    }
}
