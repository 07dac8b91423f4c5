/// What k samples of one question together achieve.
public enum SampleMetrics {
    /// pass@k: the chance that at least one of `k` samples drawn from `samples` is right.
    ///
    ///     1 - C(n - c, k) / C(n, k)
    ///
    /// Unbiased. Source: Chen et al. 2021, arXiv:2107.03374, section 2.1.
    ///
    /// - Precondition: `1 <= k <= samples`.
    static func pass(at k: Int, correct: Int, samples: Int) -> Double {
        precondition((1...max(1, samples)).contains(k), "pass@\(k) of \(samples) samples")
        precondition((0...samples).contains(correct), "pass@k: \(correct) right of \(samples)")
        if samples - correct < k { return 1 }
        // C(n-c, k) / C(n, k) = product over i of (n - c - i) / (n - i)
        let allWrong = (0..<k).reduce(1.0) { product, i in
            product * Double(samples - correct - i) / Double(samples - i)
        }
        return 1 - allWrong
    }

    /// maj@k: whether the answer given most often is right.
    ///
    /// Ties go to the answer that came first. Samples without an answer have no vote.
    ///
    /// - Parameters:
    ///   - answers: Each sample's extracted answer, in order of sampling; `nil` for none.
    ///   - isEqual: Whether two answers are the same; each group is known by its first member.
    ///   - isCorrect: Whether an answer is right.
    /// - Returns: `false` where no sample gave an answer.
    public static func majority(
        _ answers: [String?],
        isEqual: (String, String) -> Bool,
        isCorrect: (String) -> Bool
    ) -> Bool {
        var groups: [(answer: String, votes: Int)] = []
        for answer in answers.compactMap(\.self) {
            if let index = groups.firstIndex(where: { isEqual($0.answer, answer) }) {
                groups[index].votes += 1
            } else {
                groups.append((answer, 1))
            }
        }
        let most = groups.map(\.votes).max()
        return groups.first { $0.votes == most }.map { isCorrect($0.answer) } ?? false
    }
}
