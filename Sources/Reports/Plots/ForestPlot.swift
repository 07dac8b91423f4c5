import Basics

/// Differences to the base arm with their intervals, the average first; the numbers stand beside.
struct ForestPlot {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    private static let rowHeight = 24.0
    private static let headingHeight = 30.0
    private static let numbersWidth = 196.0

    /// One heading and its rows.
    private struct Group {
        var heading: String
        var rows: [(name: String, difference: ReportModel.Difference)]
    }

    /// The plot, or nil if there is no difference to show.
    var svg: String? {
        let groups = groups
        guard !groups.isEmpty else { return nil }
        let base = model.baseArm ?? "the base arm"
        let level = NumberText.fixed(model.confidence * 100, decimals: 0)
        let picture = Picture(
            id: "differences",
            title: "Difference to \(base)",
            subtitle:
                "Points with \(level) % intervals. Filled: distinguishable from zero. Grey bar: "
                + "what usually goes unseen."
                + (groups.contains { $0.rows.contains { $0.difference.limit != nil } }
                    ? " No bar: not known." : ""),
            description: Summary(model: model).verdicts.joined(separator: " ")
        )
        let names = groups.flatMap { $0.rows.map(\.name) }
        let widest = names.map { TextMetrics.width($0, size: 13) }.max() ?? 0
        let left = min(200, max(80, widest + 16))
        let top = picture.headerHeight
        let rowCount = groups.reduce(0) { $0 + $1.rows.count }
        let bottom =
            top + Double(groups.count) * Self.headingHeight + Double(rowCount) * Self.rowHeight + 6
        let scale = Scale(
            domain: domain(of: groups),
            start: left + 8,
            end: Picture.width - Self.numbersWidth
        )
        var body = Axes.horizontal(
            scale,
            top: top,
            bottom: bottom,
            format: .points,
            name: "",
            about: 7
        )
        body += zeroLine(scale, top: top, bottom: bottom, base: base)
        var y = top
        for group in groups {
            body.append(.label(group.heading, x: 0, y: y + 20, bold: true))
            y += Self.headingHeight
            for row in group.rows {
                body += drawn(row.name, row.difference, heading: group.heading, scale, left, y)
                y += Self.rowHeight
            }
        }
        return picture.markup(height: bottom + 44, body: body)
    }

    private var groups: [Group] {
        model.columnsFromAverage.compactMap { column in
            let rows = model.comparedArms.compactMap { arm in
                model.score(arm: arm.name, benchmark: column)?.difference
                    .flatMap { $0.estimate.isFinite ? (arm.name, $0) : nil }
            }
            let heading = column ?? "Average of \(model.benchmarks.count) benchmarks"
            return rows.isEmpty ? nil : Group(heading: heading, rows: rows)
        }
    }

    private func domain(of groups: [Group]) -> ClosedRange<Double> {
        let differences = groups.flatMap { $0.rows.map(\.difference) }
        let values = differences.flatMap { difference -> [Double] in
            [
                difference.estimate, difference.interval?.lower ?? .nan,
                difference.interval?.upper ?? .nan,
            ]
        }
        // Differences that are all 0 give no scale.
        let known = values.contains { $0.isFinite && $0 != 0 } ? values : []
        return Ticks.roundDomain(known, including: [0], about: 7, fallback: -0.1...0.1)
    }

    private func zeroLine(
        _ scale: Scale,
        top: Double,
        bottom: Double,
        base: String
    ) -> [SVGElement] {
        let zero = scale.position(of: 0)
        let name = TextMetrics.fitted(base, into: 120, size: 13)
        var labels: [SVGElement] = []
        if zero - scale.start > 90 {
            labels.append(.label("← worse", x: zero - 14, y: bottom + 38, anchor: "end"))
        }
        if scale.end - zero > 90 {
            labels.append(.label("better than \(name) →", x: zero + 14, y: bottom + 38))
        }
        return [
            .line(from: (zero, top), to: (zero, bottom), width: 1.5),
            .group("muted", color: Picture.mutedInk, labels),
        ]
    }

    /// The differences that these questions would usually not reveal, behind the row.
    private func unseen(_ difference: ReportModel.Difference, _ scale: Scale, _ y: Double)
        -> [SVGElement]
    {
        guard let least = difference.minimumDetectable, least.isFinite, least > 0 else { return [] }
        let (low, high) = (scale.clampedPosition(of: -least), scale.clampedPosition(of: least))
        let bar = SVGElement(
            "rect",
            [
                "x": low, "y": y - 7, "width": high - low, "height": 14, "fill": "currentColor",
                "fill-opacity": 0.55,
            ]
        )
        let text = "differences below \(NumberText.percent(least)) points usually go unseen"
        return [.group("grid", color: Picture.gridInk, tooltip: text, [bar])]
    }

    private func drawn(
        _ name: String,
        _ difference: ReportModel.Difference,
        heading: String,
        _ scale: Scale,
        _ left: Double,
        _ top: Double
    ) -> [SVGElement] {
        let y = top + Self.rowHeight / 2
        let style = palette.style(of: name)
        let numbers =
            NumberText.points(difference.estimate, difference.interval)
            + (difference.limit?.tellsNothing == true ? ", nothing can be told" : "")
        let isOpen = difference.verdict == .notDistinguishable
        let mark = style.marker.element(
            x: scale.position(of: difference.estimate),
            y: y,
            filled: difference.verdict != .notDistinguishable
        )
        return unseen(difference, scale, y) + [
            .label(
                TextMetrics.fitted(name, into: left - 14, size: 13),
                x: left - 14,
                y: y + 4.5,
                anchor: "end"
            ),
            .group(
                style.role,
                color: style.color,
                tooltip: "\(name), \(heading): \(numbers) points, \(difference.verdict.rawValue)",
                Whisker.horizontal(
                    difference.interval,
                    scale: scale,
                    y: y,
                    around: isOpen ? scale.position(of: difference.estimate) : nil
                ) + [mark]
            ),
            .label(numbers, x: Picture.width, y: y + 4.5, anchor: "end"),
        ]
    }
}
