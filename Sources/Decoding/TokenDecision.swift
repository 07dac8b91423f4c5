import Records

/// Which token came next, who chose it, and what both models thought of it.
///
/// Token ids are the student's. Probabilities are those of the raw softmax at temperature 1, so that
/// any filter can be applied to a trace again without generating it again.
public struct TokenDecision: Sendable, Hashable {
    /// Why the token was taken.
    public enum Reason: String, Sendable, Hashable {
        /// Drawn from the only model there is.
        case sampled
        /// Proposed and accepted.
        case accepted
        /// All proposals were refused; drawn from the model that chooses.
        case refused
        /// Every token that would be proposed is unknown to the model that chooses, which draws one.
        case noProposal
    }

    /// The token taken.
    public var token: Int32
    /// Who chose it.
    public var source: TokenSource
    /// Why it was taken.
    public var reason: Reason
    /// The teacher's probability of it; nil without a teacher, if the teacher has no such token, or
    /// if it did not tell.
    public var teacherProbability: Float?
    /// The student's probability of it; nil without a student.
    public var studentProbability: Float?
    /// The proposals refused before it, in the order they were made.
    public var refused: [Refusal]
    /// The teacher's share of acceptable proposals under each threshold that the rule was asked to
    /// try; exact, from both distributions, not counted from draws.
    public var acceptance: [Float]

    /// Records a decision.
    public init(
        token: Int32,
        source: TokenSource,
        reason: Reason,
        teacherProbability: Float? = nil,
        studentProbability: Float? = nil,
        refused: [Refusal] = [],
        acceptance: [Float] = []
    ) {
        self.token = token
        self.source = source
        self.reason = reason
        self.teacherProbability = teacherProbability
        self.studentProbability = studentProbability
        self.refused = refused
        self.acceptance = acceptance
    }
}
