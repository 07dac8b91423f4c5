import Files

/// One arm against another on the same questions and under the same seeds.
///
/// On a benchmark the question is the random unit, samples of all seeds pooled. On the average it is
/// the seed where there are at least `SeedStatistics.fewestSeeds`, because every seed trains students
/// of its own and questions cannot tell how much others would differ; with fewer seeds it is the
/// question.
struct ArmComparison: Sendable {
    /// The level of tests: a p below it tells two arms apart.
    static let level = 0.05

    /// One comparison a benchmark, in order.
    let onBenchmarks: [PairedComparison]
    /// Their p values after Holm's correction over the benchmarks.
    let adjusted: [Double]
    /// The average over benchmarks, with questions as the unit.
    let overQuestions: MacroAverage
    /// p of the permutation test that belongs to `overQuestions`.
    let overQuestionsP: Double
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
        overQuestionsP = SignificanceTest.macroPermutation(matched.map(WholeDifferences.init))
        overSeeds = SeedStatistics(zip(arm.seedAverages, other.seedAverages).map { $0 - $1 })
    }

    /// Whether seeds decide about the average: there are enough, and they differ.
    var seedsDecide: Bool {
        overSeeds.values.count >= SeedStatistics.fewestSeeds && overSeeds.interval != nil
    }

    /// The difference on a benchmark as the report shows it.
    func difference(on index: Int) -> ReportModel.Difference {
        let own = onBenchmarks[index]
        return .init(
            estimate: own.difference,
            interval: .init(own.interval),
            pValue: own.permutationP,
            adjustedPValue: adjusted[index],
            minimumDetectable: own.minimumDetectableEffect,
            verdict: .init(own.difference, p: adjusted[index])
        )
    }

    /// The difference on average as the report shows it.
    var average: ReportModel.Difference {
        if seedsDecide, let interval = overSeeds.interval, let p = overSeeds.tP {
            return .init(
                estimate: overSeeds.mean,
                interval: .init(interval),
                pValue: p,
                minimumDetectable: overSeeds.minimumDetectableEffect,
                verdict: .init(overSeeds.mean, p: p)
            )
        }
        return .init(
            estimate: overQuestions.mean,
            interval: .init(overQuestions.interval),
            pValue: overQuestionsP,
            minimumDetectable: SignificanceTest.minimumDetectableEffect(
                standardError: overQuestions.standardError
            ),
            verdict: .init(overQuestions.mean, p: overQuestionsP)
        )
    }
}

extension ReportModel.Interval {
    /// The same ends.
    init(_ interval: Interval) { self.init(low: interval.lower, high: interval.upper) }
}

extension ReportModel.Verdict {
    /// What a test at the usual level says.
    init(_ difference: Double, p: Double) {
        self =
            p >= ArmComparison.level || difference == 0
            ? .notDistinguishable : difference > 0 ? .better : .worse
    }
}
