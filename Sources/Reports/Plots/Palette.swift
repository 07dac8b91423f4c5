/// Gives every arm one colour, one marker and one dash, the same in every plot of a report.
///
/// The colours are those of Okabe and Ito ("Color Universal Design", 2008), which stay apart for
/// colour-blind readers, less the yellow that is too faint on white, orange and sky blue darkened to
/// three times the paper's contrast; markers and dashes say the same a second time. The base arm is
/// grey.
struct Palette: Sendable {
    /// How one arm is drawn.
    struct Style: Equatable, Sendable {
        /// A class that a page's style sheet can recolour: "series-2" or "series-base".
        var role: String
        /// The colour on white paper.
        var color: String
        /// The shape of its points.
        var marker: Marker
        /// The dash pattern of its lines, empty for a solid one.
        var dash: String
    }

    /// The shape of a point.
    enum Marker: CaseIterable, Sendable { case circle, square, triangle, diamond, cross }

    /// The colours on white paper, in order of use.
    static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B87900", "#2B93D1"]
    /// The same colours on dark paper, lightened where they would be too dim.
    static let darkColors = ["#4BA3DD", "#F08A4B", "#2DBE96", "#E2A0C6", "#F0B94A", "#8CCBF2"]
    /// Grey for the base arm, on white and on dark paper.
    static let baseColors = (light: "#5C6670", dark: "#A9B3BD")

    private static let dashes = ["", "7 3", "2 3", "9 3 2 3"]
    private let styles: [String: Style]

    /// Gives styles to a report's arms in order, then to the sweeps' other series.
    init(_ model: ReportModel) {
        let series = model.sweeps.flatMap { $0.series.map(\.name) }
        self.init(arms: model.arms.map(\.name) + series, base: model.baseArm)
    }

    /// Gives styles to names in order; a name that comes again keeps its first style.
    init(arms: [String], base: String?) {
        var styles: [String: Style] = [:]
        for name in arms where styles[name] == nil {
            guard name != base else {
                styles[name] = Style(
                    role: "series-base",
                    color: Self.baseColors.light,
                    marker: .circle,
                    dash: "2 3"
                )
                continue
            }
            let index = styles.count - (base.map { styles[$0] != nil } == true ? 1 : 0)
            let color = index % Self.colors.count
            // Five markers against six colours: thirty arms before a pair repeats.
            styles[name] = Style(
                role: "series-\(color + 1)",
                color: Self.colors[color],
                marker: Marker.allCases[index % Marker.allCases.count],
                dash: Self.dashes[index % Self.dashes.count]
            )
        }
        self.styles = styles
    }

    /// The style of a name; the base's grey for a name that was not announced.
    func style(of name: String) -> Style {
        styles[name]
            ?? Style(
                role: "series-base",
                color: Self.baseColors.light,
                marker: .diamond,
                dash: ""
            )
    }
}

extension Palette.Marker {
    /// The marker around a point, filled with the current colour or only outlined.
    func element(x: Double, y: Double, radius: Double = 5, filled: Bool = true) -> SVGElement {
        let fill = filled ? "currentColor" : "none"
        func polygon(_ corners: [(Double, Double)], _ size: Double) -> SVGElement {
            let points = corners.map {
                "\((x + $0.0 * size).svgText),\((y + $0.1 * size).svgText)"
            }
            return SVGElement(
                "polygon",
                [
                    "points": points.joined(separator: " "), "fill": fill,
                    "stroke": "currentColor", "stroke-width": 1.8, "stroke-linejoin": "round",
                ]
            )
        }
        // Sizes give the shapes about equal areas.
        switch self {
        case .circle:
            return SVGElement(
                "circle",
                [
                    "cx": x, "cy": y, "r": radius * 0.9, "fill": fill, "stroke": "currentColor",
                    "stroke-width": 1.8,
                ]
            )
        case .square: return polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)], radius * 0.78)
        case .triangle: return polygon([(0, -1.1), (1, 0.75), (-1, 0.75)], radius)
        case .diamond: return polygon([(0, -1), (1, 0), (0, 1), (-1, 0)], radius * 1.08)
        case .cross:
            let (inner, outer) = (0.36, 1.0)
            return polygon(
                [
                    (-inner, -outer), (inner, -outer), (inner, -inner), (outer, -inner),
                    (outer, inner), (inner, inner), (inner, outer), (-inner, outer),
                    (-inner, inner), (-outer, inner), (-outer, -inner), (-inner, -inner),
                ],
                radius
            )
        }
    }
}
