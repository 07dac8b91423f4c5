/// Benchmarks on which no arm differs from any other, because nobody is right or everybody is.
enum FloorAndCeiling {
    /// One sentence for each benchmark at the floor or the ceiling.
    ///
    /// `benchmarks` are those with the share of right samples of every question, of all arms.
    static func warnings(_ benchmarks: [(name: String, shares: [Double])]) -> [String] {
        benchmarks.compactMap { name, shares in
            guard let first = shares.first, first == 0 || first == 1,
                shares.allSatisfy({ $0 == first })
            else { return nil }
            return first == 0
                ? "No arm answers any question of \(name) right: nothing can be told from it. Easier "
                    + "questions, a stronger student or longer answers would tell more."
                : "Every arm answers every question of \(name) right: nothing can be told from it. "
                    + "Harder questions would tell more."
        }
    }
}
