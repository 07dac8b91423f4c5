import Basics
import Foundation
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
    /// - Throws: As `forEach`.
    public static func read(_ path: String) throws -> [Sample] {
        var samples: [Sample] = []
        try forEach(in: path, remedy: "") { samples.append($0.record) }
        return samples
    }

    /// Hands on the samples of a file one by one, without the line that an interrupted write left
    /// behind.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - file: The file, where it is open already.
    ///   - remedy: What makes samples again whose lines were deleted.
    ///   - body: Gets the samples.
    /// - Throws: `Failure` naming file and lines of malformed records or of a sample seen before,
    ///   and what `body` throws.
    public static func forEach(
        in path: String,
        file: FileHandle? = nil,
        remedy: String,
        _ body: (JSONLines.Placed<Sample>) throws -> Void
    ) throws {
        var seen: Set<String> = []
        let damaged = try JSONLines.salvage(
            path,
            file: file,
            { json in
                let sample = try Sample(json: json)
                guard seen.insert("\(sample.index) \(sample.benchmark) \(sample.id)").inserted
                else {
                    throw Failure(
                        .badData,
                        at: "'sample'",
                        "sample \(sample.index) of '\(sample.id)' occurs a second time"
                    )
                }
                return sample
            },
            body
        )
        if let failure = JSONLines.failure(damaged, path, remedy) { throw failure }
    }
}
