import Basics
import Testing

@testable import Statistics

/// Every statistic against SciPy or a value worked out by hand.
@Suite struct StatisticsTests {
    let fixtures: StatisticsFixtures

    init() throws { fixtures = try .load() }

    @Test func distributionsAgreeWithSciPy() {
        for row in fixtures.normalQuantiles {
            #expect(close(Normal.quantile(row[0]), row[1], 1e-12), "\(row)")
        }
        for row in fixtures.logGamma {
            #expect(close(Beta.logGamma(row[0]), row[1], 1e-13), "\(row)")
        }
        for row in fixtures.betaCumulative {
            #expect(close(Beta.cumulative(row[0], row[1], row[2]), row[3], 1e-12), "\(row)")
        }
    }

    @Test func intervalsAgreeWithSciPy() {
        for row in fixtures.intervals {
            let wilson = Interval.wilson(
                successes: Double(row.successes),
                trials: row.trials,
                confidence: row.confidence
            )
            #expect(
                close(wilson.lower, row.wilson[0]) && close(wilson.upper, row.wilson[1]),
                "\(row)"
            )
        }
    }

    @Test func clusteredIntervalsFollowTheirDefinition() {
        for row in fixtures.clustered {
            let interval = Interval.clusteredWilson(
                row.correct.map { Double($0) / Double(row.samples) },
                samples: row.samples
            )
            #expect(
                close(interval.lower, row.interval[0], 1e-9)
                    && close(interval.upper, row.interval[1], 1e-9),
                "\(row)"
            )
        }
        // Samples of one question each are independent trials.
        let once = Interval.clusteredWilson([1, 0, 0, 1, 0], samples: 1)
        let wilson = Interval.wilson(successes: 2, trials: 5)
        #expect(close(once.lower, wilson.lower) && close(once.upper, wilson.upper))
    }

    @Test func seedStatisticsAgreeWithSciPy() {
        for row in fixtures.studentT {
            let t = StudentT.quantile(row[1], degreesOfFreedom: Int(row[0]))
            #expect(close(t, row[2], 1e-9), "\(row)")
        }
        let row = fixtures.seeds
        let seeds = SeedStatistics(row.values)
        #expect(close(seeds.standardError, row.standardError))
        #expect(close(seeds.tP ?? .nan, row.tP))
        #expect(close(seeds.signFlipP ?? .nan, row.signFlipP))
        #expect(close(seeds.interval?.lower ?? .nan, row.interval[0]))
        #expect(close(seeds.interval?.upper ?? .nan, row.interval[1]))
    }

    @Test func permutationTestsAgreeWithEnumeration() {
        for row in fixtures.permutationTests {
            #expect(close(SignificanceTest.permutation(row.differences), row.p), "\(row)")
            let midP = SignificanceTest.permutation(row.differences, midP: true)
            #expect(close(midP, row.midP), "\(row)")
            let real = row.differences.map { Double($0) / 8 }
            let p = SignificanceTest.permutation(real, uniform: { _ in .nan })
            #expect(close(p, row.p), "\(row)")
        }
        // 20 wins of 1: only the two extreme sign choices reach the sum.
        let p = SignificanceTest.permutation(Array(repeating: 3, count: 20) + [0, 0])
        #expect(close(p / 0x1p-19, 1))
        #expect(SignificanceTest.permutation([0, 0]) == 1)
        #expect(SignificanceTest.permutation([Int]()) == 1)
    }

    @Test func randomPermutationTestIsNearTheExactOne() {
        let whole = (0..<40).map { ($0 * 7 + 3) % 11 - 4 }
        let exact = SignificanceTest.permutation(whole)
        let sampled = SignificanceTest.permutation(
            whole.map(Double.init),
            samples: 20_000,
            uniform: SplitMix.uniform(seed: 1)
        )
        // Five standard errors of a share of 20,000.
        #expect(abs(sampled - exact) <= 5 * (exact * (1 - exact) / 20_000).squareRoot() + 1e-4)
    }

    @Test func pairedComparisonAgreesWithSciPy() throws {
        let row = fixtures.paired
        let scores = { (counts: [Int]) in
            counts.enumerated().map {
                QuestionScore(id: "q\($0.offset)", correct: $0.element, samples: row.samples)
            }
        }
        let uniform = SplitMix.uniform(seed: 2)
        let result = try PairedComparison(
            arm: scores(row.arm),
            base: scores(row.base).reversed(),
            resamples: 2_000,
            uniform: uniform
        )
        #expect(close(result.difference, row.difference))
        #expect(close(result.standardError, row.standardError))
        let detectable = try #require(result.minimumDetectableEffect)
        #expect(close(detectable, row.minimumDetectableEffect))
        #expect(result.limit == nil)
        let interval = try #require(result.interval)
        #expect(interval.contains(result.difference))
        // The bootstrap's width is near the normal interval's.
        let width = interval.upper - interval.lower
        #expect(abs(width / (2 * 1.96 * row.standardError) - 1) < 0.15)

        let summary = try AccuracySummary(scores(row.arm), samples: row.samples)
        #expect(close(summary.mean, row.armMean))
        #expect(close(summary.standardError, row.armStandardError))
        #expect(summary.interval.contains(summary.mean))
    }

    @Test func sidesMayDifferInSamples() throws {
        let arm = [3, 0, 4].enumerated().map { QuestionScore(id: "\($0)", correct: $1, samples: 4) }
        let base = [1, 1, 3].enumerated().map {
            QuestionScore(id: "\($0)", correct: $1, samples: 3)
        }
        let result = try PairedComparison(
            arm: arm,
            base: base,
            resamples: 10,
            uniform: SplitMix.uniform(seed: 3)
        )
        // (3/4 - 1/3) + (0 - 1/3) + (1 - 1) over 3.
        #expect(close(result.difference, 1.0 / 36))
    }

    @Test func holmIsStepDown() {
        for row in fixtures.holm {
            let adjusted = SignificanceTest.holm(row.p)
            #expect(zip(adjusted, row.adjusted).allSatisfy { close($0, $1) }, "\(row)")
        }
        #expect(SignificanceTest.holm([]).isEmpty)
    }

    @Test func passAtKIsUnbiased() {
        for row in fixtures.passAtK {
            let value = SampleMetrics.pass(at: row.k, correct: row.correct, samples: row.samples)
            #expect(close(value, row.value), "\(row)")
        }
    }

    static let votes: [(answers: [String?], isCorrect: Bool)] = [
        (["1", "2", "2"], false), (["1", "1", "2"], true), (["1", "2"], true), (["2", "1"], false),
        ([nil, nil, "1"], true), ([nil, nil], false), ([], false), (["1.0", "2", "1"], true),
    ]

    @Test(arguments: votes) func majorityVote(_ vote: (answers: [String?], isCorrect: Bool)) {
        let result = SampleMetrics.majority(
            vote.answers,
            isEqual: { Double($0) == Double($1) },
            isCorrect: { Double($0) == 1 }
        )
        #expect(result == vote.isCorrect)
    }

    @Test func missingSamplesAreErrors() throws {
        let uniform = SplitMix.uniform(seed: 4)
        let good = QuestionScore(id: "a", correct: 1, samples: 4)
        let short = QuestionScore(id: "b", correct: 1, samples: 3)
        let impossible = QuestionScore(id: "c", correct: 5, samples: 4)
        for scores in [[], [good, short], [good, impossible]] {
            let error = #expect(throws: Failure.self) {
                try AccuracySummary(scores, samples: 4)
            }
            #expect(error?.kind == .badData)
            if scores.count == 2 { #expect(error?.place == "question \(scores[1].id)") }
        }
        let lonely = QuestionScore(id: "z", correct: 1, samples: 4)
        for (arm, base) in [([good], [good, lonely]), ([good, lonely], [good]), ([], [good])] {
            #expect(throws: Failure.self) {
                try PairedComparison(arm: arm, base: base, resamples: 1, uniform: uniform)
            }
        }
    }

    @Test func seedsArePooledByQuestion() throws {
        let first = [
            QuestionScore(id: "a", correct: 1, samples: 2), .init(id: "b", correct: 0, samples: 2),
        ]
        let second = [
            QuestionScore(id: "b", correct: 2, samples: 2), .init(id: "a", correct: 1, samples: 2),
        ]
        let pooled = try [QuestionScore].pooled(over: [first, second])
        #expect(
            pooled == [
                .init(id: "a", correct: 2, samples: 4), .init(id: "b", correct: 2, samples: 4),
            ]
        )
        #expect(throws: Failure.self) { try [QuestionScore].pooled(over: [first, [second[0]]]) }
    }
}
