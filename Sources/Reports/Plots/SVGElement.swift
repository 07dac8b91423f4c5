import Foundation

/// An element of an SVG picture; a tree of them is well-formed by construction.
///
/// Names and attribute names are written as they are and must be XML names; values and text are
/// escaped.
struct SVGElement {
    /// The element's name.
    var name: String
    /// Its attributes, in the order written.
    var attributes: [(name: String, value: String)]
    /// The text inside, before the children.
    var text: String
    /// The elements inside.
    var children: [SVGElement]

    /// Makes an element.
    ///
    /// - Parameters:
    ///   - name: The element's name.
    ///   - attributes: Names and values; numbers are rounded to hundredths.
    ///   - text: The text inside.
    ///   - children: The elements inside.
    init(
        _ name: String,
        _ attributes: KeyValuePairs<String, any SVGValue> = [:],
        text: String = "",
        children: [SVGElement] = []
    ) {
        self.name = name
        self.attributes = attributes.map { ($0.key, $0.value.svgText) }
        self.text = text
        self.children = children
    }

    /// The element as text.
    var markup: String {
        var result = ""
        write(to: &result)
        return result
    }

    private func write(to result: inout String) {
        result += "<\(name)"
        for (name, value) in attributes { result += " \(name)=\"\(Markup.escape(value))\"" }
        guard !text.isEmpty || !children.isEmpty else {
            result += "/>"
            return
        }
        result += ">" + Markup.escape(text)
        // White space inside <text> is drawn, so only groups are spread over lines.
        let spreads = ["svg", "g"].contains(name)
        for child in children {
            if spreads { result += "\n" }
            child.write(to: &result)
        }
        if spreads { result += "\n" }
        result += "</\(name)>"
    }
}

/// A value that an SVG attribute can have.
protocol SVGValue {
    /// The value as an attribute's text, not yet escaped.
    var svgText: String { get }
}

extension String: SVGValue {
    /// The string itself.
    var svgText: String { self }
}

extension Int: SVGValue {
    /// The number in decimal.
    var svgText: String { String(self) }
}

extension Double: SVGValue {
    /// The number rounded to hundredths, without trailing zeros; 0 for what is not finite.
    ///
    /// Plots leave such values out before they come here; this keeps the picture valid.
    var svgText: String {
        guard isFinite else { return "0" }
        var digits = String(format: "%.2f", self)
        while digits.hasSuffix("0") { digits.removeLast() }
        if digits.hasSuffix(".") { digits.removeLast() }
        return digits == "-0" ? "0" : digits
    }
}

extension SVGElement {
    /// A straight line in the current colour.
    static func line(
        from start: (x: Double, y: Double),
        to end: (x: Double, y: Double),
        width: Double = 1,
        dash: String = ""
    ) -> SVGElement {
        var element = SVGElement(
            "line",
            [
                "x1": start.x, "y1": start.y, "x2": end.x, "y2": end.y, "stroke": "currentColor",
                "stroke-width": width,
            ]
        )
        if !dash.isEmpty { element.attributes.append(("stroke-dasharray", dash)) }
        return element
    }

    /// A label; `anchor` is start, middle or end, and `y` is the baseline.
    static func label(
        _ text: String,
        x: Double,
        y: Double,
        anchor: String = "start",
        size: Double = 13,
        bold: Bool = false
    ) -> SVGElement {
        var element = SVGElement(
            "text",
            ["x": x, "y": y, "text-anchor": anchor, "font-size": size],
            text: text
        )
        if bold { element.attributes.append(("font-weight", "600")) }
        return element
    }

    /// A group in one colour; `role` is a class that a page's style sheet can recolour.
    static func group(
        _ role: String,
        color: String? = nil,
        tooltip: String = "",
        _ children: [SVGElement]
    ) -> SVGElement {
        var element = SVGElement("g", ["class": role], children: children)
        if let color { element.attributes.append(("color", color)) }
        if !tooltip.isEmpty { element.children.insert(SVGElement("title", text: tooltip), at: 0) }
        return element
    }

    /// A polyline through points, in the current colour, unfilled.
    static func polyline(
        _ points: [(x: Double, y: Double)],
        width: Double = 2,
        dash: String = "",
        opacity: Double = 1
    ) -> SVGElement {
        let path = points.map { "\($0.x.svgText),\($0.y.svgText)" }.joined(separator: " ")
        var element = SVGElement(
            "polyline",
            [
                "points": path, "fill": "none", "stroke": "currentColor", "stroke-width": width,
                "stroke-linejoin": "round", "stroke-linecap": "round",
            ]
        )
        if !dash.isEmpty { element.attributes.append(("stroke-dasharray", dash)) }
        if opacity < 1 { element.attributes.append(("stroke-opacity", opacity.svgText)) }
        return element
    }
}
