import Foundation

/// One arm against another on different questions.
///
///     difference = mean(a) - mean(b),   SE² = s_a² / n_a + s_b² / n_b
///
/// with the means of each side's questions as the independent values, so what the questions' own
/// difficulty adds stays in the interval.
/// Source: Welch 1947, Biometrika 34.
struct UnpairedComparison: Sendable, Equatable {
    /// The difference of the means.
    var difference: Double
    /// Standard error of the difference; `nan` where a side has one question.
    var standardError: Double
    /// Welch's t interval; the whole range where there is no standard error.
    var interval: Interval
    /// Two-sided p of Welch's t test.
    var p: Double
    /// The smallest true difference that would show 80 % of the time at the 5 % level.
    var minimumDetectableEffect: Double

    /// Compares the means of two lists of question means.
    ///
    /// - Precondition: Neither list is empty.
    init(_ arm: [Double], minus base: [Double], confidence: Double = 0.95) {
        precondition(!arm.isEmpty && !base.isEmpty, "UnpairedComparison: a side without questions")
        difference = Moments.mean(arm) - Moments.mean(base)
        let parts = [arm, base].map { own in
            let error = Moments.standardError(own)
            return (square: error * error, freedom: Double(own.count - 1))
        }
        let square = parts[0].square + parts[1].square
        standardError = square.squareRoot()
        minimumDetectableEffect = SignificanceTest.minimumDetectableEffect(
            standardError: standardError
        )
        guard standardError > 1e-12 else {
            // Sides without spread differ surely, or not at all; a single question tells nothing.
            let isKnown = standardError.isFinite
            interval =
                isKnown
                ? Interval(lower: difference, upper: difference) : Interval(lower: -1, upper: 1)
            p = isKnown && difference != 0 ? 0 : 1
            return
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
}
