import Foundation
import Testing

@testable import Statistics

@Suite struct SeedStatisticsTests {
    /// Closed forms for 1 and 4 degrees of freedom; tables for 30.
    @Test(arguments: [
        (1, 0.975, 12.7062047361747), (4, 0.975, 2.7764451051977934),
        (4, 0.8, 0.9409645772351816), (30, 0.995, 2.749995653567231),
        (4, 0.025, -2.776445105197799),
    ]) func quantilesOfStudentsT(_ freedom: Int, _ p: Double, _ expected: Double) {
        let t = StudentT.quantile(p, degreesOfFreedom: freedom)
        #expect(abs(t - expected) <= 1e-9 * abs(expected))
        let twoSided = StudentT.twoSidedP(t, degreesOfFreedom: freedom)
        #expect(abs(twoSided - 2 * min(p, 1 - p)) < 1e-10)
    }

    @Test func oneSeedHasNoSpread() {
        let one = SeedStatistics([0.25])
        #expect(one.interval == nil && one.tP == nil && one.signFlipP == nil)
        #expect(SeedStatistics([0, 0, 0]).signFlipP == nil, "nothing differs")
        let same = SeedStatistics([0.1, 0.1, 0.1])
        #expect(same.interval == nil && same.sameSign == 3 && same.signFlipP == 0.25)
        #expect(SeedStatistics([0.02, 0.01, 1.1e-16]).sameSign == 2, "rounding has no sign")
    }

    @Test func macroPermutationOfEqualBenchmarksIsTheExactTest() {
        let a = [1, 0, -1, 2, 1]
        let b = [0, 2, 1, -1, 1]
        #expect(
            macroPermutation([a, b])
                == SignificanceTest.permutation(a + b, midP: true)
        )
        // Unequal sizes: d / n in sixths is 3, -3 | 2, 2, 0, as whole numbers.
        #expect(
            macroPermutation([[1, -1], [1, 1, 0]])
                == SignificanceTest.permutation([3, -3, 2, 2], midP: true)
        )
        // Sizes without a small common multiple go by random signs, close to the exact share.
        let sizes = [997, 991, 983, 977]
        let sparse = sizes.map { size in (0..<size).map { $0 < 40 ? ($0 % 3 == 0 ? -1 : 1) : 0 } }
        let p = macroPermutation(sparse, samples: 4000)
        #expect(p > 1e-4 && p < 0.01)
    }

    /// Benchmarks weigh the same however many samples a question of theirs has.
    @Test func macroPermutationDoesNotCountSamples() {
        func pairs(_ correct: [(Int, Int)], samples: Int) -> WholeDifferences {
            WholeDifferences(
                correct.enumerated().map { index, pair in
                    (
                        QuestionScore(id: "\(index)", correct: pair.0 * samples, samples: samples),
                        QuestionScore(id: "\(index)", correct: pair.1 * samples, samples: samples)
                    )
                }
            )
        }
        let few = [(1, 0), (1, 0), (1, 0), (0, 1), (1, 1)]
        let many = [(0, 1), (0, 1), (1, 0), (0, 1), (0, 0), (0, 1), (1, 1)]
        let p = SignificanceTest.macroPermutation([pairs(few, samples: 1), pairs(many, samples: 1)])
        for (one, other) in [(1, 2), (4, 1), (2, 3)] {
            let again = [pairs(few, samples: one), pairs(many, samples: other)]
            #expect(SignificanceTest.macroPermutation(again) == p)
        }
        // Arm and base may differ in samples too: 1/2 against 1/3 is 1 of 6.
        let uneven = WholeDifferences([
            (
                QuestionScore(id: "a", correct: 1, samples: 2),
                QuestionScore(id: "a", correct: 1, samples: 3)
            )
        ])
        #expect(uneven.unit == 6 && uneven.differences == [1])
    }

    private func macroPermutation(_ differences: [[Int]], samples: Int = 20_000) -> Double {
        SignificanceTest.macroPermutation(
            differences.map { WholeDifferences(differences: $0, unit: 1) },
            samples: samples
        )
    }

    @Test func macroAverageGivesEveryBenchmarkTheSameWeight() {
        let average = MacroAverage([[1, 1, 1, 1], [0, 1]], resamples: 400)
        #expect(average.mean == 0.75)
        #expect(average.standardError == 0.25)
        #expect(average.interval == Interval(lower: 0.5, upper: 1))
        #expect(MacroAverage([[0, 0], [0, 0]], resamples: 10).interval == nil)
        #expect(MacroAverage([[0, 1], [1]], resamples: 10).interval == nil)
    }

    @Test func drawsAreUniformAndRepeatable() {
        let draws = UniformDraws("a")
        let values = (0..<4000).map { draws($0) }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        #expect(abs(Moments.mean(values) - 0.5) < 0.02)
        #expect(draws(17) == values[17] && UniformDraws("a")(17) == values[17])
        #expect(UniformDraws("b")(17) != values[17])
    }
}
