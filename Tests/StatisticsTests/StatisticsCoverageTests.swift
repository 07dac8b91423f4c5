import Foundation
import Testing

@testable import Statistics

/// How often intervals cover and tests reject, on simulated benchmarks with fixed seeds.
///
/// A question's chance of a right sample is drawn from Beta(pc, (1 - p)c): c = 0.3 makes questions
/// nearly always or never answered, c = 4 makes them much alike.
@Suite struct StatisticsCoverageTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        var questions: Int
        var share: Double
        var samples: Int
        var testDescription: String { "n \(questions), p \(share), k \(samples)" }
    }

    static let settings: [Setting] = [30, 198, 500].flatMap { questions in
        [0.03, 0.25, 0.65].flatMap { share in
            [1, 16].map { Setting(questions: questions, share: share, samples: $0) }
        }
    }

    /// Draws chances by their quantiles, tabulated at 2048 places.
    private struct Questions {
        private let chances: [Double]

        init(share: Double, likeness: Double) {
            chances = (0..<2048).map { place in
                let p = (Double(place) + 0.5) / 2048
                return Beta.quantile(p, share * likeness, (1 - share) * likeness)
            }
        }

        var mean: Double { Moments.mean(chances) }

        /// Right samples of one more question.
        func correct(of samples: Int, _ chance: Double, _ random: inout SplitMix) -> Int {
            (0..<samples).count { _ in random.uniform() < chance }
        }

        func chance(_ random: inout SplitMix) -> Double {
            chances[Int(random.uniform() * 2048)]
        }
    }

    @Test(arguments: settings) func intervalsCover(_ setting: Setting) {
        for likeness in setting.samples == 1 ? [1.0] : [0.3, 1, 4] {
            let questions = Questions(share: setting.share, likeness: likeness)
            var random = SplitMix(state: UInt64(setting.questions * 100 + setting.samples))
            let experiments = 4_000
            var covered = 0
            for _ in 0..<experiments {
                let means = (0..<setting.questions).map { _ in
                    let chance = questions.chance(&random)
                    let correct = questions.correct(of: setting.samples, chance, &random)
                    return Double(correct) / Double(setting.samples)
                }
                let interval = Interval.clusteredWilson(means, samples: setting.samples)
                if interval.contains(questions.mean) { covered += 1 }
            }
            let coverage = Double(covered) / Double(experiments)
            #expect((0.93...0.97).contains(coverage), "\(coverage) at c = \(likeness)")
            print("coverage of \(setting.testDescription), c \(likeness): \(coverage)")
        }
    }

    /// Two arms of equal strength on the same questions: how often the test tells them apart.
    @Test(arguments: settings) func pairedTestKeepsItsLevel(_ setting: Setting) {
        let questions = Questions(share: setting.share, likeness: 1)
        var random = SplitMix(state: UInt64(setting.questions * 100 + setting.samples + 1))
        let experiments = setting.samples > 1 && setting.questions > 30 ? 2_000 : 10_000
        var (rejected, rejectedExactly, differing) = (0, 0, 0)
        for _ in 0..<experiments {
            let differences = (0..<setting.questions).map { _ in
                let chance = questions.chance(&random)
                let arm = questions.correct(of: setting.samples, chance, &random)
                return arm - questions.correct(of: setting.samples, chance, &random)
            }
            differing += differences.count { $0 != 0 }
            if SignificanceTest.permutation(differences, midP: true) <= 0.05 { rejected += 1 }
            if SignificanceTest.permutation(differences) <= 0.05 { rejectedExactly += 1 }
        }
        let rate = Double(rejected) / Double(experiments)
        let exact = Double(rejectedExactly) / Double(experiments)
        let few = Double(differing) / Double(experiments) < 20
        let error = (0.05 * 0.95 / Double(experiments)).squareRoot()
        // Where few questions differ no p falls just below the level, and the test is cautious.
        #expect(rate <= 0.06 + error && (few || rate >= 0.04 - error), "\(rate)")
        #expect(exact <= 0.05 + 3 * error, "\(exact)")
        print(
            "type I error of \(setting.testDescription): \(rate), exact \(exact), "
                + "\(differing / experiments) questions differ"
        )
    }
}

extension SplitMix {
    /// The next number in [0, 1).
    fileprivate mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
