/// The work one comparison may do, in abstract units of some nanoseconds each.
///
/// A count, not a timer: the same answers get the same verdict on every machine. Once the budget
/// is exhausted, evaluation and parsing stop and the answers are compared as text.
final class WorkBudget {
    /// Most units one comparison spends, give or take one operation.
    static let limit = 2_000_000
    /// Longest answer that is parsed, in UTF-8 bytes; a longer one must be the same bytes.
    static let maximumLength = 8_192
    /// Most tokens of an answer that is parsed.
    static let maximumTokens = 2_048
    /// Deepest nesting of brackets, fractions and exponents.
    static let maximumDepth = 64
    /// Largest exact integer, in bits; beyond it numbers are approximate.
    static let maximumBits = 32_768
    /// Most elements of a list compared without regard to order.
    static let maximumUnorderedElements = 64

    /// Units spent so far.
    private(set) var spent = 0

    /// Whether nothing is left.
    var isExhausted: Bool { spent > Self.limit }

    /// Takes `units` from the budget.
    ///
    /// - Returns: Whether the work may be done.
    @discardableResult
    func spend(_ units: Int) -> Bool {
        if isExhausted { return false }
        spent += units
        return !isExhausted
    }
}
