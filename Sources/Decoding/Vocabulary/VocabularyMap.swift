import Basics

/// Which tokens of a teacher and of a student are the same: equal spelling, and both special or both
/// ordinary.
public struct VocabularyMap: Sendable {
    /// One model's tokens, as far as the map needs to know them.
    public struct Side: Sendable {
        /// What to call the model in a message.
        public var name: String
        /// The bytes of each token, indexed by id; empty for an id that is no token.
        public var tokens: [[UInt8]]
        /// The ids of control tokens, such as the end of a turn.
        public var special: Set<Int32>

        /// Describes one vocabulary.
        public init(name: String, tokens: [[UInt8]], special: Set<Int32>) {
            self.name = name
            self.tokens = tokens
            self.special = special
        }
    }

    /// The student's id for each teacher id, -1 for none.
    public let teacherToStudent: [Int32]
    /// The teacher's id for each student id, -1 for none.
    public let studentToTeacher: [Int32]
    /// How a student token without a counterpart is spelled in the teacher's tokens.
    public let spellings: [Int32: [Int32]]
    /// Ids the student must not draw because its tokenizer has no such token.
    public let studentHoles: Set<Int32>
    /// Whether both number the same tokens in the same way.
    public let isIdentity: Bool
    /// Tokens of equal spelling and equal id.
    public let sameIDCount: Int
    /// Tokens of equal spelling under another id.
    public let movedCount: Int
    /// Teacher tokens without a counterpart; never proposed.
    public let teacherOnly: [Int32]
    /// Student tokens without a counterpart; the teacher reads them spelled out.
    public let studentOnly: [Int32]
    /// How well the two fit.
    public let fit: VocabularyFit

    /// The map between two models that share one vocabulary of `count` tokens.
    public init(sharedVocabularySize count: Int) {
        let ids = (0..<Int32(count)).map(\.self)
        (teacherToStudent, studentToTeacher) = (ids, ids)
        (spellings, studentHoles, isIdentity) = ([:], [], true)
        (sameIDCount, movedCount, teacherOnly, studentOnly) = (count, 0, [], [])
        fit = VocabularyFit(shared: count, teacher: count, student: count)
    }

    /// Compares two vocabularies.
    ///
    /// Where several tokens are spelled alike, equal ids are paired first and then the lowest.
    ///
    /// - Parameters:
    ///   - teacher: The proposing model's tokens.
    ///   - student: The tokens that traces are recorded in.
    ///   - encode: The teacher's ids of a text, special tokens not recognised; called for student
    ///     tokens without a counterpart only.
    /// - Throws: `Failure` of kind configuration when the teacher has fewer than half of the
    ///   student's ordinary tokens, or cannot spell a student token; whatever `encode` throws.
    public init(
        teacher: Side,
        student: Side,
        encode: ([UInt8]) throws -> [Int32]
    ) throws {
        var forward = [Int32](repeating: -1, count: teacher.definedCount)
        var backward = [Int32](repeating: -1, count: student.definedCount)
        func pair(_ t: Int32, _ s: Int32) {
            forward[Int(t)] = s
            backward[Int(s)] = t
        }
        for id in 0..<Int32(min(forward.count, backward.count)) {
            let bytes = teacher.tokens[Int(id)]
            if !bytes.isEmpty, bytes == student.tokens[Int(id)],
                teacher.special.contains(id) == student.special.contains(id)
            {
                pair(id, id)
            }
        }
        var unpaired: [Spelling: Int32] = [:]
        for id in teacher.ids.reversed() where forward[Int(id)] < 0 {
            unpaired[teacher.spelling(of: id)] = id
        }
        for id in student.ids where backward[Int(id)] < 0 && !unpaired.isEmpty {
            if let t = unpaired.removeValue(forKey: student.spelling(of: id)) { pair(t, id) }
        }

        let ordinary = student.ids.filter { !student.special.contains($0) }
        fit = VocabularyFit(
            shared: ordinary.count { backward[Int($0)] >= 0 },
            teacher: teacher.ids.count { !teacher.special.contains($0) },
            student: ordinary.count
        )
        guard fit.degree != .none else {
            throw Failure(
                .configuration,
                "teacher \(teacher.name) and student \(student.name): \(fit)",
                remedy: "Choose a teacher and a student of one tokenizer family."
            )
        }

        teacherToStudent = forward
        studentToTeacher = backward
        teacherOnly = teacher.ids.filter { forward[Int($0)] < 0 }
        studentOnly = student.ids.filter { backward[Int($0)] < 0 }
        studentHoles = Set(
            student.tokens.indices.prefix(backward.count).lazy
                .filter { student.tokens[$0].isEmpty }.map(Int32.init)
        )
        sameIDCount = forward.indices.count { forward[$0] == Int32($0) }
        movedCount = forward.count { $0 >= 0 } - sameIDCount
        isIdentity = sameIDCount == forward.count && sameIDCount == backward.count

        var spellings: [Int32: [Int32]] = [:]
        for id in studentOnly {
            let spelled = try encode(student.tokens[Int(id)])
            guard !spelled.isEmpty, spelled.allSatisfy(forward.indices.contains) else {
                throw Failure(
                    .configuration,
                    "teacher \(teacher.name) cannot spell token \(id) of student \(student.name): "
                        + "its ids are \(spelled); expected ids below \(forward.count)"
                )
            }
            spellings[id] = spelled
        }
        self.spellings = spellings
    }

    /// The number of ids that the teacher's tokenizer defines; rows above are padding.
    public var teacherVocabularySize: Int { teacherToStudent.count }
    /// The number of ids that the student's tokenizer defines; rows above are padding.
    public var studentVocabularySize: Int { studentToTeacher.count }

    /// The teacher's ids for a student token: its counterpart, or else its spelling.
    public func teacherTokens(for token: Int32) -> [Int32] {
        let counterpart = studentToTeacher[Int(token)]
        return counterpart >= 0 ? [counterpart] : spellings[token] ?? []
    }

    /// Whether the two fit, and the counts behind it, for a log.
    public var summary: String {
        "\(fit) (\(sameIDCount) tokens with equal ids, \(movedCount) under another id, "
            + "\(teacherOnly.count) only the teacher's, \(studentOnly.count) only the student's)"
    }
}

/// What makes two tokens the same.
private struct Spelling: Hashable {
    var bytes: [UInt8]
    var isSpecial: Bool
}

extension VocabularyMap.Side {
    /// One more than the highest id that is a token.
    fileprivate var definedCount: Int { (tokens.lastIndex { !$0.isEmpty } ?? -1) + 1 }

    /// The ids that are tokens, in increasing order.
    fileprivate var ids: [Int32] {
        tokens.indices.lazy.filter { !tokens[$0].isEmpty }.map(Int32.init)
    }

    fileprivate func spelling(of id: Int32) -> Spelling {
        Spelling(bytes: tokens[Int(id)], isSpecial: special.contains(id))
    }
}

extension Range<Int> {
    fileprivate func contains(_ id: Int32) -> Bool { contains(Int(id)) }
}
