import Foundation

/// The mean over benchmarks of the mean over questions, with questions as the random unit.
///
/// Questions are drawn anew within each benchmark; every benchmark keeps its weight of 1 / B.
public struct MacroAverage: Sendable, Equatable {
    /// The average.
    public var mean: Double
    /// √(Σ_b SE_b²) / B; `nan` where a benchmark has one question.
    public var standardError: Double
    /// The cluster bootstrap interval; nil where the questions have no spread, or a benchmark has
    /// one question.
    public var interval: Interval?

    /// Averages values.
    ///
    /// - Parameters:
    ///   - values: One value a question, a list a benchmark; none empty.
    ///   - confidence: Coverage of the interval.
    ///   - resamples: Resamples of the bootstrap.
    /// - Precondition: There is a benchmark, and each has a question.
    public init(_ values: [[Double]], confidence: Double = 0.95, resamples: Int = 10_000) {
        precondition(
            !values.isEmpty && values.allSatisfy { !$0.isEmpty },
            "MacroAverage: \(values.map(\.count)) questions"
        )
        let count = Double(values.count)
        mean = values.reduce(0) { $0 + Moments.mean($1) } / count
        let squares = values.reduce(0) { sum, own in
            let error = Moments.standardError(own)
            return sum + error * error
        }
        standardError = squares.squareRoot() / count
        guard standardError > PowerLimit.leastStandardError else { return }
        var means = [Double](repeating: 0, count: resamples)
        for (index, own) in values.enumerated() {
            let draws = UniformDraws("benchmark \(index)")
            let drawn = Interval.resampledMeans(own, resamples: resamples) { draws($0) }
            for resample in means.indices { means[resample] += drawn[resample] / count }
        }
        interval = .percentile(of: means, confidence: confidence)
    }
}

extension SignificanceTest {
    /// The permutation test of a macro-averaged paired difference.
    ///
    /// Under "no difference" each question's d_i could as well be -d_i; the statistic is
    /// Σ_b Σ_i d_i / n_b. The mid-p by counting where that is quick, else p by random sign choices.
    ///
    /// - Parameters:
    ///   - benchmarks: The differences on each, as whole numbers in a unit of its own.
    ///   - samples: Random sign choices, where they are needed.
    /// - Returns: p, two-sided.
    public static func macroPermutation(
        _ benchmarks: [WholeDifferences],
        samples: Int = 20_000
    ) -> Double {
        if let whole = weighted(benchmarks), let p = permutation(whole, work: 200_000_000) {
            return p
        }
        let scaled = benchmarks.flatMap { own in
            own.differences.map { Double($0) / Double(own.divisor) }
        }
        let draws = UniformDraws("macro permutation")
        return permutation(scaled, samples: samples) { draws($0) }
    }

    /// The mid-p of the exact permutation test; nil where counting takes more than `work` steps.
    static func permutation(_ differences: [Int], work limit: Int) -> Double? {
        let (work, overflow) = differences.count.multipliedReportingOverflow(
            by: differences.reduce(0) { $0 + abs($1) } / max(1, divisor(differences))
        )
        return !overflow && work <= limit ? permutation(differences, midP: true) : nil
    }

    /// The differences in a unit that all benchmarks have in common; nil where that does not fit.
    private static func weighted(_ benchmarks: [WholeDifferences]) -> [Int]? {
        var common = 1
        for own in benchmarks {
            let (next, overflow) = (common / greatest(common, own.divisor))
                .multipliedReportingOverflow(by: own.divisor)
            guard !overflow, next < 1 << 24 else { return nil }
            common = next
        }
        return benchmarks.flatMap { own in
            own.differences.map { $0 * (common / own.divisor) }
        }
    }

    private static func divisor(_ values: [Int]) -> Int {
        values.reduce(0) { greatest($0, abs($1)) }
    }

    /// The greatest common divisor.
    fileprivate static func greatest(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatest(b, a % b)
    }
}

/// Differences between two arms on the questions of a benchmark, as whole numbers.
public struct WholeDifferences {
    /// The difference of shares on each question, in units of 1 / `unit`.
    var differences: [Int]
    /// How many units make a whole question.
    var unit: Int

    /// What a difference is divided by to become its part in the benchmark's mean.
    var divisor: Int { unit * differences.count }
}

extension WholeDifferences {
    /// Differences of shares that count samples.
    ///
    /// - Precondition: There is a question, and each side has a number of samples that is the same
    ///   for all.
    public init(_ pairs: [(QuestionScore, QuestionScore)]) {
        let (own, other) = (pairs[0].0.samples, pairs[0].1.samples)
        let unit = own / SignificanceTest.greatest(own, other) * other
        self.unit = unit
        differences = pairs.map { $0.correct * (unit / own) - $1.correct * (unit / other) }
    }
}
