import Basics

/// Draws axes, grid lines and tick labels.
enum Axes {
    /// A horizontal axis under an area: vertical grid lines, tick labels, and a name.
    ///
    /// - Parameters:
    ///   - scale: Maps values to x.
    ///   - top: The area's upper edge.
    ///   - bottom: The area's lower edge, where the axis runs.
    ///   - format: How tick values are written.
    ///   - name: The axis's name with its unit, or empty for none.
    ///   - ticks: About how many ticks.
    ///   - marks: The values to mark instead of round ones.
    ///   - showsLabels: Whether tick labels are written.
    /// - Returns: Elements up to 40 units below `bottom` with a name, 20 without.
    static func horizontal(
        _ scale: Scale,
        top: Double,
        bottom: Double,
        format: ReportModel.AxisFormat,
        name: String,
        about ticks: Int = 6,
        at marks: [Double]? = nil,
        showsLabels: Bool = true
    ) -> [SVGElement] {
        let values = marks ?? scale.ticks(about: ticks)
        let grid = values.map { value in
            let x = scale.position(of: value)
            return SVGElement.line(from: (x, top), to: (x, bottom))
        }
        var elements: [SVGElement] = [.group("grid", color: Picture.gridInk, grid)]
        guard showsLabels else { return elements }
        let labels = values.map {
            SVGElement.label(
                format.text($0),
                x: scale.position(of: $0),
                y: bottom + 18,
                anchor: "middle",
                size: 12
            )
        }
        elements.append(.group("muted", color: Picture.mutedInk, labels))
        if !name.isEmpty {
            let middle = (scale.start + scale.end) / 2
            elements.append(.label(name, x: middle, y: bottom + 38, anchor: "middle"))
        }
        return elements
    }

    /// A vertical axis at the left of an area: horizontal grid lines and tick labels.
    ///
    /// - Parameters:
    ///   - scale: Maps values to y.
    ///   - left: The area's left edge, where the axis runs.
    ///   - right: The area's right edge.
    ///   - format: How tick values are written.
    ///   - ticks: About how many ticks.
    ///   - showsLabels: Whether tick labels are written.
    /// - Returns: Elements from `left` − 48 on.
    static func vertical(
        _ scale: Scale,
        left: Double,
        right: Double,
        format: ReportModel.AxisFormat,
        about ticks: Int = 6,
        showsLabels: Bool = true
    ) -> [SVGElement] {
        let values = scale.ticks(about: ticks)
        let grid = values.map { value in
            let y = scale.position(of: value)
            return SVGElement.line(from: (left, y), to: (right, y))
        }
        var elements: [SVGElement] = [.group("grid", color: Picture.gridInk, grid)]
        guard showsLabels else { return elements }
        let labels = values.map {
            SVGElement.label(
                format.text($0),
                x: left - 8,
                y: scale.position(of: $0) + 4.5,
                anchor: "end",
                size: 12
            )
        }
        elements.append(.group("muted", color: Picture.mutedInk, labels))
        return elements
    }

    /// The name of a vertical axis, written upwards beside its middle.
    ///
    /// - Parameters:
    ///   - name: The name with its unit; cut if it is longer than the axis.
    ///   - x: The baseline's place.
    ///   - scale: The axis.
    /// - Returns: The label.
    static func verticalName(_ name: String, x: Double, along scale: Scale) -> SVGElement {
        let middle = (scale.start + scale.end) / 2
        let text = TextMetrics.fitted(name, into: abs(scale.end - scale.start), size: 13)
        var label = SVGElement.label(text, x: x, y: middle, anchor: "middle")
        label.attributes.append(("transform", "rotate(-90 \(x.svgText) \(middle.svgText))"))
        return label
    }
}

extension ReportModel.AxisFormat {
    /// A tick's value as text, with as many decimals as it needs.
    func text(_ value: Double) -> String {
        switch self {
        case .plain: Self.shortest(value, signed: false)
        case .percent: Self.shortest(value * 100, signed: false)
        case .points: Self.shortest(value * 100, signed: true)
        }
    }

    private static func shortest(_ value: Double, signed: Bool) -> String {
        guard value.isFinite else { return NumberText.unknown }
        if abs(value) >= 10000, abs(value) < 1e15, !signed { return NumberText.count(Int(value)) }
        let decimals = (0...8).first { places in
            var scaled = abs(value)
            for _ in 0..<places { scaled *= 10 }
            return abs(scaled - scaled.rounded()) <= 1e-6 * max(scaled, 1e-3)
        }
        return NumberText.fixed(value, decimals: decimals ?? 8, signed: signed)
    }
}
