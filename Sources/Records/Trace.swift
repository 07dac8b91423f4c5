import Basics
import Grading

/// One try at one problem, with everything needed to filter it again without generating again.
///
/// On disk one JSON object a line; `source` is one letter a token (`t` teacher, `s` student) and a
/// refusal is `[position, token, P_T, P_S, reason]`.
public struct Trace: Sendable {
    /// The problem's id.
    public var id: String
    /// Which try at the problem, from 0.
    public var attempt: Int
    /// The experiment's root seed.
    public var seed: UInt64
    /// Who chose the tokens.
    public var policy: TracePolicy
    /// The random stream and item that the draws were keyed by.
    public var seedKey: String
    /// SHA-256 of the prompt's token ids.
    public var promptDigest: String
    /// P_S below which a proposal was refused; every teacher token lies at or above it.
    public var acceptanceThreshold: Double
    /// The completion's tokens, in the student's vocabulary, with the end-of-turn token if reached.
    public var ids: [Int32]
    /// Who chose each token, `[ids.count]`.
    public var source: [TokenSource]
    /// Each token's probability under the teacher, raw softmax, `[ids.count]`; NaN where the
    /// teacher was not asked.
    public var teacherProbability: [Float]
    /// Each token's probability under the student, raw softmax, `[ids.count]`; NaN where the
    /// student was not asked.
    public var studentProbability: [Float]
    /// The proposals that were refused, in order of position.
    public var refusals: [Refusal]
    /// What other thresholds would have accepted; empty when none was asked about.
    public var acceptance: [Acceptance]
    /// The completion as text, without the end-of-turn token.
    public var text: String
    /// Why the completion ends.
    public var stop: StopReason
    /// What grading said when the try finished.
    public var verdict: AnswerVerdict

    /// Describes a try.
    public init(
        id: String,
        attempt: Int,
        seed: UInt64,
        policy: TracePolicy,
        seedKey: String,
        promptDigest: String,
        acceptanceThreshold: Double,
        ids: [Int32],
        source: [TokenSource],
        teacherProbability: [Float],
        studentProbability: [Float],
        refusals: [Refusal],
        acceptance: [Acceptance] = [],
        text: String,
        stop: StopReason,
        verdict: AnswerVerdict
    ) {
        self.id = id
        self.attempt = attempt
        self.seed = seed
        self.policy = policy
        self.seedKey = seedKey
        self.promptDigest = promptDigest
        self.acceptanceThreshold = acceptanceThreshold
        self.ids = ids
        self.source = source
        self.teacherProbability = teacherProbability
        self.studentProbability = studentProbability
        self.refusals = refusals
        self.acceptance = acceptance
        self.text = text
        self.stop = stop
        self.verdict = verdict
    }

    /// The share of tokens that the student chose, 0 for an empty completion.
    public var fallbackRate: Double {
        ids.isEmpty ? 0 : Double(source.count { $0 == .student }) / Double(ids.count)
    }

    /// The first `count` tokens; a shorter trace as it is.
    ///
    /// The text stays that of the whole; who needs that of the start has to decode `ids`.
    public func prefix(_ count: Int) -> Trace {
        guard count < ids.count else { return self }
        var copy = self
        copy.ids = Array(ids.prefix(count))
        copy.source = Array(source.prefix(count))
        copy.teacherProbability = Array(teacherProbability.prefix(count))
        copy.studentProbability = Array(studentProbability.prefix(count))
        copy.refusals = refusals.filter { $0.position < count }
        copy.stop = .length
        return copy
    }
}
