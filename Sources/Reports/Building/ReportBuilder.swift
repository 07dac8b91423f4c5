import Basics
import Experiments
import Scoring
import Statistics

/// Turns scores into the model of a report.
struct ReportBuilder {
    /// The experiment, or one variant of a sweep.
    let experiment: Experiment
    /// The scores.
    let table: ScoreTable
    /// Resamples of every bootstrap.
    var resamples = 10_000

    /// From so many comparisons of averages on, the report warns of their number.
    static let manyComparisons = 10

    /// The scores of one arm.
    ///
    /// - Throws: `Failure` when the table lacks some.
    func scores(_ arm: Arm) throws -> ArmScores {
        try ArmScores(
            table,
            variant: experiment.variant?.name,
            arm: arm.name,
            seeds: experiment.seeds,
            benchmarks: experiment.benchmarks.map(\.name)
        )
    }

    /// Everything that follows from scores: accuracies, differences, contrasts, seeds.
    ///
    /// - Throws: `Failure` when the table lacks some.
    func model() throws -> ReportModel {
        var model = ReportModel(
            experiment: experiment.name,
            overview: experiment.description,
            arms: experiment.arms.map { .init(name: $0.name, summary: $0.summary) },
            baseArm: experiment.arms.first { $0.kind == .base }?.name,
            benchmarks: experiment.benchmarks.map(\.name)
        )
        let all = try experiment.arms.map { ($0, try scores($0)) }
        let base = all.first { $0.0.name == model.baseArm }?.1
        for (arm, scores) in all {
            let comparison =
                arm.name == model.baseArm
                ? nil : try base.map { try ArmComparison(scores, minus: $0, resamples: resamples) }
            model.scores += try rows(scores, comparison)
            model.seedAverages += zip(scores.seeds, scores.seedAverages).map {
                .init(arm: arm.name, seed: $0, accuracy: $1)
            }
            if let comparison, let base {
                model.seedComparisons.append(seeds(scores, base, comparison))
            }
        }
        // The first arm of the method stands for it; every pair would be a table nobody reads.
        for (arm, scores) in all.filter({ $0.0.kind == .rsd }).prefix(1) {
            for (other, against) in all where other.kind != .base && other.name != arm.name {
                let comparison = try ArmComparison(scores, minus: against, resamples: resamples)
                model.contrasts.append(
                    .init(arm: arm.name, other: other.name, difference: comparison.average)
                )
                model.seedComparisons.append(seeds(scores, against, comparison))
            }
        }
        model.questionGrids = experiment.benchmarks.indices.map { index in
            let ids = all.first?.1.benchmarks[index].pooled.map(\.id) ?? []
            return .init(
                benchmark: experiment.benchmarks[index].name,
                questions: ids,
                rows: all.map { arm, scores in
                    let own = Dictionary(
                        scores.benchmarks[index].pooled.map { ($0.id, $0.mean) },
                        uniquingKeysWith: { first, _ in first }
                    )
                    return .init(arm: arm.name, shares: ids.map { own[$0] ?? 0 })
                }
            )
        }
        model.warnings += FloorAndCeiling.warnings(
            model.questionGrids.map { ($0.benchmark, $0.rows.flatMap(\.shares)) }
        )
        model.notes = notes(all.first?.1, comparisons: !model.seedComparisons.isEmpty)
        let comparisons = model.comparedArms.count + model.contrasts.count
        if base != nil, comparisons >= Self.manyComparisons {
            model.notes.append(
                "Averages are not corrected for how many are compared: of \(comparisons) comparisons "
                    + "of arms that do not differ, one in twenty would still seem to."
            )
        }
        return model
    }

    private func seeds(
        _ arm: ArmScores,
        _ other: ArmScores,
        _ comparison: ArmComparison
    ) -> ReportModel.SeedComparison {
        .init(
            arm: arm.name,
            other: other.name,
            seeds: arm.seeds,
            differences: comparison.overSeeds.values,
            sameSign: comparison.overSeeds.sameSign,
            tP: comparison.overSeeds.tP,
            signFlipP: comparison.overSeeds.signFlipP,
            overQuestions: comparison.overQuestions.interval,
            overQuestionsP: comparison.overQuestionsP
        )
    }

