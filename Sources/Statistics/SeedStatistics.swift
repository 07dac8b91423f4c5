import Foundation

/// The mean of one value a seed, with the seed as the random unit.
///
/// Every seed trains models of its own, so seeds are what a repetition of the experiment would draw
/// anew; the questions are held fixed.
public struct SeedStatistics: Sendable, Equatable {
    /// The fewest seeds for which this, and not the questions, decides about an average.
    public static let fewestSeeds = 5

    /// One value a seed.
    public var values: [Double]
    /// Their mean.
    public var mean: Double
    /// Standard error of the mean; `nan` for one seed.
    var standardError: Double
    /// Student's t interval of the mean; nil for one seed or values that are all equal.
    public var interval: Interval?
    /// Two-sided p of the t test that the mean is 0; nil where there is no interval.
    public var tP: Double?
    /// Two-sided p of the exact test over the signs of the values.
    ///
    /// Never below 2 / 2^seeds; nil for one seed, and where no value differs from 0.
    public var signFlipP: Double?
    /// The smallest true mean that the t test finds 80 % of the time at the 5 % level; nil where
    /// there is no interval.
    public var minimumDetectableEffect: Double?

    /// Summarises values, one a seed.
    ///
    /// - Precondition: There is a value.
    public init(_ values: [Double], confidence: Double = 0.95) {
        precondition(!values.isEmpty, "SeedStatistics: no seeds")
        self.values = values
        mean = Moments.mean(values)
        standardError = Moments.standardError(values)
        if values.count > 1, values.contains(where: { abs($0) > 1e-12 }) {
            signFlipP = SignificanceTest.permutation(values) {
                UniformDraws.shared("sign flips over seeds", $0)
            }
        }
        // Rounding alone must not pass for spread.
        guard standardError > 1e-12 else { return }
        let freedom = values.count - 1
        let t = StudentT.quantile((1 + confidence) / 2, degreesOfFreedom: freedom)
        interval = Interval(lower: mean - t * standardError, upper: mean + t * standardError)
        tP = StudentT.twoSidedP(mean / standardError, degreesOfFreedom: freedom)
        minimumDetectableEffect =
            (StudentT.quantile(0.975, degreesOfFreedom: freedom)
                + StudentT.quantile(0.8, degreesOfFreedom: freedom)) * standardError
    }

    /// How many seeds have the sign of the mean; one that only rounding tells from 0 has none.
    public var sameSign: Int { values.count { abs($0) > 1e-12 && $0 * mean > 0 } }
}
