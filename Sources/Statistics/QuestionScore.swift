import Basics

/// How many samples of one question were right.
///
/// The unit of every statistic here is the question: samples of one question, and training
/// seeds, are repeated looks at the same thing and never count as new questions.
public struct QuestionScore: Sendable, Equatable {
    /// The question's id.
    public var id: String
    /// Right samples, summed over training seeds where there are several.
    var correct: Int
    /// All samples, summed over training seeds; > 0.
    public var samples: Int

    /// Describes the samples of a question.
    public init(id: String, correct: Int, samples: Int) {
        self.id = id
        self.correct = correct
        self.samples = samples
    }

    /// The share of right samples, c_i / k.
    public var mean: Double { Double(correct) / Double(samples) }
}

extension [QuestionScore] {
    /// Checks that every question has the same, right number of samples.
    ///
    /// - Throws: `Failure` (bad data) that names the first question with another number: a
    ///   missing sample is an error, never a wrong answer.
    func checkSamples(expected: Int) throws {
        guard !isEmpty else { throw Failure(.badData, "no questions; expected at least one") }
        for question in self where question.samples != expected || expected < 1 {
            throw Failure(
                .badData,
                at: "question \(question.id)",
                "\(question.samples) samples; expected \(expected)",
                remedy: "Run the evaluation again: it samples what is missing."
            )
        }
        for question in self where !(0...question.samples).contains(question.correct) {
            throw Failure(
                .badData,
                at: "question \(question.id)",
                "\(question.correct) right of \(question.samples) samples"
            )
        }
    }

    /// Pools the scores of several training seeds, question by question.
    ///
    /// - Throws: `Failure` (bad data) where the seeds do not cover the same questions.
    public static func pooled(over seeds: [[QuestionScore]]) throws -> [QuestionScore] {
        guard var result = seeds.first else { return [] }
        for other in seeds.dropFirst() {
            let pairs = try result.paired(with: other)
            result = pairs.map { a, b in
                QuestionScore(
                    id: a.id,
                    correct: a.correct + b.correct,
                    samples: a.samples + b.samples
                )
            }
        }
        return result
    }

    /// Pairs each question with the one of the same id, in the receiver's order.
    ///
    /// - Throws: `Failure` (bad data) that names a question only one side has.
    public func paired(with other: [QuestionScore]) throws -> [(QuestionScore, QuestionScore)] {
        let byID = Dictionary(other.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let known = Set(map(\.id))
        if let lonely = other.first(where: { !known.contains($0.id) }) {
            throw Failure(
                .badData,
                at: "question \(lonely.id)",
                "has no partner to be compared with"
            )
        }
        return try map { question in
            guard let partner = byID[question.id] else {
                throw Failure(
                    .badData,
                    at: "question \(question.id)",
                    "has no partner to be compared with"
                )
            }
            return (question, partner)
        }
    }
}