    /// An arm's scores on each benchmark and on average.
    func rows(
        _ scores: ArmScores,
        _ comparison: ArmComparison?
    ) throws -> [ReportModel.Score] {
        var rows = try scores.benchmarks.enumerated().map { index, own in
            ReportModel.Score(
                arm: scores.name,
                benchmark: own.name,
                accuracy: Moments.mean(own.pooled.map(\.mean)),
                interval: try interval(own),
                questions: own.pooled.count,
                samplesPerQuestion: own.samples,
                seeds: scores.seeds.count,
                difference: comparison?.difference(on: index),
                unparsedShare: own.unparsedShare,
                truncatedShare: own.truncatedShare,
                guessedShare: own.guessedShare,
                passAtK: own.passAtK,
                majorityAtK: own.majorityAtK,
                rankedAtK: own.rankedAtK
            )
        }
        let guesses = scores.benchmarks.compactMap(\.guessedShare)
        var average = ReportModel.Score(
            arm: scores.name,
            accuracy: Moments.mean(scores.seedAverages),
            interval: averageInterval(scores),
            questions: scores.benchmarks.reduce(0) { $0 + $1.pooled.count },
            samplesPerQuestion: scores.benchmarks.map(\.samples).max() ?? 0,
            seeds: scores.seeds.count,
            difference: comparison?.average,
            unparsedShare: Moments.mean(scores.benchmarks.map(\.unparsedShare)),
            truncatedShare: Moments.mean(scores.benchmarks.map(\.truncatedShare)),
            guessedShare: guesses.count == scores.benchmarks.count ? Moments.mean(guesses) : nil
        )
        // An only benchmark is its own average, and is what the report then shows.
        if rows.count == 1 {
            rows[0].difference = average.difference
            if scores.seeds.count >= SeedStatistics.fewestSeeds, average.interval != nil {
                rows[0].interval = average.interval
            } else {
                average.interval = rows[0].interval
            }
        }
        return rows + [average]
    }

    /// The interval of an accuracy on one benchmark.
    private func interval(_ own: ArmScores.OnBenchmark) throws -> Interval {
        try AccuracySummary(own.pooled, samples: own.pooled.first?.samples ?? 0).interval
    }

    /// The interval of an average; nil where nothing varies, as at the floor.
    private func averageInterval(_ scores: ArmScores) -> Interval? {
        if scores.seeds.count >= SeedStatistics.fewestSeeds,
            let interval = SeedStatistics(scores.seedAverages).interval(within: 0...1)
        {
            return interval
        }
        let values = scores.benchmarks.map { $0.pooled.map(\.mean) }
        return MacroAverage(values, resamples: resamples).interval
    }

    /// Which interval and test is which; only what was used is explained.
    private func notes(_ first: ArmScores?, comparisons: Bool) -> [String] {
        guard let first else { return [] }
        let seeds = first.seeds.count
        let isRepeated = first.benchmarks.contains { $0.pooled.first?.samples != 1 }
        // An only benchmark is its own average.
        let isOnly = first.benchmarks.count == 1
        var notes: [String] = []
        if !isOnly || seeds < SeedStatistics.fewestSeeds {
            notes.append(
                "Intervals of a benchmark's accuracy are Wilson's, with questions as the trials"
                    + (isRepeated
                        ? ", their number corrected for how alike the samples of a question are."
                        : ".")
            )
        }
        if comparisons && !isOnly {
            notes.append(
                "A benchmark's p is the mid-p of the permutation test over questions, and Holm's "
                    + "correction covers the benchmarks of an arm; these hold for the models that "
                    + "were trained."
            )
        }
        let unit: String
        if seeds >= SeedStatistics.fewestSeeds {
            unit =
                "Every seed trains "
                + (experiment.hasBaseStudentOfEachSeed ? "a base student" : "students")
                + " of its own, so \(isOnly ? "intervals and p" : "the average's interval and p") "
                + "take the seed as the random unit: Student's t over \(seeds) seeds, on the same "
                + "questions, for accuracies on the logit scale. The exact test over the signs of "
                + "the seeds stands beside it; with \(seeds) seeds its p cannot fall below "
                + NumberText.pValue(2 / Double(sign: .plus, exponent: seeds, significand: 1))
                + "."
        } else {
            unit =
                (isOnly
                    ? "A difference's interval is a bootstrap over questions"
                    : "The average's interval is a bootstrap over questions within the benchmarks")
                + (comparisons ? " and its p a permutation test over questions" : "")
                + "; with fewer than \(SeedStatistics.fewestSeeds) seeds, how much another "
                + "training run would differ is not part of it."
        }
        return notes + [unit]
    }
}

extension Experiment {
    /// Whether the student is trained from scratch anew for each seed.
    fileprivate var hasBaseStudentOfEachSeed: Bool {
        if case .scratch(let model) = student { !model.isSharedAcrossSeeds } else { false }
    }
}
