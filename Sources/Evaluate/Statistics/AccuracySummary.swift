import Foundation

/// How well one arm did on one benchmark: avg@k with its uncertainty.
struct AccuracySummary: Sendable, Equatable {
    /// Questions, n.
    var questionCount: Int
    /// Samples of each question, k, over all training seeds.
    var samplesPerQuestion: Int
    /// avg@k: the mean over questions of c_i / k.
    var mean: Double
    /// Standard deviation of the question means over √n, with n - 1 below; `nan` for n = 1.
    var standardError: Double
    /// Wilson's interval on the mean, with questions as the trials.
    ///
    /// Conservative for k > 1: a question's mean varies less than a single try.
    var wilson: Interval
    /// The cluster bootstrap interval over questions.
    var bootstrap: Interval
    /// The exact interval, where k = 1 makes the right answers a binomial count.
    var exact: Interval?

    /// Summarises one benchmark.
    ///
    /// - Parameters:
    ///   - scores: One entry a question.
    ///   - samples: Samples every question must have.
    ///   - confidence: Coverage of all intervals.
    ///   - resamples: Resamples of the bootstrap.
    ///   - uniform: Uniform numbers for the bootstrap; see `Interval.bootstrap`.
    /// - Throws: `Failure` (bad data) where a question has another number of samples.
    init(
        _ scores: [QuestionScore],
        samples: Int,
        confidence: Double = 0.95,
        resamples: Int = 10_000,
        uniform: (Int) -> Double
    ) throws {
        try scores.checkSamples(expected: samples)
        let means = scores.map(\.mean)
        questionCount = scores.count
        samplesPerQuestion = samples
        mean = Moments.mean(means)
        standardError = Moments.standardError(means)
        let correct = scores.reduce(0) { $0 + $1.correct }
        wilson = .wilson(
            successes: Double(correct) / Double(samples),
            trials: scores.count,
            confidence: confidence
        )
        bootstrap = .bootstrap(
            ofMean: means,
            resamples: resamples,
            confidence: confidence,
            uniform: uniform
        )
        exact =
            samples == 1
            ? .clopperPearson(successes: correct, trials: scores.count, confidence: confidence)
            : nil
    }
}

/// Mean and its standard error.
enum Moments {
    /// The mean of values; not empty.
    static func mean(_ values: [Double]) -> Double {
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
