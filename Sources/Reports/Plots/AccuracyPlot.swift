import Basics

/// Accuracy of every arm on every benchmark: a dot and its interval, one panel a benchmark.
struct AccuracyPlot {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// The plot, or nil if nothing has been scored.
    var svg: String? {
        let scores = model.scores.filter { $0.accuracy.isFinite }
        let columns = model.columnsFromAverage.filter { column in
            scores.contains { $0.benchmark == column }
        }
        guard !columns.isEmpty, !model.arms.isEmpty else { return nil }
        let level = NumberText.fixed(model.confidence * 100, decimals: 0)
        let base = model.baseArm.map { " The dashed line is \($0)." } ?? ""
        let picture = Picture(
            id: "accuracy",
            title: "Accuracy by benchmark and arm",
            subtitle: "Right answers, %; bars are \(level) % intervals.\(base)",
            description: Summary(model: model).paragraph
        )
        let grid = FacetGrid(
            rows: model.arms.map(\.name),
            panelCount: columns.count,
            top: picture.headerHeight,
            most: columns.count == 4 ? 4 : 3
        )
        var body = grid.labels
        for (index, column) in columns.enumerated() {
            body += drawn(column, in: grid.panel(index), of: grid, domain: domain(of: scores))
        }
        return picture.markup(height: grid.bottom + 2, body: body)
    }

    /// One domain for all panels, so that positions compare; never beyond 0 to 100 %.
    private func domain(of scores: [ReportModel.Score]) -> ClosedRange<Double> {
        let values = scores.flatMap { score -> [Double] in
            [score.accuracy, score.interval?.lower ?? .nan, score.interval?.upper ?? .nan]
        }
        let round = Ticks.roundDomain(values, about: 8)
        let low = max(0, round.lowerBound)
        return low...max(low + 0.01, min(1, round.upperBound))
    }

    private func drawn(
        _ column: String?,
        in panel: FacetGrid.Panel,
        of grid: FacetGrid,
        domain: ClosedRange<Double>
    ) -> [SVGElement] {
        let scale = Scale(domain: domain, start: panel.left + 6, end: panel.right - 6)
        let room = panel.right - panel.left
        var elements = [grid.title(column ?? "average", of: panel)]
        elements += Axes.horizontal(
            scale,
            top: panel.top,
            bottom: panel.bottom,
            format: .percent,
            name: "accuracy, %",
            about: room < 160 ? 4 : 6
        )
        if let name = model.baseArm,
            let base = model.score(arm: name, benchmark: column)?.accuracy, base.isFinite
        {
            let x = scale.position(of: base)
            elements.append(
                .group(
                    "muted",
                    color: Picture.mutedInk,
                    [.line(from: (x, panel.top), to: (x, panel.bottom), dash: "3 3")]
                )
            )
        }
        for (row, arm) in model.arms.enumerated() {
            guard let score = model.score(arm: arm.name, benchmark: column),
                score.accuracy.isFinite
            else { continue }
            let style = palette.style(of: arm.name)
            let y = panel.y(ofRow: row)
            let value = NumberText.percent(score.accuracy, score.interval)
            elements.append(
                .group(
                    style.role,
                    color: style.color,
                    tooltip: "\(arm.name), \(column ?? "average"): \(value) %",
                    Whisker.horizontal(score.interval, scale: scale, y: y)
                        + [style.marker.element(x: scale.position(of: score.accuracy), y: y)]
                )
            )
        }
        return elements
    }
}
