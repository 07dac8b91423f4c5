import Foundation

/// One arm against another on different questions.
///
///     difference = mean(a) - mean(b),   SE² = s_a² / n_a + s_b² / n_b
///
/// with the means of each side's questions as the independent values, so what the questions' own
/// difficulty adds stays in the interval.
/// Source: Welch 1947, Biometrika 34.
public struct UnpairedComparison: Sendable, Equatable {
    /// The difference of the means.
    public var difference: Double
    /// Standard error of the difference; `nan` where a side has one question.
    var standardError: Double
    /// Welch's t interval; nil where there is no standard error.
    public var interval: Interval?
    /// Two-sided p of Welch's t test; of the exact permutation test where neither side has spread;
    /// nil where nothing can be told.
    public var p: Double?
    /// The smallest true difference that would show 80 % of the time at the 5 % level; nil where
    /// there is a limit.
    public var minimumDetectableEffect: Double?
    /// Why the questions cannot say how small a difference they would have shown.
    public var limit: PowerLimit?

    /// Compares the means of two lists of question means.
    ///
    /// - Precondition: Neither list is empty.
    public init(_ arm: [Double], minus base: [Double], confidence: Double = 0.95) {
        precondition(!arm.isEmpty && !base.isEmpty, "UnpairedComparison: a side without questions")
        difference = Moments.mean(arm) - Moments.mean(base)
        let parts = [arm, base].map { own in
            let error = Moments.standardError(own)
            return (square: error * error, freedom: Double(own.count - 1))
        }
        let square = parts[0].square + parts[1].square
        standardError = square.squareRoot()
        limit = PowerLimit(arm, base, standardError: standardError)
        guard standardError > PowerLimit.leastStandardError else {
            if limit == .uniform {
                // Of all ways to deal the values out, only this one and its mirror separate them so.
                p = min(1, 2 / Self.divisions(arm.count, base.count))
            }
            return
        }
        if limit == nil {
            minimumDetectableEffect = SignificanceTest.minimumDetectableEffect(
                standardError: standardError
            )
        }
        let divisor = parts.reduce(0) { $0 + $1.square * $1.square / $1.freedom }
        // Rounded down, to the safe side.
        let freedom = max(1, Int((square * square / divisor).rounded(.down)))
        let t = StudentT.quantile((1 + confidence) / 2, degreesOfFreedom: freedom)
        interval = Interval(
            lower: max(-1, difference - t * standardError),
            upper: min(1, difference + t * standardError)
        )
        p = StudentT.twoSidedP(difference / standardError, degreesOfFreedom: freedom)
    }

    /// In how many ways `a + b` values can be dealt out to sides of `a` and `b`; infinite where that
    /// does not fit.
    private static func divisions(_ a: Int, _ b: Int) -> Double {
        (0..<min(a, b)).reduce(1.0) { $0 * Double(a + b - $1) / Double($1 + 1) }
    }
}
