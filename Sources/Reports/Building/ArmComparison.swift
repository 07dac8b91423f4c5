import Basics
import Statistics

/// One arm against another on the same questions and under the same seeds.
///
/// On a benchmark the question is the random unit, samples of all seeds pooled. On the average it is
/// the seed where there are at least `SeedStatistics.fewestSeeds`, because every seed trains students
/// of its own and questions cannot tell how much others would differ; with fewer seeds it is the
/// question.
struct ArmComparison: Sendable {
    /// One comparison a benchmark, in order.
    let onBenchmarks: [PairedComparison]
    /// Their p values after Holm's correction over the benchmarks; nil where there is no p.
    let adjusted: [Double?]
    /// The average over benchmarks, with questions as the unit.
    let overQuestions: MacroAverage
    /// p of the permutation test that belongs to `overQuestions`; nil where no question differs.
    let overQuestionsP: Double?
    /// Why the questions cannot say how small a difference they would have shown.
    let overQuestionsLimit: PowerLimit?
    /// The average over benchmarks, with seeds as the unit.
    let overSeeds: SeedStatistics

    /// Compares two arms.
    ///
    /// - Throws: `Failure.badData` where their questions differ.
    init(_ arm: ArmScores, minus other: ArmScores, resamples: Int = 10_000) throws {
        let pairs = Array(zip(arm.benchmarks, other.benchmarks))
        onBenchmarks = try pairs.enumerated().map { index, pair in
            let draws = UniformDraws("benchmark \(index)")
            return try PairedComparison(
                arm: pair.0.pooled,
                base: pair.1.pooled,
                resamples: resamples
            ) { draws($0) }
        }
        adjusted = SignificanceTest.holm(onBenchmarks.map(\.permutationP))
        let matched = try pairs.map { try $0.0.pooled.paired(with: $0.1.pooled) }
        overQuestions = MacroAverage(
            matched.map { $0.map { $0.0.mean - $0.1.mean } },
            resamples: resamples
        )
        overQuestionsLimit = PowerLimit(matched, standardError: overQuestions.standardError)
        overQuestionsP =
            overQuestionsLimit?.tellsNothing == true
            ? nil : SignificanceTest.macroPermutation(matched.map(WholeDifferences.init))
        overSeeds = SeedStatistics(zip(arm.seedAverages, other.seedAverages).map { $0 - $1 })
    }

    /// Whether seeds decide about the average: there are enough, and they differ.
    var seedsDecide: Bool {
        overSeeds.values.count >= SeedStatistics.fewestSeeds && overSeeds.interval != nil
    }

    /// Seeds that differ wildly may hide any difference.
    private var seedLimit: PowerLimit? {
        (overSeeds.minimumDetectableEffect ?? 0) > 1 ? .imprecise : nil
    }

    /// The difference on a benchmark as the report shows it.
    func difference(on index: Int) -> ReportModel.Difference {
        let own = onBenchmarks[index]
        return .init(
            estimate: own.difference,
            interval: own.interval,
            pValue: own.permutationP,
            adjustedPValue: adjusted[index],
            minimumDetectable: own.minimumDetectableEffect,
            limit: own.limit,
            verdict: .init(own.difference, p: adjusted[index])
        )
    }

    /// The difference on average as the report shows it.
    var average: ReportModel.Difference {
        if seedsDecide, let interval = overSeeds.interval, let p = overSeeds.tP {
            return .init(
                estimate: overSeeds.mean,
                interval: interval,
                pValue: p,
                minimumDetectable: seedLimit == nil ? overSeeds.minimumDetectableEffect : nil,
                limit: seedLimit,
                verdict: .init(overSeeds.mean, p: p)
            )
        }
        return .init(
            estimate: overQuestions.mean,
            interval: overQuestions.interval,
            pValue: overQuestionsP,
            minimumDetectable: overQuestionsLimit == nil
                ? SignificanceTest.minimumDetectableEffect(
                    standardError: overQuestions.standardError
                ) : nil,
            limit: overQuestionsLimit,
            verdict: .init(overQuestions.mean, p: overQuestionsP)
        )
    }
}

extension ReportModel.Verdict {
    /// What a test at the usual level says; without a p, nothing.
    init(_ difference: Double, p: Double?) {
        self =
            p ?? 1 >= SignificanceTest.level || difference == 0
            ? .notDistinguishable : difference > 0 ? .better : .worse
    }
}
