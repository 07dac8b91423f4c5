import Basics
import Records

/// What a student is shown in place of a problem, the answer in it.
public struct Hint: Sendable, Equatable {
    /// What is shown unless the file says otherwise.
    public static let standard =
        "{problem}\n\nThe answer is {answer}. Explain step by step how to find it."

    /// Text in which `{problem}`, `{answer}` and other members of the problem stand for themselves.
    public var text: String

    /// A hint of some text.
    public init(_ text: String = standard) { self.text = text }

    /// The members that it names, in their order.
    var names: [String] { text.matches(of: Self.place).map { String($0.1) } }

    /// What is wrong with it; nil for a hint that holds the problem and something of its answer.
    var mistake: String? {
        if !names.contains("problem") { return "does not hold {problem}" }
        return names.allSatisfy { $0 == "problem" }
            ? "tells no answer; expected {answer} or another member, such as {solution}" : nil
    }

    /// The hint for a problem.
    ///
    /// - Throws: `Failure.badData` for a problem without a member that it names.
    public func text(of problem: Problem) throws -> String {
        try text.replacing(Self.place) { try Self.member(String($0.1), of: problem) }
    }

    private static func member(_ name: String, of problem: Problem) throws -> String {
        switch name {
        case "problem": return problem.problem
        case "answer": return problem.answer
        default:
            if let text = problem.extra[name]?.string, !text.isEmpty { return text }
            throw Failure(
                .badData,
                at: "problem \(problem.id)",
                "has no text '\(name)', which generation.hint names",
                remedy: "Add it, or name another member, such as {answer}."
            )
        }
    }

    private static var place: Regex<(Substring, Substring)> { /\{([A-Za-z_][A-Za-z_0-9]*)\}/ }
}
