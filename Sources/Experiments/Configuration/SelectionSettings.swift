import Records
import Basics

/// Which tries are trained on.
public struct SelectionSettings: Sendable, Equatable {
    /// The rules, for the trace filter.
    public var filter: TraceFilter
    /// P_S below which a token's loss does not count; 0 for none.
    public var maskBelow: Double

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
        filter.unsolvedPrefix = reader.integer("unsolvedPrefix", default: 0, in: 0...Int.max)
        maskBelow = reader.number("maskBelow", default: 0, in: 0...1)
        reader.finish()
    }

    /// The members that the selection depends on.
    var json: JSON {
        var members = JSONObject([
            ("requireEndOfTurn", .bool(filter.requiresEndOfTurn)),
            ("requireOneThinkEnd", .bool(filter.requiresOneThinkEnd)),
            ("requireCorrect", .bool(filter.requiresCorrect)),
            ("maxFallbackRate", .number(filter.maxFallbackRate ?? 1)),
            ("select", .string(filter.choice.rawValue)),
        ])
        if filter.unsolvedPrefix > 0 { members["unsolvedPrefix"] = .integer(filter.unsolvedPrefix) }
        if maskBelow > 0 { members["maskBelow"] = .number(maskBelow) }
        return .object(members)
    }
}
