import Basics
import ChatTemplates
import Foundation

/// A trace to be trained on: what Train reads.
///
/// Made from a try by the trace filter, from an external file, or by hand: only `id`, `problem`,
/// `answer` and `text` are required on disk.
public struct SelectedTrace: Sendable {
    /// The problem's id.
    public var id: String
    /// The question.
    public var problem: String
    /// The reference answer.
    public var answer: String
    /// The completion as text, without the end-of-turn token.
    public var text: String
    /// The completion's tokens with the end-of-turn token; nil when only the text is known.
    public var ids: [Int32]?
    /// How much each token's loss counts, `[ids.count]`, 0 for not at all; nil counts all equally.
    public var weights: [Float]?
    /// Whether the turn ends here; the start of a trace is trained without an end of turn.
    public var isComplete: Bool
    /// What is said before the problem.
    public var context: [ChatMessage] = []
    /// Where it came from, such as `rsd, seed 1, try 3`.
    public var origin: String?

    /// Describes a trace to train on.
    ///
    /// - Precondition: `weights` come with `ids`, as many.
    public init(
        id: String,
        problem: String,
        answer: String,
        text: String,
        ids: [Int32]? = nil,
        weights: [Float]? = nil,
        isComplete: Bool = true,
        origin: String? = nil
    ) {
        precondition(
            weights == nil || weights?.count == ids?.count,
            "SelectedTrace: \(weights?.count ?? 0) weights for \(ids?.count ?? 0) tokens"
        )
        self.id = id
        self.problem = problem
        self.answer = answer
        self.text = text
        self.ids = ids
        self.weights = weights
        self.isComplete = isComplete
        self.origin = origin
    }

    /// The try as material for training.
    public init(_ trace: Trace, of problem: Problem) {
        self.init(
            id: trace.id,
            problem: problem.problem,
            answer: problem.answer,
            text: trace.text,
            ids: trace.ids,
            isComplete: trace.stop == .endOfTurn,
            origin: "\(trace.policy.rawValue), seed \(trace.seed), try \(trace.attempt)"
        )
        context = problem.context
    }

    /// The record as one JSON object; unknown members are left out.
    public var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("id", .string(id)), ("problem", .string(problem)), ("answer", .string(answer)),
            ("text", .string(text)),
        ]
        if let ids { members.append(("ids", .integers(ids))) }
        if let weights { members.append(("weights", .numbers(weights))) }
        if !isComplete { members.append(("complete", false)) }
        if !context.isEmpty { members.append(("context", .array(context.map(\.json)))) }
        if let origin { members.append(("origin", .string(origin))) }
        return .object(JSONObject(members))
    }

    /// Reads a record.
    ///
    /// - Throws: `Failure.badData` naming the member.
    public init(json: JSON) throws {
        let ids = try json["ids"].map { _ in try json.tokens("ids") }
        let weights = try json["weights"].map { _ in try json.numbers("weights").map { Float($0) } }
        if let weights {
            guard weights.count == ids?.count, weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw Failure(
                    .badData,
                    at: "'weights'",
                    "found \(weights.count) entries; expected \(ids?.count ?? 0), as many as 'ids', "
                        + "none negative"
                )
            }
        }
        self.init(
            id: try json.filledString("id"),
            problem: try json.filledString("problem"),
            answer: try json.string("answer"),
            text: try json.string("text"),
            ids: ids,
            weights: weights,
            isComplete: json["complete"]?.bool ?? true,
            origin: json["origin"]?.string
        )
        context =
            try json["context"].map { _ in
                try ChatMessage.list(json.array("context"), at: "context")
            } ?? []
    }

    /// Reads what `write` wrote.
    ///
    /// - Throws: `Failure` naming file and line.
    public static func read(_ path: String) throws -> [SelectedTrace] {
        try JSONLines.read(path) { try SelectedTrace(json: $0) }
    }

    /// Reads traces made elsewhere: `{"problem", "answer", "trace"}`, with or without an `id`.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - member: The name of the member that holds the text, such as `solution`.
    ///   - choice: Which records are used.
    /// - Returns: The chosen traces, in the order of the file.
    /// - Throws: `Failure` naming file and line of a record that lacks a member, and the file when
    ///   it holds no trace or none that is asked for.
    public static func readExternal(
        _ path: String,
        member: String = "trace",
        choosing choice: RecordChoice = RecordChoice()
    ) throws -> [SelectedTrace] {
        var number = 0
        let traces = try JSONLines.read(path) { json -> (trace: SelectedTrace, isWanted: Bool) in
            number += 1
            let id = try json["id"].map { _ in try json.filledString("id") }
            var trace = SelectedTrace(
                id: id ?? "external-\(number)",
                problem: try json.visibleString("problem"),
                answer: try json.require(
                    "answer",
                    JSON.stringOrNumberKind,
                    \.stringOrNumber
                ),
                text: try json.visibleString(member),
                origin: "external"
            )
            trace.context = Problem.context(json, problem: trace.problem)
            return (trace, choice.accepts(json))
        }
        guard !traces.isEmpty else {
            throw Failure(
                .badData,
                file: path,
                "holds no traces; expected one {\"problem\", \"answer\", \"\(member)\"} a line"
            )
        }
        let wanted = traces.filter(\.isWanted).map(\.trace)
        guard wanted.count > choice.skip else {
            throw choice.nothing(in: path, of: wanted.count)
        }
        return choice.take(wanted)
    }

    /// The reference solution of a problem, as its record states it under `member`.
    ///
    /// - Throws: `Failure.badData` naming the problem that has none.
    public init(solutionOf problem: Problem, member: String) throws {
        guard let text = problem.extra[member]?.string, !text.isBlank else {
            throw Failure(
                .badData,
                at: "problem '\(problem.id)'",
                "has no '\(member)'; expected the text of a solution"
            )
        }
        self.init(
            id: problem.id,
            problem: problem.problem,
            answer: problem.answer,
            text: text,
            origin: member
        )
        context = problem.context
    }
}
