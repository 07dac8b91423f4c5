import Basics

/// Training losses against optimizer steps, one colour an arm, one line a run.
struct LossPlot {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// The plot, or nil if there is no loss to show.
    var svg: String? {
        let curves = model.losses.map { ($0.arm, $0.points.filter(\.loss.isFinite)) }
            .filter { !$0.1.isEmpty }
        guard !curves.isEmpty else { return nil }
        let arms = model.losses.map(\.arm)
        let names = arms.enumerated().filter { arms.firstIndex(of: $0.element) == $0.offset }
            .map(\.element).filter { name in curves.contains { $0.0 == name } }
        let picture = Picture(
            id: "loss",
            title: "Training loss",
            subtitle: "Mean over the target tokens of a step; one line a run.",
            description: description(curves, names),
            legend: names.map {
                .init(name: $0, style: palette.style(of: $0), showsLine: true)
            }
        )
        let (left, top) = (62.0, picture.headerHeight + 10)
        let (right, bottom) = (Picture.width - 8, top + 280)
        let points = curves.flatMap(\.1)
        let x = Scale(
            domain: 0...max(1, points.map { Double($0.step) }.max() ?? 1),
            start: left,
            end: right
        )
        let y = Scale(
            domain: Ticks.roundDomain(points.map(\.loss), about: 6),
            start: bottom,
            end: top
        )
        var body = Axes.horizontal(
            x,
            top: top,
            bottom: bottom,
            format: .plain,
            name: "optimizer step",
            about: 8
        )
        body += Axes.vertical(y, left: left, right: right, format: .plain)
        body.append(Axes.verticalName("loss, nats per token", x: 14, along: y))
        for (arm, points) in curves {
            let style = palette.style(of: arm)
            let line = points.map {
                (x: x.position(of: Double($0.step)), y: y.position(of: $0.loss))
            }
            var marks = [
                SVGElement.polyline(line, width: 1.8, dash: style.dash, opacity: 0.9)
            ]
            if let last = line.last {
                marks.append(style.marker.element(x: last.x, y: last.y, radius: 4))
            }
            body.append(.group(style.role, color: style.color, tooltip: arm, marks))
        }
        return picture.markup(height: bottom + 44, body: body)
    }

    private func description(
        _ curves: [(arm: String, points: [ReportModel.LossPoint])],
        _ names: [String]
    ) -> String {
        names.map { name in
            let ends = curves.filter { $0.arm == name }.compactMap { curve in
                curve.points.last.map { (curve.points[0].loss, $0.loss) }
            }
            let count = Double(max(1, ends.count))
            let first = NumberText.fixed(ends.reduce(0) { $0 + $1.0 } / count, decimals: 2)
            let last = NumberText.fixed(ends.reduce(0) { $0 + $1.1 } / count, decimals: 2)
            return "\(name): from \(first) to \(last) nats."
        }.joined(separator: " ")
    }
}
