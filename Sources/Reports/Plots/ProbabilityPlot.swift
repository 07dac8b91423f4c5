import Basics
import Records

/// Histograms of log10 P_S, one panel an arm: how likely the student found its training tokens.
///
/// The height is logarithmic, because the interesting tokens are a few per cent of all.
struct ProbabilityPlot {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    private static let panelHeight = 112.0
    private static let titleHeight = 40.0

    /// The plot, or nil if no arm has a histogram.
    var svg: String? {
        let traces = model.traces.filter { !($0.histogram?.shares.isEmpty ?? true) }
        let edges = traces.flatMap { $0.histogram?.edges ?? [] }
        guard let low = edges.min(), let high = edges.max(), low < high else { return nil }
        let picture = Picture(
            id: "probabilities",
            title: "How likely the student found the tokens of its traces",
            subtitle: "Histograms with a logarithmic height; strong colour: P_S below 1 %.",
            description: traces.map {
                "\($0.arm): \(NumberText.share($0.shareBelowOnePercent)) of tokens below 1 %, "
                    + "\(NumberText.share($0.shareBelowTenthPercent)) below 0.1 %."
            }.joined(separator: " ")
        )
        let columns = min(2, traces.count)
        let rows = (traces.count + columns - 1) / columns
        let lineHeight = Self.titleHeight + Self.panelHeight
        let top = picture.headerHeight
        let width = columns == 1 ? 420.0 : (Picture.width - 58 - 62) / 2
        var body: [SVGElement] = []
        for (index, trace) in traces.enumerated() {
            let (column, row) = (index % columns, index / columns)
            let left = 58 + Double(column) * (width + 62)
            let upper = top + Double(row) * lineHeight + Self.titleHeight
            let x = Scale(domain: low...high, start: left, end: left + width)
            let y = Scale(
                kind: .logarithmic,
                domain: floor(of: traces)...1,
                start: upper + Self.panelHeight,
                end: upper
            )
            let isLowest = index + columns >= traces.count
            body += drawn(trace, x: x, y: y, showsLabels: isLowest)
        }
        return picture.markup(height: top + Double(rows) * lineHeight + 44, body: body)
    }

    /// The lowest share on the axis: a power of ten below every bin that holds something.
    private func floor(of traces: [TraceStatistics]) -> Double {
        let shares = traces.flatMap { $0.histogram?.shares ?? [] }.filter { $0 > 0 }
        let least = max(shares.min() ?? 0.001, 1e-6)
        return min(0.01, Elementary.pow(10, (Elementary.log10(least) - 1e-9).rounded(.down)))
    }

    private func drawn(
        _ trace: TraceStatistics,
        x: Scale,
        y: Scale,
        showsLabels: Bool
    ) -> [SVGElement] {
        guard let histogram = trace.histogram else { return [] }
        let style = palette.style(of: trace.arm)
        let (top, bottom) = (y.end, y.start)
        let heading = TextMetrics.fitted(trace.arm, into: 160, size: 13)
        var elements: [SVGElement] = [
            .label(heading, x: x.start, y: top - 12, bold: true),
            .group(
                "muted",
                color: Picture.mutedInk,
                [
                    .label(
                        "\(NumberText.share(trace.shareBelowOnePercent)) below 1 %",
                        x: x.end,
                        y: top - 12,
                        anchor: "end"
                    )
                ]
            ),
        ]
        elements += Axes.vertical(y, left: x.start, right: x.end, format: .percent, about: 5)
        elements += Axes.horizontal(
            x,
            top: top,
            bottom: bottom,
            format: .plain,
            name: showsLabels ? "log₁₀ P_S" : "",
            about: 8,
            showsLabels: showsLabels
        )
        elements.append(Axes.verticalName("tokens, %", x: x.start - 44, along: y))
        var (low, other): ([SVGElement], [SVGElement]) = ([], [])
        for (index, share) in histogram.shares.enumerated() where share > 0 {
            let (left, right) = (histogram.edges[index], histogram.edges[index + 1])
            let height = bottom - y.clampedPosition(of: share)
            let isLow = right <= -2 + 1e-9
            let bar = SVGElement(
                "rect",
                [
                    "x": x.position(of: left) + 0.5, "y": bottom - height,
                    "width": max(0.5, x.position(of: right) - x.position(of: left) - 1),
                    "height": height, "fill": "currentColor", "fill-opacity": isLow ? 1 : 0.4,
                ],
                children: [
                    SVGElement(
                        "title",
                        text: "\(tick(left)) to \(tick(right)): \(NumberText.share(share))"
                    )
                ]
            )
            if isLow { low.append(bar) } else { other.append(bar) }
        }
        elements.append(.group(style.role, color: style.color, low + other))
        elements.append(.line(from: (x.start, bottom), to: (x.end, bottom)))
        if x.domain.contains(-2) {
            let threshold = x.position(of: -2)
            elements.append(
                .line(from: (threshold, top), to: (threshold, bottom), dash: "4 3")
            )
        }
        return elements
    }

    private func tick(_ value: Double) -> String {
        ReportModel.AxisFormat.plain.text(value)
    }
}
