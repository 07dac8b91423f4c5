import Basics

/// A proposal that did not become a token: the teacher's, or under skd the student's.
///
/// On disk `[position, token, P_T, P_S, reason]`.
public struct Refusal: Sendable, Hashable {
    /// Why it was refused.
    public enum Reason: String, Sendable, CaseIterable {
        /// The student finds it less likely than the threshold.
        case threshold
        /// It is not among the most likely tokens of the model that chooses.
        case topK
        /// It surprises the student more, for its uncertainty, than the relative gate allows.
        case relative
    }

    /// The position in the completion that was being filled, from 0.
    public var position: Int
    /// The proposed token, as the student numbers it.
    public var token: Int32
    /// Its probability under the teacher, raw softmax; that of the first token of its spelling where the
    /// teacher has no such token.
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

extension Refusal {
    var json: JSON {
        [
            .integer(position), .integer(Int(token)), .number(teacherProbability),
            .number(studentProbability), .string(reason.rawValue),
        ]
    }

    init(json: JSON) throws {
        guard let items = json.array, items.count == 5,
            let position = items[0].integer, position >= 0,
            let token = items[1].integer.flatMap(Int32.init(exactly:)),
            let teacher = items[2].number, JSON.isProbability(teacher),
            let student = items[3].number, JSON.isProbability(student),
            let reason = items[4].string.flatMap(Reason.init(rawValue:))
        else {
            throw Failure(
                .badData,
                at: "'refused'",
                "found \(json.compact.prefix(60)); expected [position, token, P_T, P_S, reason]"
            )
        }
        self.init(
            position: position,
            token: token,
            teacherProbability: Float(teacher),
            studentProbability: Float(student),
            reason: reason
        )
    }
}
