/// Who chooses the tokens of a trace.
public enum TracePolicy: String, Sendable, CaseIterable {
    /// The teacher proposes and the student's probability decides.
    case rsd
    /// The teacher alone.
    case teacher
    /// The student alone.
    case student
}
