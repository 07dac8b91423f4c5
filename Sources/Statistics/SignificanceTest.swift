import Foundation

/// Two-sided tests of "no difference", and what belongs to them.
public enum SignificanceTest {
    /// The level of tests: a p below it tells two sides apart.
    public static let level = 0.05

    /// The exact permutation test of paired whole-number differences.
    ///
    /// Without a difference between the sides each d_i could as well be -d_i. p is the share of
    /// the 2^m sign choices of the m non-zero differences whose |sum| is at least the one seen.
    /// The distribution of the sum is built difference by difference, in O(m Σ|d_i|) steps.
    ///
    /// The exact p never rejects too often, and with few distinct sums far too seldom. The mid-p
    /// counts the sums that equal the one seen by half: on average over sums it rejects as often as
    /// it says.
    /// Source: Fisher 1935; Pagano & Tritchler 1983, JASA 78; Lancaster 1961, JASA 56, for mid-p.
    static func permutation(_ differences: [Int], midP: Bool = false) -> Double {
        let divisor = differences.reduce(0) { gcd($0, abs($1)) }
        if divisor == 0 { return 1 }
        let sizes = differences.map { abs($0) / divisor }.filter { $0 > 0 }
        let total = sizes.reduce(0, +)
        // probability[s]: that the differences taken with a plus sign add up to s.
        var probability = [1.0] + Array(repeating: 0, count: total)
        var reached = 0
        for size in sizes {
            reached += size
            for sum in stride(from: reached, through: 0, by: -1) {
                let taken = sum >= size ? probability[sum - size] : 0
                probability[sum] = 0.5 * (probability[sum] + taken)
            }
        }
        // The signed sum is 2s - total.
        let seen = abs(differences.reduce(0, +)) / divisor
        let extreme = (0...total).reduce(0.0) { sum, s in
            let distance = abs(2 * s - total)
            if distance < seen { return sum }
            return sum + (midP && distance == seen ? 0.5 : 1) * probability[s]
        }
        return min(1, extreme)
    }

    /// The permutation test of real-valued differences.
    ///
    /// Exact by enumeration for up to 16 non-zero differences. Above, by `samples` random sign
    /// choices, with the observed one counted in: p = (hits + 1) / (samples + 1), which never
    /// rejects too often (Phipson & Smyth 2010).
    ///
    /// - Parameters:
    ///   - differences: One a question.
    ///   - samples: Random sign choices.
    ///   - uniform: Draw `i` of a uniform stream, in [0, 1), for `i` from 0 to
    ///     `samples * differences.count - 1`; not used where the test is exact.
    /// - Returns: p, in (0, 1].
    static func permutation(
        _ differences: [Double],
        samples: Int = 100_000,
        uniform: (Int) -> Double
    ) -> Double {
        let nonzero = differences.filter { $0 != 0 }
        let scale = nonzero.reduce(0) { $0 + abs($1) }
        // Sums that differ by rounding alone are ties.
        let seen = abs(nonzero.reduce(0, +)) - 1e-12 * scale
        if nonzero.count <= 16 {
            let choices = 1 << nonzero.count
            let hits = (0..<choices).count { choice in
                var sum = 0.0
                for (i, d) in nonzero.enumerated() { sum += choice >> i & 1 == 1 ? d : -d }
                return abs(sum) >= seen
            }
            return Double(hits) / Double(choices)
        }
        let hits = (0..<samples).count { sample in
            var sum = 0.0
            for (i, d) in nonzero.enumerated() {
                sum += uniform(sample * nonzero.count + i) < 0.5 ? d : -d
            }
            return abs(sum) >= seen
        }
        return Double(hits + 1) / Double(samples + 1)
    }

    /// Holm's step-down correction: p-values that hold for all tests of a family together.
    ///
    /// In increasing order, adjusted p_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).
    /// Source: Holm 1979, Scandinavian Journal of Statistics 6.
    ///
    /// - Returns: Adjusted values in the order given.
    public static func holm(_ pValues: [Double]) -> [Double] {
        var adjusted = pValues
        var running = 0.0
        let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
        for (rank, index) in order.enumerated() {
            running = max(running, min(1, Double(pValues.count - rank) * pValues[index]))
            adjusted[index] = running
        }
        return adjusted
    }

    /// The same where some comparisons have no p: they count as part of the family, and stay
    /// without one.
    public static func holm(_ pValues: [Double?]) -> [Double?] {
        zip(pValues, holm(pValues.map { $0 ?? 1 })).map { $0 == nil ? nil : $1 }
    }

    /// The smallest true effect that a two-sided test at `level` finds with chance `power`.
    ///
    ///     (z_{1 - level/2} + z_{power}) · standardError
    ///
    /// Source: Bloom 1995, Evaluation Review 19; normal approximation.
    public static func minimumDetectableEffect(
        standardError: Double,
        level: Double = 0.05,
        power: Double = 0.8
    ) -> Double {
        (Normal.quantile(1 - level / 2) + Normal.quantile(power)) * standardError
    }

    /// The smallest mid-p that the permutation test of so many questions can have: of 2^n sign
    /// choices the two most extreme ones, counted by half.
    static func leastP(questions: Int) -> Double {
        Double(sign: .plus, exponent: -questions, significand: 1)
    }

    private static func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }
}
