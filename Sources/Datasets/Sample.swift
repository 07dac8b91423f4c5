import Files
import Grading

/// One sampled answer to one question of a benchmark.
public struct Sample: Sendable {
    /// The question's id.
    public var id: String
    /// The benchmark's name.
    public var benchmark: String
    /// Which of the question's samples, from 0.
    public var index: Int
    /// The completion as text.
    public var text: String
    /// The completion's tokens; nil when only the text is kept.
    public var ids: [Int32]?
    /// How many tokens the completion has.
    public var tokenCount: Int
    /// The answer that was found in the text; nil when none was.
    public var extracted: String?
    /// The rule that found it, in the grader's words.
    public var rule: String?
    /// What grading said.
    public var verdict: AnswerVerdict
    /// Whether a length limit cut the completion off.
    public var isTruncated: Bool

    /// Describes a sample.
    public init(
        id: String,
        benchmark: String,
        index: Int,
        text: String,
        ids: [Int32]? = nil,
        tokenCount: Int,
        extracted: String?,
        rule: String?,
        verdict: AnswerVerdict,
        isTruncated: Bool
    ) {
        self.id = id
        self.benchmark = benchmark
        self.index = index
        self.text = text
        self.ids = ids
        self.tokenCount = tokenCount
        self.extracted = extracted
        self.rule = rule
        self.verdict = verdict
        self.isTruncated = isTruncated
    }

    /// The record as one JSON object.
    public var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("id", .string(id)), ("benchmark", .string(benchmark)), ("sample", .integer(index)),
            ("verdict", .string(verdict.rawValue)),
            ("extracted", extracted.map { .string($0) } ?? .null),
            ("rule", rule.map { .string($0) } ?? .null),
            ("truncated", .bool(isTruncated)), ("tokens", .integer(tokenCount)),
            ("text", .string(text)),
        ]
        if let ids { members.append(("ids", .integers(ids))) }
        return .object(JSONObject(members))
    }

    /// Reads a record.
    ///
    /// - Throws: `Failure.badData` naming the member.
    public init(json: JSON) throws {
        self.init(
            id: try json.filledString("id"),
            benchmark: try json.filledString("benchmark"),
            index: try json.naturalNumber("sample"),
            text: try json.string("text"),
            ids: try json["ids"].map { _ in try json.tokens("ids") },
            tokenCount: try json.naturalNumber("tokens"),
            extracted: json["extracted"]?.string,
            rule: json["rule"]?.string,
            verdict: try json.choice("verdict"),
            isTruncated: try json.bool("truncated")
        )
    }

    /// Reads a file of samples, without the line that an interrupted write left behind.
    ///
    /// - Throws: `Failure` naming file and line of a malformed record or of a sample seen before.
    public static func read(_ path: String) throws -> [Sample] {
        var seen: Set<String> = []
        return try JSONLines.read(path, tornTail: .drop) { json in
            let sample = try Sample(json: json)
            guard seen.insert("\(sample.index) \(sample.benchmark) \(sample.id)").inserted else {
                throw Failure(
                    .badData,
                    at: "'sample'",
                    "sample \(sample.index) of '\(sample.id)' occurs a second time"
                )
            }
            return sample
        }
    }
}
