import Grading

/// What the arms answered on one benchmark.
public struct AnswerList: Equatable, Sendable {
    /// The benchmark.
    public var benchmark: String
    /// Its questions, in order.
    public var questions: [AnsweredQuestion]
}

/// A question with all answers to it.
public struct AnsweredQuestion: Equatable, Sendable {
    /// Its id.
    public var id: String
    /// Its text.
    public var problem: String
    /// The reference answer.
    public var gold: String
    /// The answers, arm by arm, seed by seed.
    public var answers: [GradedAnswer]
}

/// One sample's answer.
public struct GradedAnswer: Equatable, Sendable {
    /// The arm's name.
    public var arm: String
    /// The root seed of the run.
    public var seed: UInt64
    /// The number of the sample, from 0.
    public var sample: Int
    /// What was taken for the answer; nil where nothing was found.
    public var text: String?
    /// What grading said.
    public var verdict: AnswerVerdict
    /// Whether nothing was stated as the answer, and the last number or letter stands for it.
    public var isGuess = false
}
