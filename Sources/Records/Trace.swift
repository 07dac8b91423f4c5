import Basics
import Grading

/// Which of the two models a token came from.
public enum TokenSource: Character, Sendable {
    /// Proposed by the teacher and accepted.
    case teacher = "t"
    /// Drawn by the student, after the teacher's proposals were refused or by a student alone.
    case student = "s"

    /// Its name in files for people: `teacher`, `student`.
    public var name: String { self == .teacher ? "teacher" : "student" }

    /// Reads a name; nil for any other.
    public init?(name: String) {
        switch name {
        case "teacher": self = .teacher
        case "student": self = .student
        default: return nil
        }
    }
}

/// Why a sequence stopped growing.
public enum StopReason: String, Sendable, CaseIterable {
    /// The end-of-turn token was chosen; it is the last of the ids.
    case endOfTurn
    /// Another end token was chosen, such as that of a text; it is the last of the ids.
    case endOfText
    /// A length limit was reached.
    case length
}

/// A teacher's proposal that did not become a token.
public struct Refusal: Sendable, Equatable {
    /// Why it was refused.
    public enum Reason: String, Sendable, CaseIterable {
        /// The student finds it less likely than the threshold.
        case threshold
        /// It is not among the student's most likely tokens.
        case topK
    }

    /// The position in the completion that was being filled, from 0.
    public var position: Int
    /// The proposed token, as the student numbers it.
    public var token: Int32
    /// Its probability under the teacher, raw softmax.
    public var teacherProbability: Float
    /// Its probability under the student, raw softmax.
    public var studentProbability: Float
    /// Why it was refused.
    public var reason: Reason

    /// Describes a refusal.
    public init(
        position: Int,
        token: Int32,
        teacherProbability: Float,
        studentProbability: Float,
        reason: Reason
    ) {
        self.position = position
        self.token = token
        self.teacherProbability = teacherProbability
        self.studentProbability = studentProbability
        self.reason = reason
    }
}

/// The teacher's share of acceptable proposals under a threshold, averaged over a completion.
///
/// Exact, from both distributions at every position visited; not counted from draws.
public struct Acceptance: Sendable, Equatable {
    /// P_S below which a proposal would be refused.
    public var threshold: Double
    /// The mean share, 0 to 1.
    public var share: Double

    /// Describes a share.
    public init(threshold: Double, share: Double) {
        self.threshold = threshold
        self.share = share
    }
}

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
    /// How tokens were chosen: `rsd`, `teacher` or `student`.
    public var policy: String
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
        policy: String,
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
