extension ReportModel {
    /// What one arm's student took under one seed, all that it needs charged to it in full; nil for
    /// what is not known.
    struct Cost: Equatable, Sendable {
        /// The arm's name.
        var arm: String
        /// The root seed of the run.
        var seed: UInt64
        /// The digest of the stage that trained it; nil for an arm that trains nothing.
        var stage: String?
        /// Optimizer steps of its own training.
        var steps: Int?
        /// Tokens that were trained, over all steps.
        var targetTokens: Int?
        /// Tokens that passed through the student in training, prompts included, over all steps.
        var trainingTokens: Int?
        /// Tokens of all tries, kept or not, and of all rollouts.
        var sampledTokens: Int?
        /// Positions at which the teacher was asked, for tries and in training.
        var teacherTokens: Int?
        /// Wall time of making tries, choosing among them, and rollouts.
        var generationSeconds: Double?
        /// Wall time of training without rollouts.
        var trainingSeconds: Double?

        /// Wall time in all.
        var seconds: Double? {
            generationSeconds.flatMap { first in trainingSeconds.map { first + $0 } }
        }

        /// Nothing, as the student costs before any training.
        static func free(_ arm: String, _ seed: UInt64) -> Cost {
            Cost(
                arm: arm,
                seed: seed,
                steps: 0,
                targetTokens: 0,
                trainingTokens: 0,
                sampledTokens: 0,
                teacherTokens: 0,
                generationSeconds: 0,
                trainingSeconds: 0
            )
        }

        /// Adds what something else took; what is not known of either is not known of both.
        mutating func add(_ other: Cost) {
            func add<Value: AdditiveArithmetic>(_ path: WritableKeyPath<Cost, Value?>) {
                self[keyPath: path] = self[keyPath: path].flatMap { own in
                    other[keyPath: path].map { own + $0 }
                }
            }
            add(\.targetTokens)
            add(\.trainingTokens)
            add(\.sampledTokens)
            add(\.teacherTokens)
            add(\.generationSeconds)
            add(\.trainingSeconds)
        }
    }

    /// The mean of a cost over an arm's seeds; nil where it is not known of each.
    func meanCost<Value>(of arm: String, _ value: (Cost) -> Value?) -> Double?
    where Value: BinaryInteger {
        meanCost(of: arm) { value($0).map { Double($0) } }
    }

    /// The mean of a cost over an arm's seeds; nil where it is not known of each.
    func meanCost(of arm: String, _ value: (Cost) -> Double?) -> Double? {
        let values = costs.filter { $0.arm == arm }.map(value)
        let known = values.compactMap(\.self)
        guard !known.isEmpty, known.count == values.count else { return nil }
        return known.reduce(0, +) / Double(known.count)
    }
}
