import Files
import Foundation
import Kernels

/// A question with its reference answer.
public struct Problem: Sendable {
    /// Names the problem in every file made from it; unique within its set.
    public var id: String
    /// The question, as the user's turn shows it.
    public var problem: String
    /// The reference answer, in the notation of the grader.
    public var answer: String
    /// Whatever else the record holds, in the order of the file.
    public var extra: JSONObject

    /// Describes a problem.
    public init(id: String, problem: String, answer: String, extra: JSONObject = JSONObject()) {
        self.id = id
        self.problem = problem
        self.answer = answer
        self.extra = extra
    }

    /// Reads a record `{"id", "problem", "answer", ...}`; a numeric answer is taken as its text.
    ///
    /// - Throws: `Failure.badData` naming the member that is missing, empty or of another kind.
    public init(json: JSON) throws {
        id = try json.filledString("id")
        problem = try json.filledString("problem")
        answer = try json.require("answer", "a string or a number") { value in
            value.string ?? (value.number == nil ? nil : value.compact)
        }
        extra = JSONObject(
            (json.object?.members ?? []).filter { !["id", "problem", "answer"].contains($0.key) }
        )
    }

    /// The record, with the extra members after the three known ones.
    public var json: JSON {
        .object(
            JSONObject(
                [("id", .string(id)), ("problem", .string(problem)), ("answer", .string(answer))]
                    + extra.members
            )
        )
    }
}

/// Problems in order, and a digest of what they say.
public struct ProblemSet: Sendable {
    /// The problems, in the order of their file.
    public let problems: [Problem]
    /// SHA-256 over all records, in hexadecimal: equal exactly when the problems are.
    public let digest: String

    /// Gathers problems whose ids are known to differ.
    ///
    /// - Precondition: No two problems share an id.
    public init(_ problems: [Problem]) {
        precondition(
            Set(problems.map { Array($0.id.utf8) }).count == problems.count,
            "ProblemSet: two problems share an id"
        )
        self.problems = problems
        var hash = SHA256()
        for problem in problems { hash.update(problem.json.compact + "\n") }
        digest = hash.hex()
    }

    /// Reads a JSON Lines file, or the records of it that a choice names.
    ///
    /// Every line is checked, whether or not it is chosen.
    ///
    /// - Throws: `Failure` naming file and line for a record that is no problem and for an id seen
    ///   before, and naming the file when it holds no problem at all or none that is asked for.
    public static func read(_ path: String, choosing choice: RecordChoice = RecordChoice()) throws
        -> ProblemSet
    {
        var seen: Set<[UInt8]> = []
        let problems = try JSONLines.read(path) { json -> (problem: Problem, isWanted: Bool) in
            let problem = try Problem(json: json)
            guard seen.insert(Array(problem.id.utf8)).inserted else {
                throw Failure(
                    .badData,
                    at: "'id'",
                    "'\(problem.id)' occurs a second time; expected every id once"
                )
            }
            return (problem, choice.accepts(json))
        }
        guard !problems.isEmpty else {
            throw Failure(
                .badData,
                file: path,
                "holds no problems; expected one {\"id\", \"problem\", \"answer\"} a line"
            )
        }
        let wanted = problems.filter(\.isWanted).map(\.problem)
        guard !wanted.isEmpty else { throw choice.nothing(in: path) }
        return ProblemSet(choice.take(wanted))
    }
}

extension JSON {
    /// A required text member that is not empty.
    func filledString(_ key: String) throws -> String {
        try require(key, "a string that is not empty") { value in
            value.string.flatMap { $0.isEmpty ? nil : $0 }
        }
    }
}
