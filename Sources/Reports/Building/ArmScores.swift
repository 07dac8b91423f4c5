import Basics
import Experiments
import Scoring
import Statistics

/// The scores of one arm over all seeds and benchmarks, in the forms that statistics want.
struct ArmScores: Sendable {
    /// One benchmark.
    struct OnBenchmark: Sendable {
        /// Its name.
        var name: String
        /// k: samples of each question under each seed.
        var samples: Int
        /// The scores of each question, samples of all seeds pooled.
        var pooled: [QuestionScore]
        /// The mean accuracy under each seed.
        var seedMeans: [Double]
        /// pass@k: the share of questions that some sample answers, averaged over seeds.
        var passAtK: Double
        /// maj@k: the share of questions that most samples answer, averaged over seeds; nil where
        /// the table does not tell.
        var majorityAtK: Double?
        /// rank@k: the share of questions on which the sample that the model named is right, averaged
        /// over seeds; nil where it was not asked.
        var rankedAtK: Double?
        /// The share of samples without an answer.
        var unparsedShare: Double
        /// The share of samples that ran into the token limit.
        var truncatedShare: Double
        /// The share of samples whose answer was guessed; nil where the table does not tell.
        var guessedShare: Double?
    }

    /// The arm's name.
    let name: String
    /// The seeds.
    let seeds: [UInt64]
    /// The benchmarks, in order.
    let benchmarks: [OnBenchmark]

    /// Gathers an arm's scores.
    ///
    /// - Throws: `Failure.missingInput` when the table lacks a seed or a benchmark, and
    ///   `Failure.badData` when it holds none.
    init(
        _ table: ScoreTable,
        variant: String? = nil,
        arm: String,
        seeds: [UInt64],
        benchmarks names: [String]
    ) throws {
        name = arm
        self.seeds = seeds
        benchmarks = try names.map { name in
            let cells = try seeds.map { try table.cell(variant, arm, $0, name) }
            let samples = cells.first?.samples ?? 0
            let bySeed = cells.map { cell in
                zip(table.ids(name), cell.correct).map {
                    QuestionScore(id: $0, correct: $1, samples: cell.samples)
                }
            }
            let all = Double(cells.reduce(0) { $0 + $1.samples * $1.correct.count })
            let guesses = cells.compactMap(\.guessed)
            let majorities = cells.compactMap(\.majority).map { Moments.mean($0.map(Double.init)) }
            let ranked = cells.compactMap(\.ranked).map { Moments.mean($0.map(Double.init)) }
            let summaries = try bySeed.map { try AccuracySummary($0, samples: samples) }
            return OnBenchmark(
                name: name,
                samples: samples,
                pooled: try .pooled(over: bySeed),
                seedMeans: summaries.map(\.mean),
                passAtK: Moments.mean(summaries.map(\.passAtK)),
                majorityAtK: majorities.count == cells.count ? Moments.mean(majorities) : nil,
                rankedAtK: ranked.count == cells.count ? Moments.mean(ranked) : nil,
                unparsedShare: Double(cells.reduce(0) { $0 + $1.unparsed }) / all,
                truncatedShare: Double(cells.reduce(0) { $0 + $1.truncated }) / all,
                guessedShare: guesses.count == cells.count
                    ? Double(guesses.reduce(0, +)) / all : nil
            )
        }
        guard !benchmarks.isEmpty, !seeds.isEmpty else {
            throw Failure(.badData, at: arm, "has no benchmark or no seed to be scored on")
        }
    }

    /// The average over benchmarks under each seed.
    var seedAverages: [Double] {
        seeds.indices.map { seed in Moments.mean(benchmarks.map { $0.seedMeans[seed] }) }
    }
}
