import Statistics

/// Draws the interval of a value.
enum Whisker {
    /// A bar along x, with ends; nothing if the interval is not known.
    ///
    /// - Parameters:
    ///   - interval: The interval.
    ///   - scale: Maps values to x.
    ///   - y: The bar's height in the picture.
    ///   - middle: Where a hollow marker stands that the bar must not cross.
    /// - Returns: The bar and its ends.
    static func horizontal(
        _ interval: Interval?,
        scale: Scale,
        y: Double,
        around middle: Double? = nil
    ) -> [SVGElement] {
        guard let interval, interval.isFinite else { return [] }
        let low = scale.clampedPosition(of: interval.lower)
        let high = scale.clampedPosition(of: interval.upper)
        let pieces = middle.map { [(low, $0 - 5.5), ($0 + 5.5, high)] } ?? [(low, high)]
        let bars = pieces.filter { $0.0 < $0.1 }.map {
            SVGElement.line(from: ($0.0, y), to: ($0.1, y), width: 2)
        }
        let ends = [low, high].map {
            SVGElement.line(from: ($0, y - 4), to: ($0, y + 4), width: 2)
        }
        return bars + ends
    }

    /// A bar along y, with ends; nothing if the interval is not known.
    static func vertical(
        _ interval: Interval?,
        scale: Scale,
        x: Double
    ) -> [SVGElement] {
        guard let interval, interval.isFinite else { return [] }
        let (low, high) = (
            scale.clampedPosition(of: interval.lower), scale.clampedPosition(of: interval.upper)
        )
        return [
            .line(from: (x, low), to: (x, high), width: 1.5),
            .line(from: (x - 4, low), to: (x + 4, low), width: 1.5),
            .line(from: (x - 4, high), to: (x + 4, high), width: 1.5),
        ]
    }
}
