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
