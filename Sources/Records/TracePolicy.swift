/// Who chooses the tokens of a trace.
public enum TracePolicy: String, Sendable, CaseIterable {
    /// The teacher proposes and the student's probability decides.
    case rsd
    /// The teacher alone.
    case teacher
    /// The student alone.
    case student
    /// The student proposes and the teacher's most likely tokens decide.
    case skd
    /// The student that is shown the answer proposes, and the student that is not decides.
    case hinted

    /// Whether a teacher takes part.
    public var asksTeacher: Bool { self != .student && self != .hinted }

    /// Who proposes tokens; nil for the student alone.
    public var proposer: TokenSource? {
        switch self {
        case .rsd, .teacher, .hinted: .teacher
        case .skd: .student
        case .student: nil
        }
    }
}
