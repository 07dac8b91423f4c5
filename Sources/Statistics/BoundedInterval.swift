import Basics

extension SeedStatistics {
    /// An interval of the mean that stays inside the range of possible values.
    ///
    /// Student's t on the logit scale, by the delta method; for values that lie close to an end,
    /// where the plain interval leaves the range:
    ///
    ///     g(m) = ln((m - a) / (b - m)),   SE(g) = (b - a) / ((m - a)(b - m)) · SE
    ///     interval = g⁻¹(g(m) ± t · SE(g))
    ///
    /// Source: Newcombe 2001, The American Statistician 55, "Logit confidence intervals
    /// and the inverse sinh transformation".
    ///
    /// - Returns: Nil where the values do not differ, or their mean is at an end.
    public func interval(within range: ClosedRange<Double>, confidence: Double = 0.95) -> Interval?
    {
        let (a, b) = (range.lowerBound, range.upperBound)
        guard standardError > 1e-12, mean > a, mean < b else { return nil }
        let t = StudentT.quantile((1 + confidence) / 2, degreesOfFreedom: values.count - 1)
        let center = Elementary.log((mean - a) / (b - mean))
        let reach = t * standardError * (b - a) / ((mean - a) * (b - mean))
        func back(_ x: Double) -> Double { a + (b - a) / (1 + Elementary.exp(-x)) }
        return Interval(lower: back(center - reach), upper: back(center + reach))
    }
}
