import Basics
import Foundation

/// What `rsd-generate analyse` finds out about the arms' traces: the file `analysis.json`.
public struct TraceAnalysis: Equatable, Sendable {
    /// The experiment's or the variant's name.
    public var experiment: String
    /// One entry an arm, in the order of the table.
    public var arms: [TraceStatistics]

    /// Describes an analysis.
    public init(experiment: String, arms: [TraceStatistics] = []) {
        self.experiment = experiment
        self.arms = arms
    }

    /// Reads analysis.json; empty when there is none.
    ///
    /// - Throws: `Failure.badData` naming the file and the member that is missing, of another kind,
    ///   or outside what it can be.
    public static func read(_ path: String) throws -> TraceAnalysis {
        guard FileManager.default.fileExists(atPath: path) else {
            return TraceAnalysis(experiment: "")
        }
        let json = try TextFile.readJSON(path)
        do {
            return TraceAnalysis(
                experiment: json["experiment"]?.string ?? "",
                arms: try json.array("arms").enumerated().map { index, arm in
                    let name: String
                    do { name = try arm.string("arm") } catch let failure as Failure {
                        throw failure.at("arm \(index + 1)")
                    }
                    do { return try TraceStatistics(arm, name) } catch let failure as Failure {
                        throw failure.at("arm '\(name)'")
                    }
                }
            )
        } catch var failure as Failure {
            failure.remedy = "Write it again: rsd-generate analyse, with the experiment file."
            throw failure.inFile(path)
        }
    }

    /// The content of analysis.json.
    public var json: JSON {
        ["experiment": .string(experiment), "arms": .array(arms.map(\.json))]
    }
}

/// What a probability or a share can be.
private let shares = 0.0...1.0
/// What the mean of -ln P can be, far beyond what a float32 softmax reaches.
private let surprises = 0.0...1e4
/// What a length in tokens can be.
private let lengths = 0.0...1e9

private func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }

extension TraceStatistics {
    /// Reads an entry.
    ///
    /// - Throws: `Failure.badData` naming the member.
    fileprivate init(_ json: JSON, _ arm: String) throws {
        let problems = try json.count("problems")
        self.init(
            arm: arm,
            problems: problems,
            problemsWithTrace: try json.integer("problems_with_trace", in: 0...problems),
            tries: try json.count("tries")
        )
        for reason in TraceFilter.Rejection.allCases {
            rejections[reason] = json["rejections"]?[reason.rawValue]?.integer.flatMap {
                $0 > 0 ? $0 : nil
            }
        }
        acceptance = try json.optionalNumber("acceptance", in: shares)
        fallbackShare = try json.optionalNumber("fallback_share", in: shares)
        traces = json["traces"]?.integer ?? 0
        tokens = json["tokens"]?.integer ?? 0
        shareBelowOnePercent = try json.optionalNumber("share_below_one_percent", in: shares)
        shareBelowTenthPercent = try json.optionalNumber("share_below_tenth_percent", in: shares)
        meanTraceLength = try json.optionalNumber("mean_trace_length", in: lengths)
        histogram = try json.histogram()
        meanSurprise = try json.optionalNumber("mean_negative_log_probability", in: surprises)
        lengthQuantiles = try json.list("trace_length_quantiles", LengthQuantile.init)
        longestTraceLength = json["longest_trace_length"]?.integer
        agreement = try TryAgreementShares(json["agreement"] ?? .null)
        acceptanceByThreshold = try json.list("acceptance_by_threshold") {
            // A threshold above 1 lets the student write everything.
            .init(
                threshold: try $0.number("threshold", in: 0...1e6),
                share: try $0.number("share", in: shares)
            )
        }
        lowByPosition = try json.optionalNumbers("low_by_position", in: shares)
        refusedByPosition = try json.optionalNumbers("refused_by_position", in: shares)
        lowTokens = try json.list("low_tokens") {
            .init(
                text: try $0.string("text"),
                count: $0["count"]?.integer ?? 0,
                share: try $0.number("share", in: shares)
            )
        }
        samples = try json.list("samples") { try SampleTrace($0, arm) }
    }

