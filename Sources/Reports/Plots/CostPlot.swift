import Basics
import Statistics

/// Accuracy against cost: one panel a kind of cost, one point an arm, with its interval.
struct CostPlot {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// A kind of cost and its means.
    private struct Panel {
        var title: String
        var unit: String
        var costs: [(arm: String, value: Double)]
    }

    private static let height = 230.0
    private static let gap = 26.0

    /// The plot, or nil where no more than one arm has a cost and an accuracy.
    var svg: String? {
        let panels = panels
        let shown = model.arms.map(\.name).filter { name in
            panels.contains { $0.costs.contains { $0.arm == name } }
        }
        guard !panels.isEmpty, shown.count > 1 else { return nil }
        let level = NumberText.fixed(model.confidence * 100, decimals: 0)
        let picture = Picture(
            id: "costs",
            title: "Accuracy against cost",
            subtitle: "Of one student, all that it needs charged in full; bars are \(level) % "
                + "intervals of accuracy.",
            description: description(panels),
            legend: shown.map { .init(name: $0, style: palette.style(of: $0)) }
        )
        let top = picture.headerHeight + 28
        let bottom = top + Self.height
        let left = 58.0
        let count = Double(panels.count)
        let width = (Picture.width - left - 10 - Self.gap * (count - 1)) / count
        let y = Scale(domain: domain(of: shown), start: bottom, end: top)
        var body = [Axes.verticalName("accuracy, %", x: 14, along: y)]
        for (index, panel) in panels.enumerated() {
            let start = left + Double(index) * (width + Self.gap)
            body += drawn(panel, y, left: start, right: start + width, isFirst: index == 0)
        }
        return picture.markup(height: bottom + 46, body: body)
    }

    private var panels: [Panel] {
        [
            panel("Machine time", "s") { model.meanCost(of: $0, \.seconds) },
            panel("Tokens trained", "tokens") { model.meanCost(of: $0, \.targetTokens) },
            panel("Tokens of the teacher", "tokens") { model.meanCost(of: $0, \.teacherTokens) },
        ].filter { $0.costs.contains { $0.value > 0 } }
    }

    private func panel(_ title: String, _ unit: String, _ mean: (String) -> Double?) -> Panel {
        let costs = model.arms.compactMap { arm -> (String, Double)? in
            guard score(arm.name) != nil, let cost = mean(arm.name) else { return nil }
            return (arm.name, cost)
        }
        let most = costs.map(\.1).max() ?? 0
        let (scale, words) =
            most >= 2e6 ? (1e6, "million ") : most >= 2e4 ? (1e3, "thousand ") : (1, "")
        return Panel(
            title: title,
            unit: words + unit,
            costs: costs.map { ($0.0, $0.1 / scale) }
        )
    }

    private func score(_ arm: String) -> ReportModel.Score? {
        model.score(arm: arm, benchmark: model.headline).flatMap {
            $0.accuracy.isFinite ? $0 : nil
        }
    }

    private func domain(of arms: [String]) -> ClosedRange<Double> {
        let values = arms.compactMap(score).flatMap { score -> [Double] in
            [score.accuracy, score.interval?.lower ?? .nan, score.interval?.upper ?? .nan]
        }
        let round = Ticks.roundDomain(values, about: 6)
        let low = max(0, round.lowerBound)
        return low...max(low + 0.01, min(1, round.upperBound))
    }

    private func drawn(
        _ panel: Panel,
        _ y: Scale,
        left: Double,
        right: Double,
        isFirst: Bool
    ) -> [SVGElement] {
        let (top, bottom) = (y.end, y.start)
        let most = panel.costs.map(\.value).max() ?? 1
        let x = Scale(
            domain: Ticks.roundDomain([most], including: [0], about: 4),
            start: left + 8,
            end: right - 8
        )
        var elements = [
            SVGElement.label(
                TextMetrics.fitted(panel.title, into: right - left, size: 13.5),
                x: left,
                y: top - 9,
                bold: true
            )
        ]
        elements += Axes.vertical(
            y,
            left: left,
            right: right,
            format: .percent,
            showsLabels: isFirst
        )
        elements += Axes.horizontal(
            x,
            top: top,
            bottom: bottom,
            format: .plain,
            name: panel.unit,
            about: 4
        )
        for (arm, value) in panel.costs {
            guard let score = score(arm) else { continue }
            let style = palette.style(of: arm)
            let place = x.position(of: value)
            let accuracy = NumberText.percent(score.accuracy, score.interval)
            elements.append(
                .group(
                    style.role,
                    color: style.color,
                    tooltip: "\(arm): \(accuracy) %, \(Self.text(value)) \(panel.unit)",
                    Whisker.vertical(score.interval, scale: y, x: place)
                        + [style.marker.element(x: place, y: y.position(of: score.accuracy))]
                )
            )
        }
        return elements
    }

    private static func text(_ value: Double) -> String {
        value < 100 ? NumberText.fixed(value, decimals: 1) : NumberText.count(Int(value.rounded()))
    }

    private func description(_ panels: [Panel]) -> String {
        panels.map { panel in
            let parts = panel.costs.map { arm, value in
                "\(arm) \(Self.text(value)) for \(NumberText.percent(score(arm)?.accuracy)) %"
            }
            return "\(panel.title), \(panel.unit): \(parts.joined(separator: ", "))."
        }.joined(separator: " ")
    }
}
