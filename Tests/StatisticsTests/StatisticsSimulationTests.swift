import Testing

@testable import Statistics

/// What the intervals and tests promise, on simulated experiments with fixed seeds.
@Suite struct StatisticsSimulationTests {
    /// Exact coverage: the chance, over all outcomes, that the interval holds the true share.
    @Test(arguments: [(30, 0.03), (30, 0.5), (100, 0.11), (198, 0.25)])
    func intervalsOfSharesCover(trials: Int, share: Double) {
        var wilson = 0.0
        var probability = pow(1 - share, trials)
        for successes in 0...trials {
            if Interval.wilson(successes: Double(successes), trials: trials).contains(share) {
                wilson += probability
            }
            probability *= Double(trials - successes) / Double(successes + 1) * share / (1 - share)
        }
        #expect((0.92...0.98).contains(wilson))
    }

    private func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    /// Questions of unlike difficulty, several samples each: the cluster bootstrap covers the
    /// true mean, where an interval that takes samples for questions would not.
    @Test func clusterBootstrapCovers() {
        var random = SplitMix(state: 0x5EED)
        let (experiments, questions, samples) = (300, 60, 16)
        var (covered, naive) = (0, 0)
        for experiment in 0..<experiments {
            // Difficulty is 0 or 1 but for a little noise: samples of a question hang together.
            let means = (0..<questions).map { _ in
                let p = Double.random(in: 0..<1, using: &random) < 0.4 ? 0.95 : 0.05
                let correct = (0..<samples).count { _ in
                    Double.random(in: 0..<1, using: &random) < p
                }
                return Double(correct) / Double(samples)
            }
            let truth = 0.4 * 0.95 + 0.6 * 0.05
            let interval = Interval.bootstrap(
                ofMean: means,
                resamples: 400,
                uniform: SplitMix.uniform(seed: UInt64(experiment))
            )
            if interval.contains(truth) { covered += 1 }
            let share = Moments.mean(means)
            let wrong = Interval.wilson(
                successes: share * Double(questions * samples),
                trials: questions * samples
            )
            if wrong.contains(truth) { naive += 1 }
        }
        let coverage = Double(covered) / Double(experiments)
        #expect((0.90...0.98).contains(coverage), "\(coverage)")
        #expect(Double(naive) / Double(experiments) < 0.6)
    }

    /// An effect of the minimum detectable size is found about four times in five.
    @Test func minimumDetectableEffectIsDetected() {
        var random = SplitMix(state: 99)
        let (experiments, questions) = (600, 200)
        var found = 0
        // d is +1, 0 or -1; its standard deviation is about 0.5.
        let error = (0.25 / Double(questions)).squareRoot()
        let effect = SignificanceTest.minimumDetectableEffect(standardError: error)
        for _ in 0..<experiments {
            let differences = (0..<questions).map { _ -> Int in
                let u = Double.random(in: 0..<1, using: &random)
                return u < 0.125 + effect / 2 ? 1 : u > 0.875 + effect / 2 ? -1 : 0
            }
            if SignificanceTest.permutation(differences) <= 0.05 { found += 1 }
        }
        let power = Double(found) / Double(experiments)
        #expect((0.70...0.88).contains(power), "\(power)")
    }
}
