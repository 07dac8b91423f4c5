import Basics
import Records

/// Which tries are trained on.
public struct SelectionSettings: Sendable, Equatable {
    /// The rules, for the trace filter.
    public var filter = TraceFilter()
    /// P_S below which a token's loss does not count; 0 for none.
    public var maskBelow = 0.0
    /// The arm whose traces stand in for those of problems without a passing try; nil for none.
    public var fallback: String?
}

extension SelectionSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "requireEndOfTurn",
            \.filter.requiresEndOfTurn,
            .truth,
            "Keeps only tries that end their turn."
        ),
        Key(
            "requireOneThinkEnd",
            \.filter.requiresOneThinkEnd,
            .truth,
            shown: "as template.thinking; false for kind direct",
            "Keeps only tries that close their thinking once."
        ),
        Key(
            "requireCorrect",
            \.filter.requiresCorrect,
            .truth,
            shown: "true; false for kind direct",
            "Keeps only tries whose answer is right."
        ),
        // A rate of 1 lets everything pass, as nil does.
        Key(
            "maxFallbackRate",
            \.filter.maxFallbackRate,
            .some(.number(0...1), orNilAs: 1),
            shown: "0.5; 1 for kinds student-only and skd",
            "The largest share of tokens that the student may have chosen."
        ),
        Key(
            "select",
            \.filter.choice,
            .word,
            shown: "shortest; first for kind direct",
            "Which of a problem's passing tries are kept."
        ),
        Key(
            "unsolvedPrefix",
            \.filter.unsolvedPrefix,
            .whole(0...Int.max).leftOut(at: 0),
            shown: "0",
            "Of a problem without a passing try, keeps so many first tokens of the first try."
        ),
        Key(
            "fallback",
            \.fallback,
            .optional(.filled("the name of an arm")),
            "Of a problem without a passing try, takes the traces that this arm selects."
        ),
        Key(
            "maskBelow",
            \.maskBelow,
            .number(0...1).leftOut(at: 0),
            shown: "0",
            "Leaves out of the loss tokens that the student gives less than this probability."
        ),
    ]
}
