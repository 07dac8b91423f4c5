import Basics
import ChatTemplates
import Foundation

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
    /// What is said before the problem, for templates with a place for it: a system message,
    /// earlier turns.
    public var context: [ChatMessage] = []

    /// Describes a problem.
    public init(id: String, problem: String, answer: String, extra: JSONObject = JSONObject()) {
        self.id = id
        self.problem = problem
        self.answer = answer
        self.extra = extra
    }

    /// Reads a record `{"id", "problem", "answer", ...}`; a numeric answer is taken as its text.
    ///
    /// Published files have other names for these: `unique_id` or `ID`, or nothing but their order;
    /// `question`, or `Body` and `Question`; `Answer`, `target` or `gold`, or a solution that ends
    /// in `####` and the answer. An answer of white space alone is refused: none could be right.
    /// A record may say something before its problem: `system`, a text, or in place of `problem`
    /// the whole conversation, `messages` of `{"role", "content"}`, which ends with the problem.
    ///
    /// - Parameters:
    ///   - json: The record.
    ///   - number: The record's place in its file, its id where it has none.
    /// - Throws: `Failure.badData` naming the member that is missing, empty or of another kind.
    public init(json: JSON, number: Int = 1) throws {
        (id, problem) = try Self.named(json, number: number)
        let name = Self.answerNames.first { json[$0] != nil } ?? "answer"
        let stated = try json.require(name, JSON.stringOrNumberKind, \.stringOrNumber)
        answer = ReferenceAnswer.withoutSolution(stated)
        guard !ReferenceAnswer.isBlank(answer) else {
            throw Failure(
                .badData,
                at: "'\(name)'",
                answer == stated
                    ? "is blank; expected an answer, since nothing equals this one"
                    : "is blank behind its last ####; expected the answer there",
                remedy: "Add the answer, or take the line out."
            )
        }
        let known = ["id", "problem", "answer"]
        extra = JSONObject((json.object?.members ?? []).filter { !known.contains($0.key) })
        context = Self.context(json, problem: problem)
    }

    private static let idNames = ["id", "unique_id", "ID"]
    private static let problemNames = ["problem", "question", "Body", "Question"]
    private static let answerNames = ["answer", "Answer", "target", "gold"]

    /// The id and the text of a record of problems or of traces.
    static func named(_ json: JSON, number: Int) throws -> (id: String, problem: String) {
        let idName = idNames.first { json[$0] != nil }
        let id =
            try idName.map { name in
                try json.require(name, "a string that is not empty, or a whole number") { value in
                    value.integer.map(String.init)
                        ?? value.string.flatMap { $0.isEmpty ? nil : $0 }
                }
            } ?? "\(number)"
        if json["Body"] != nil {
            return (id, try json.visibleString("Body") + " " + json.visibleString("Question"))
        }
        if let name = problemNames.first(where: { json[$0] != nil }) {
            return (id, try json.visibleString(name))
        }
        // A conversation ends with the problem.
        if let question = try conversation(json)?.last?.content, !question.isBlank {
            return (id, question)
        }
        return (id, try json.visibleString("problem"))
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
        for problem in problems { hash.update(problem.json.digestText + "\n") }
        digest = hash.hex()
    }

    /// Reads a JSON Lines file, or the records of it that a choice names.
    ///
    /// Every line is checked, whether or not it is chosen. A `.csv` file holds questions with
    /// choices in GPQA's columns, put in order by `choicesSeed`.
    ///
    /// - Throws: `Failure` naming file and line for a record that is no problem and for an id seen
    ///   before, and naming the file when it holds no problem at all or none that is asked for.
    public static func read(
        _ path: String,
        choosing choice: RecordChoice = RecordChoice(),
        choicesSeed: UInt64 = 0
    ) throws -> ProblemSet {
        // As texts: two spellings of one letter would be one name to whoever reads the tables.
        var seen: Set<String> = []
        var number = 0
        func checked(_ json: JSON) throws -> (problem: Problem, isWanted: Bool) {
            number += 1
            let problem = try Problem(json: json, number: number)
            guard seen.insert(problem.id).inserted else {
                throw Failure(
                    .badData,
                    at: "'id'",
                    "'\(problem.id)' occurs a second time; expected every id once"
                )
            }
            return (problem, choice.accepts(json))
        }
        let problems: [(problem: Problem, isWanted: Bool)]
        if path.lowercased().hasSuffix(".csv") {
            problems = try MultipleChoice.records(path, seed: choicesSeed).map { line, record in
                do { return try checked(record) } catch let failure as Failure {
                    throw failure.at("line \(line)").inFile(path)
                }
            }
        } else {
            problems = try JSONLines.read(path, checked)
        }
        guard !problems.isEmpty else {
            throw Failure(
                .badData,
                file: path,
                "holds no problems; expected one {\"id\", \"problem\", \"answer\"} a line"
            )
        }
        let wanted = problems.filter(\.isWanted).map(\.problem)
        guard wanted.count > choice.skip else {
            throw choice.nothing(in: path, of: wanted.count)
        }
        return ProblemSet(choice.take(wanted))
    }
}

extension JSON {
    /// A required text member that is not empty.
    func filledString(_ key: String) throws -> String {
        let text = try require(key, "a string that is not empty", \.string)
        guard !text.isEmpty else {
            throw Failure(.badData, at: "'\(key)'", "is empty; expected text")
        }
        return text
    }

    /// A required text member that is more than white space.
    func visibleString(_ key: String) throws -> String {
        let text = try filledString(key)
        guard !text.isBlank else {
            throw Failure(.badData, at: "'\(key)'", "is blank; expected text")
        }
        return text
    }
}

extension Substring {
    /// The text without white space at its end.
    var endTrimmed: Substring {
        lastIndex { !$0.isWhitespace }.map { self[...$0] } ?? self[startIndex..<startIndex]
    }
}

extension String {
    /// Whether nothing in the text is visible.
    package var isBlank: Bool {
        unicodeScalars.allSatisfy { scalar in
            scalar.properties.isWhitespace || scalar.properties.generalCategory == .format
                || scalar.properties.generalCategory == .control
        }
    }
}