    fileprivate var json: JSON {
        let reasons = TraceFilter.Rejection.allCases.map {
            (key: $0.rawValue, value: JSON.integer(rejections[$0] ?? 0))
        }
        return [
            "arm": .string(arm),
            "problems": .integer(problems),
            "problems_with_trace": .integer(problemsWithTrace),
            "tries": .integer(tries),
            "rejections": .object(JSONObject(reasons)),
            "acceptance": number(acceptance),
            "fallback_share": number(fallbackShare),
            "acceptance_by_threshold": .array(
                acceptanceByThreshold.map {
                    ["threshold": .number($0.threshold), "share": .number($0.share)]
                }
            ),
            "traces": .integer(traces),
            "tokens": .integer(tokens),
            "share_below_one_percent": number(shareBelowOnePercent),
            "share_below_tenth_percent": number(shareBelowTenthPercent),
            "mean_negative_log_probability": number(meanSurprise),
            "mean_trace_length": number(meanTraceLength),
            "median_trace_length": number(lengthQuantile(0.5)),
            "trace_length_quantiles": .array(
                lengthQuantiles.map { [.number($0.share), number($0.length)] }
            ),
            "longest_trace_length": longestTraceLength.map { .integer($0) } ?? .null,
            "low_by_position": .array(lowByPosition.map { .number($0) }),
            "refused_by_position": .array(refusedByPosition.map { .number($0) }),
            "agreement": agreement.json,
            "histogram": histogram.map(\.json) ?? .null,
            "low_tokens": .array(
                lowTokens.map {
                    [
                        "text": .string($0.text), "count": .integer($0.count),
                        "share": .number($0.share),
                    ]
                }
            ),
            "samples": .array(samples.map(\.json)),
        ]
    }
}

extension TryAgreementShares {
    fileprivate init(_ json: JSON) throws {
        self.init()
        guard !json.isNull else { return }
        equalPairs = try json.optionalNumber("equal_pairs", in: shares)
        right = try json.optionalNumber("right", in: shares)
        allRight = json["problems_all_right"]?.integer ?? 0
        someRight = json["problems_some_right"]?.integer ?? 0
        noneRight = json["problems_none_right"]?.integer ?? 0
    }

    fileprivate var json: JSON {
        [
            "equal_pairs": number(equalPairs),
            "right": number(right),
            "problems_all_right": .integer(allRight),
            "problems_some_right": .integer(someRight),
            "problems_none_right": .integer(noneRight),
        ]
    }
}

extension LengthQuantile {
    fileprivate init(_ pair: JSON) throws {
        guard let items = pair.array, items.count == 2, let share = items[0].number,
            items[1].isNull || items[1].number.map(lengths.contains) == true
        else {
            throw Failure(
                .badData,
                "expected a share and a length of 0 to \(lengths.upperBound) tokens, or null"
            )
        }
        self.init(share: share, length: items[1].number)
    }
}

extension Histogram {
    fileprivate var json: JSON {
        ["edges": .array(edges.map { .number($0) }), "counts": .integers(counts)]
    }
}

extension SampleTrace {
    fileprivate init(_ json: JSON, _ arm: String) throws {
        self.init(
            arm: arm,
            problem: try json.string("problem"),
            answer: json["answer"]?.string ?? "",
            origin: json["origin"]?.string ?? "",
            tokenCount: json["token_count"]?.integer,
            tokens: try json.list("tokens") { token in
                Token(
                    text: try token.string("text"),
                    writer: try token.require("writer", "teacher or student") { value in
                        value.string.flatMap(TokenSource.init(name:))
                    },
                    studentProbability: try token.optionalNumber("p_student", in: shares),
                    teacherProbability: try token.optionalNumber("p_teacher", in: shares)
                )
            }
        )
    }

    fileprivate var json: JSON {
        let tokens = tokens.map { token -> JSON in
            [
                "text": .string(token.text),
                "writer": .string(token.writer.name),
                "p_student": number(token.studentProbability),
                "p_teacher": number(token.teacherProbability),
            ]
        }
        return [
            "problem": .string(problem), "answer": .string(answer), "origin": .string(origin),
            "token_count": .integer(tokenCount), "tokens": .array(tokens),
        ]
    }
}

extension JSON {
    /// A list's elements, converted; empty where the member is missing.
    fileprivate func list<T>(_ key: String, _ convert: (JSON) throws -> T) throws -> [T] {
        guard self[key] != nil else { return [] }
        return try array(key).enumerated().map { index, item in
            do { return try convert(item) } catch let failure as Failure {
                throw failure.at("'\(key)[\(index)]'")
            }
        }
    }

    fileprivate func histogram() throws -> Histogram? {
        guard let stored = self["histogram"], !stored.isNull else { return nil }
        do {
            let edges = try stored.optionalNumbers("edges", in: -1e4...1e4)
            let counts = try stored.integers("counts")
            guard edges.count == counts.count + 1, zip(edges, edges.dropFirst()).allSatisfy(<),
                counts.allSatisfy((0...JSON.mostCounted).contains)
            else {
                throw Failure(
                    .badData,
                    at: "'counts'",
                    "found \(counts.count) counts and \(edges.count) edges; expected ascending edges, "
                        + "one more than counts, and counts of at least 0"
                )
            }
            return Histogram(edges: edges, counts: counts)
        } catch let failure as Failure { throw failure.at("'histogram'") }
    }
}
