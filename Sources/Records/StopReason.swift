/// Why a sequence stopped growing.
public enum StopReason: String, Sendable, CaseIterable {
    /// The end-of-turn token was chosen; it is the last of the ids.
    case endOfTurn
    /// Another end token was chosen, such as that of a text; it is the last of the ids.
    case endOfText
    /// A length limit was reached.
    case length
}
