extension ReportModel {
    /// How often each arm answered each question of one benchmark.
    struct QuestionGrid: Equatable, Sendable {
        /// The benchmark.
        var benchmark: String
        /// The ids of its questions.
        var questions: [String]
        /// One row an arm.
        var rows: [Row]

        /// One arm.
        struct Row: Equatable, Sendable {
            /// The arm's name.
            var arm: String
            /// The share of right samples of each question, over all seeds.
            var shares: [Double]
        }

        /// The questions from the easiest to the hardest, by the mean over the arms.
        var order: [Int] {
            let means = questions.indices.map { question in
                rows.reduce(0) { $0 + $1.shares[question] }
            }
            return questions.indices.sorted { (-means[$0], $0) < (-means[$1], $1) }
        }

        /// How many questions every arm, and how many no arm, answers right at least half the time.
        var agreement: (all: Int, none: Int) {
            let right = questions.indices.map { question in
                rows.count { $0.shares[question] >= 0.5 }
            }
            return (right.count { $0 == rows.count }, right.count { $0 == 0 })
        }
    }
}
