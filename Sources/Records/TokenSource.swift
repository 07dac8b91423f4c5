/// Which of the two models a token came from.
public enum TokenSource: Character, Sendable {
    /// Written by the teacher: proposed and accepted, or drawn after the student's was refused.
    case teacher = "t"
    /// Written by the student: drawn after the teacher's proposals were refused, proposed and accepted, or
    /// alone.
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
