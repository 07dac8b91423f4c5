import Foundation

/// How well one arm did on one benchmark: avg@k with its uncertainty.
public struct AccuracySummary: Sendable, Equatable {
    /// avg@k: the mean over questions of c_i / k.
    public var mean: Double
    /// Standard deviation of the question means over √n, with n - 1 below; `nan` for n = 1.
    var standardError: Double
    /// The interval of the mean: Wilson's, corrected for repeated samples of a question.
    public var interval: Interval
    /// pass@k: the share of questions that some sample answers.
    public var passAtK: Double

    /// Summarises one benchmark.
    ///
    /// - Parameters:
    ///   - scores: One entry a question.
    ///   - samples: Samples every question must have.
    ///   - confidence: Coverage of all intervals.
    /// - Throws: `Failure` (bad data) where a question has another number of samples.
    public init(
        _ scores: [QuestionScore],
        samples: Int,
        confidence: Double = 0.95
    ) throws {
        try scores.checkSamples(expected: samples)
        let means = scores.map(\.mean)
        mean = Moments.mean(means)
        standardError = Moments.standardError(means)
        interval = .clusteredWilson(means, samples: samples, confidence: confidence)
        passAtK = Moments.mean(
            scores.map { SampleMetrics.pass(at: samples, correct: $0.correct, samples: samples) }
        )
    }
}

/// Mean and its standard error.
public enum Moments {
    /// The mean of values; not empty.
    public static func mean(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(values.count)
    }

    /// √(Σ (x - mean)² / (n - 1)) / √n; `nan` for fewer than two values.
    static func standardError(_ values: [Double]) -> Double {
        guard values.count > 1 else { return .nan }
        let center = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
        return (squares / Double(values.count - 1) / Double(values.count)).squareRoot()
    }
}
