import Records
import Scoring
import Statistics

/// Everything a report shows, as plain values.
///
/// The commands fill it from raw records; tables, plots and the page are pure functions of it.
/// Accuracies, shares and differences are fractions (0.283, not 28.3); the renderers turn them
/// into per cent and percentage points. A number that is not known is nil; NaN reads the same.
public struct ReportModel: Equatable, Sendable {
    /// The experiment's name.
    var experiment: String
    /// One or two sentences about what is compared, or empty.
    var overview = ""
    /// How the numbers were made: command line, commit, seeds, library versions, in order.
    var manifest: [ManifestEntry] = []
    /// The level of every interval, a fraction.
    var confidence = 0.95
    /// The arms, in the order in which they are shown; the order also decides their colours.
    var arms: [Arm] = []
    /// The name of the arm that the others are compared with, if there is one.
    var baseArm: String?
    /// The names of the benchmarks, in order.
    var benchmarks: [String] = []
    /// One score for each arm and benchmark, and for each arm the macro average.
    var scores: [Score] = []
    /// Differences between two arms other than the base, such as rsd − direct.
    var contrasts: [Contrast] = []
    /// The average over benchmarks of each arm and seed.
    var seedAverages: [SeedAverage] = []
    /// Paired differences of averages, seed by seed.
    var seedComparisons: [SeedComparison] = []
    /// How often each arm answered each question, one grid a benchmark.
    var questionGrids: [QuestionGrid] = []
    /// What the arms answered, one list a benchmark; empty where only the counts are known.
    var answers: [AnswerList] = []
    /// What is known of the arms' traces.
    var traces: [TraceStatistics] = []
    /// Training losses; an arm trained under several seeds has several.
    var losses: [LossCurve] = []
    /// How well students answer on the way, for arms that were scored there; in order of arms and steps.
    var curves: [CurvePoint] = []
    /// What each arm took under each seed; empty where no run is known.
    var costs: [Cost] = []
    /// A few traces, token by token.
    var samples: [SampleTrace] = []
    /// Parameter sweeps, one plot each.
    var sweeps: [Sweep] = []
    /// What a reader must know before the numbers, such as benchmarks that nobody answers.
    public var warnings: [String] = []
    /// How intervals and tests were made; part of the legend.
    var notes: [String] = []

    /// One line of the manifest.
    struct ManifestEntry: Equatable, Sendable {
        /// What it is: "commit", "OpenBLAS core".
        var key: String
        /// Its value, as text.
        var value: String
    }

    /// One arm of the comparison.
    struct Arm: Equatable, Sendable {
        /// The name in the experiment file; scores and curves refer to it.
        var name: String
        /// A few words on what the arm is, or empty.
        var summary = ""
    }

    /// The average accuracy of one arm under one seed.
    struct SeedAverage: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// The root seed of the run.
        var seed: UInt64
        /// The mean accuracy over the benchmarks, a fraction.
        var accuracy: Double
    }

    /// The difference of two arms' averages under each seed.
    struct SeedComparison: Equatable, Sendable {
        /// The arm of interest.
        var arm: String
        /// The arm that is subtracted.
        var other: String
        /// The seeds.
        var seeds: [UInt64]
        /// `arm` minus `other` under each seed, a fraction.
        var differences: [Double]
        /// How many seeds have the sign of the mean difference.
        var sameSign: Int
        /// The p value of Student's t test over the seeds; nil where they do not differ.
        var tP: Double?
        /// The p value of the exact test over the signs of the seeds' differences; nil where it
        /// says nothing.
        var signFlipP: Double?
        /// The interval of the mean difference with questions as the random unit.
        var overQuestions: Interval?
        /// The p value of the permutation test over questions; nil where no question differs.
        var overQuestionsP: Double?
    }
}

extension ReportModel {
    /// The score of an arm on a benchmark, or its macro average where `benchmark` is nil.
    func score(arm: String, benchmark: String?) -> Score? {
        scores.first { $0.arm == arm && $0.benchmark == benchmark }
    }

    /// The benchmarks in order, then nil for the macro average if any arm has one.
    ///
    /// An average over a single benchmark says nothing new; it is left out.
    var columns: [String?] {
        let hasAverage = scores.contains { $0.benchmark == nil }
        let showsAverage = hasAverage && benchmarks.count != 1
        return benchmarks.map(Optional.some) + (showsAverage ? [nil] : [])
    }

    /// The same with the average first, for lists in which the whole comes before its parts.
    var columnsFromAverage: [String?] {
        columns.filter { $0 == nil } + columns.filter { $0 != nil }
    }

    /// The column that stands for an arm as a whole: the average, or the only benchmark.
    var headline: String? {
        benchmarks.count == 1 ? benchmarks[0] : nil
    }

    /// Whether any answer was guessed.
    var hasGuesses: Bool { scores.contains { ($0.guessedShare ?? 0) > 0 } }

    /// The arms other than the base, in order.
    var comparedArms: [Arm] {
        arms.filter { $0.name != baseArm }
    }
}
