import Datasets
import Files

/// Which tries are trained on.
public struct SelectionSettings: Sendable, Equatable {
    /// The rules, for the trace filter.
    public var filter: TraceFilter

    init(_ reader: ConfigurationReader, default standard: TraceFilter) {
        filter = standard
        filter.requiresEndOfTurn = reader.bool(
            "requireEndOfTurn",
            default: standard.requiresEndOfTurn
        )
        filter.requiresOneThinkEnd = reader.bool(
            "requireOneThinkEnd",
            default: standard.requiresOneThinkEnd
        )
        filter.requiresCorrect = reader.bool("requireCorrect", default: standard.requiresCorrect)
        // A rate of 1 lets everything pass, as nil does.
        filter.maxFallbackRate = reader.number(
            "maxFallbackRate",
            default: standard.maxFallbackRate ?? 1,
            in: 0...1
        )
        filter.choice = reader.choice("select", default: standard.choice) ?? standard.choice
        reader.finish()
    }

    /// The members that the selection depends on.
    var json: JSON {
        [
            "requireEndOfTurn": .bool(filter.requiresEndOfTurn),
            "requireOneThinkEnd": .bool(filter.requiresOneThinkEnd),
            "requireCorrect": .bool(filter.requiresCorrect),
            "maxFallbackRate": .number(filter.maxFallbackRate ?? 1),
            "select": .string(filter.choice.rawValue),
        ]
    }
}
