import Foundation

/// One arm against another on the same questions.
///
/// With d_i = (mean of arm) - (mean of base) on question i:
///
///     difference = mean(d),   standardError = sd(d) / √n
///
/// Pairing removes what the questions' own difficulty adds to both sides.
/// Source: Miller 2024, "Adding Error Bars to Evals", arXiv:2411.00640, section 4.2.
public struct PairedComparison: Sendable, Equatable {
    /// Mean difference, arm minus base.
    public var difference: Double
    /// Standard error of the difference over questions; `nan` for n = 1.
    var standardError: Double
    /// The cluster bootstrap interval of the difference; nil where the questions have no spread.
    public var interval: Interval?
    /// Two-sided mid-p of the permutation test on the mean difference; nil where no question
    /// differs.
    public var permutationP: Double?
    /// The smallest true difference that this many questions would show 80 % of the time at the
    /// 5 % level; nil where there is a limit.
    public var minimumDetectableEffect: Double?
    /// Why the questions cannot say how small a difference they would have shown.
    public var limit: PowerLimit?

    /// Compares `arm` with `base`.
    ///
    /// Sides may have different numbers of samples; within a side it must be one number.
    ///
    /// - Parameters:
    ///   - arm: One entry a question.
    ///   - base: The same questions, in any order.
    ///   - confidence: Coverage of the interval.
    ///   - resamples: Resamples of the bootstrap.
    ///   - uniform: Uniform numbers for the bootstrap; see `Interval.bootstrap`.
    /// - Throws: `Failure` (bad data) where a question lacks its partner, or where the
    ///   questions of one side differ in their number of samples.
    public init(
        arm: [QuestionScore],
        base: [QuestionScore],
        confidence: Double = 0.95,
        resamples: Int = 10_000,
        uniform: (Int) -> Double
    ) throws {
        try arm.checkSamples(expected: arm.first?.samples ?? 0)
        try base.checkSamples(expected: base.first?.samples ?? 0)
        let pairs = try arm.paired(with: base)
        // In units of 1 / (k k'), all differences are whole numbers, and the test is exact.
        let whole = pairs.map { a, b in a.correct * b.samples - b.correct * a.samples }
        let unit = 1 / (Double(arm[0].samples) * Double(base[0].samples))
        let differences = whole.map { Double($0) * unit }
        difference = Moments.mean(differences)
        standardError = Moments.standardError(differences)
        limit = PowerLimit([pairs], standardError: standardError)
        guard limit?.tellsNothing != true else { return }
        let draws = UniformDraws("paired permutation")
        permutationP =
            SignificanceTest.permutation(whole, work: 2_000_000_000)
            ?? SignificanceTest.permutation(differences, samples: 20_000) { draws($0) }
        guard standardError > PowerLimit.leastStandardError else { return }
        interval = .bootstrap(
            ofMean: differences,
            resamples: resamples,
            confidence: confidence,
            uniform: uniform
        )
        guard limit == nil else { return }
        minimumDetectableEffect = SignificanceTest.minimumDetectableEffect(
            standardError: standardError
        )
    }
}
