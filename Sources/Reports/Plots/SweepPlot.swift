import Basics

/// An outcome against one parameter: a line with its error band for each series.
struct SweepPlot {
    /// What is shown.
    let sweep: ReportModel.Sweep
    /// Letters and digits that name the picture within a page.
    let id: String
    /// How series are drawn.
    let palette: Palette
    /// The level of the intervals, a fraction.
    let confidence: Double

    /// The plot, or nil if there is no point to show.
    var svg: String? {
        let lines = sweep.series.map { (name: $0.name, points: drawable($0.points)) }
            .filter { !$0.points.isEmpty }
        let points = lines.flatMap(\.points)
        guard let least = points.map(\.x).min(), let most = points.map(\.x).max() else {
            return nil
        }
        let picture = Picture(
            id: id,
            title: sweep.title,
            subtitle: subtitle(points),
            description: description(lines),
            legend: lines.map {
                .init(name: $0.name, style: palette.style(of: $0.name), showsLine: true)
            }
        )
        let (left, top) = (62.0, picture.headerHeight + 10)
        let (right, bottom) = (Picture.width - 14, top + 290)
        let x = Scale(
            kind: sweep.xIsLogarithmic ? .logarithmic : .linear,
            domain: xDomain(least, most),
            start: left,
            end: right
        )
        let y = Scale(domain: yDomain(points), start: bottom, end: top)
        var body = Axes.horizontal(
            x,
            top: top,
            bottom: bottom,
            format: sweep.xFormat,
            name: sweep.xLabel,
            about: 8,
            at: marks(points, x)
        )
        body += Axes.vertical(y, left: left, right: right, format: sweep.yFormat)
        body.append(Axes.verticalName(sweep.yLabel, x: 14, along: y))
        if y.domain.contains(0), sweep.yFormat == .points {
            let zero = y.position(of: 0)
            body.append(.line(from: (left, zero), to: (right, zero), width: 1.5))
        }
        // Bands first, so that no band hides a line.
        for line in lines { body += band(line.name, line.points, x, y) }
        for line in lines { body.append(drawn(line.name, line.points, x, y)) }
        return picture.markup(height: bottom + 46, body: body)
    }

    private func subtitle(_ points: [ReportModel.SweepPoint]) -> String {
        let level = NumberText.fixed(confidence * 100, decimals: 0)
        let hasBands = points.contains { $0.interval != nil }
        let bands = hasBands ? "Bands are \(level) % intervals." : ""
        return [sweep.note, bands].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The points that have a place on the axes, in ascending order of x.
    private func drawable(_ points: [ReportModel.SweepPoint]) -> [ReportModel.SweepPoint] {
        points.filter { $0.x.isFinite && $0.value.isFinite && (!sweep.xIsLogarithmic || $0.x > 0) }
            .sorted { $0.x < $1.x }
    }

    private func xDomain(_ least: Double, _ most: Double) -> ClosedRange<Double> {
        guard least < most else {
            return sweep.xIsLogarithmic ? (least / 2)...(least * 2) : (least - 0.5)...(least + 0.5)
        }
        guard !sweep.xIsLogarithmic else { return (least / 1.15)...(most * 1.15) }
        let margin = (most - least) * 0.03
        return (least - margin)...(most + margin)
    }

    /// On a logarithmic axis the settings themselves, where their labels do not collide.
    private func marks(_ points: [ReportModel.SweepPoint], _ x: Scale) -> [Double]? {
        let values = Set(points.map(\.x)).sorted()
        let places = values.map { x.position(of: $0) }
        let isClear = zip(places, places.dropFirst()).allSatisfy { $1 - $0 > 44 }
        return sweep.xIsLogarithmic && isClear ? values : nil
    }

    private func yDomain(_ points: [ReportModel.SweepPoint]) -> ClosedRange<Double> {
        let values = points.flatMap { point -> [Double] in
            [point.value, point.interval?.lower ?? .nan, point.interval?.upper ?? .nan]
        }
        return Ticks.roundDomain(
            values,
            including: sweep.yFormat == .points ? [0] : [],
            about: 6
        )
    }

    private func band(
        _ name: String,
        _ points: [ReportModel.SweepPoint],
        _ x: Scale,
        _ y: Scale
    ) -> [SVGElement] {
        let known = points.compactMap { point in
            point.interval.flatMap { $0.isFinite ? (point.x, $0) : nil }
        }
        guard known.count > 1 else { return [] }
        let upper = known.map { (x.position(of: $0.0), y.position(of: $0.1.upper)) }
        let lower = known.reversed().map { (x.position(of: $0.0), y.position(of: $0.1.lower)) }
        let outline = (upper + lower).map { "\($0.0.svgText),\($0.1.svgText)" }
        let style = palette.style(of: name)
        let area = SVGElement(
            "polygon",
            [
                "points": outline.joined(separator: " "), "fill": "currentColor",
                "fill-opacity": 0.12,
            ]
        )
        return [.group(style.role, color: style.color, [area])]
    }

    private func drawn(
        _ name: String,
        _ points: [ReportModel.SweepPoint],
        _ x: Scale,
        _ y: Scale
    ) -> SVGElement {
        let style = palette.style(of: name)
        var marks: [SVGElement] = []
        if points.count > 1 {
            let line = points.map { (x: x.position(of: $0.x), y: y.position(of: $0.value)) }
            marks.append(.polyline(line, dash: style.dash))
        }
        for point in points {
            let place = x.position(of: point.x)
            if points.count == 1 {
                marks += Whisker.vertical(point.interval, scale: y, x: place)
            }
            var mark = style.marker.element(x: place, y: y.position(of: point.value))
            mark.children.append(SVGElement("title", text: tooltip(name, point)))
            marks.append(mark)
        }
        return .group(style.role, color: style.color, marks)
    }

    private func tooltip(_ name: String, _ point: ReportModel.SweepPoint) -> String {
        var text = "\(name), \(sweep.xFormat.text(point.x)): \(value(point.value))"
        if let interval = point.interval, interval.isFinite {
            text += " [\(value(interval.lower)), \(value(interval.upper))]"
        }
        return text
    }

    private func value(_ value: Double) -> String {
        switch sweep.yFormat {
        case .plain: NumberText.fixed(value, decimals: 3)
        case .percent: NumberText.percent(value)
        case .points: NumberText.points(value)
        }
    }

    private func description(
        _ lines: [(name: String, points: [ReportModel.SweepPoint])]
    ) -> String {
        "\(sweep.yLabel) against \(sweep.xLabel). "
            + lines.map { line in
                let values = line.points.map {
                    "\(value($0.value)) at \(sweep.xFormat.text($0.x))"
                }
                return "\(line.name): \(values.joined(separator: ", "))."
            }.joined(separator: " ")
    }
}
