import Statistics

extension ReportModel {
    /// How well one arm answers one benchmark.
    struct Score: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// The benchmark's name; nil for the macro average over all of them.
        var benchmark: String?
        /// The share of answers that are right, averaged over samples, then questions, then seeds.
        var accuracy: Double
        /// The interval of `accuracy`.
        var interval: Interval?
        /// The number of different questions.
        var questions: Int
        /// The samples drawn for each question.
        var samplesPerQuestion: Int
        /// The number of independent runs.
        var seeds: Int
        /// The difference to the base arm; nil for the base itself.
        var difference: Difference?
        /// The share of samples without an answer that could be read.
        var unparsedShare: Double?
        /// The share of samples that ran into the token limit.
        var truncatedShare: Double?
        /// The share of samples without a stated answer, graded by the last number or letter.
        var guessedShare: Double?
        /// The share of questions that at least one sample answers.
        var passAtK: Double?
        /// The share of questions that the most frequent answer answers.
        var majorityAtK: Double?
        /// The share of questions on which the sample that the model named the best is right.
        var rankedAtK: Double?
    }

    /// A paired difference of two arms' accuracies, arm minus other.
    struct Difference: Equatable, Sendable {
        /// The difference, a fraction: 0.049 is 4.9 percentage points.
        var estimate: Double
        /// The interval of `estimate`.
        var interval: Interval?
        /// The p value of the paired test, two-sided.
        var pValue: Double?
        /// The p value after Holm's correction over the comparisons of one family.
        var adjustedPValue: Double?
        /// The smallest true difference that this many questions would usually reveal.
        var minimumDetectable: Double?
        /// Why `minimumDetectable`, and perhaps p and the interval, are not known.
        var limit: PowerLimit?
        /// What the test says.
        var verdict: Verdict
    }

    /// What a paired test says about an arm.
    enum Verdict: String, Equatable, Sendable, CaseIterable {
        /// More right answers, beyond chance.
        case better
        /// Fewer right answers, beyond chance.
        case worse
        /// The questions asked cannot tell the two apart.
        case notDistinguishable = "not distinguishable"
    }

    /// A difference between two named arms, averaged over the benchmarks.
    struct Contrast: Equatable, Sendable {
        /// The arm of interest.
        var arm: String
        /// The arm that is subtracted.
        var other: String
        /// `arm` minus `other`.
        var difference: Difference
    }
}
