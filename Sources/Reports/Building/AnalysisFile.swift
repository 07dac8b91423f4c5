import Basics
import Foundation

/// What `rsd-generate analyse` wrote about the arms' traces.
struct AnalysisFile {
    /// One entry an arm.
    var traces: [ReportModel.TraceStatistics] = []
    /// A few traces, token by token.
    var samples: [ReportModel.SampleTrace] = []

    /// Reads analysis.json; empty when there is none.
    ///
    /// - Throws: `Failure.badData` naming the file and the member that is missing, of another kind,
    ///   or outside what it can be.
    init(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let json = try TextFile.readJSON(path)
        do {
            for (index, arm) in try json.array("arms").enumerated() {
                let name: String
                do { name = try arm.string("arm") } catch let failure as Failure {
                    throw failure.at("arm \(index + 1)")
                }
                do {
                    traces.append(try Self.statistics(arm, name))
                    samples += try Self.list(arm, "samples") { try Self.sample($0, name) }
                } catch let failure as Failure {
                    throw failure.at("arm '\(name)'")
                }
            }
        } catch var failure as Failure {
            failure.remedy = "Write it again: rsd-generate analyse, with the experiment file."
            throw failure.inFile(path)
        }
    }

    /// What a probability or a share can be.
    private static let share = 0.0...1.0
    /// What the mean of -ln P can be, far beyond what a float32 softmax reaches.
    private static let surprise = 0.0...1e4
    /// What a length in tokens can be.
    private static let length = 0.0...1e9

    private static func statistics(
        _ json: JSON,
        _ arm: String
    ) throws -> ReportModel.TraceStatistics {
        let problems = try json.count("problems")
        let agreement = json["agreement"].flatMap { $0.isNull ? nil : $0 }
        return .init(
            arm: arm,
            problems: problems,
            problemsWithTrace: try json.integer("problems_with_trace", in: 0...problems),
            tries: try json.count("tries"),
            acceptance: try json.optionalNumber("acceptance", in: share),
            fallbackShare: try json.optionalNumber("fallback_share", in: share),
            shareBelowOnePercent: try json.optionalNumber("share_below_one_percent", in: share),
            shareBelowTenthPercent: try json.optionalNumber("share_below_tenth_percent", in: share),
            meanTraceLength: try json.optionalNumber("mean_trace_length", in: length),
            histogram: try histogram(json),
            meanSurprise: try json.optionalNumber("mean_negative_log_probability", in: surprise),
            lengthQuantiles: try lengths(json),
            rightTries: try agreement?.optionalNumber("right", in: share),
            equalPairs: try agreement?.optionalNumber("equal_pairs", in: share),
            // A threshold above 1 lets the student write everything.
            acceptanceByThreshold: try list(json, "acceptance_by_threshold") {
                .init(
                    threshold: try $0.number("threshold", in: 0...1e6),
                    share: try $0.number("share", in: share)
                )
            },
            lowByPosition: try json.optionalNumbers("low_by_position", in: share),
            refusedByPosition: try json.optionalNumbers("refused_by_position", in: share),
            lowTokens: try list(json, "low_tokens") {
                .init(text: try $0.string("text"), share: try $0.number("share", in: share))
            }
        )
    }

    /// A list's elements, converted; empty where the member is missing.
    private static func list<T>(
        _ json: JSON,
        _ key: String,
        _ convert: (JSON) throws -> T
    ) throws -> [T] {
        guard json[key] != nil else { return [] }
        return try json.array(key).enumerated().map { index, item in
            do { return try convert(item) } catch let failure as Failure {
                throw failure.at("'\(key)[\(index)]'")
            }
        }
    }

    private static func histogram(_ json: JSON) throws -> ReportModel.Histogram? {
        guard let stored = json["histogram"], !stored.isNull else { return nil }
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
            return .init(edges: edges, counts: counts)
        } catch let failure as Failure { throw failure.at("'histogram'") }
    }

    /// The 10, 50 and 90 % quantiles; empty where they were not written or there are no traces.
    private static func lengths(_ json: JSON) throws -> [Double] {
        let pairs = try list(json, "trace_length_quantiles") { pair -> (Double, Double?) in
            guard let items = pair.array, items.count == 2, let share = items[0].number,
                items[1].isNull || items[1].number.map(length.contains) == true
            else {
                throw Failure(
                    .badData,
                    "expected a share and a length of 0 to \(length.upperBound) tokens, or null"
                )
            }
            return (share, items[1].number)
        }
        let wanted = [0.1, 0.5, 0.9].compactMap { share in
            pairs.first { abs($0.0 - share) < 1e-9 }?.1
        }
        return wanted.count == 3 ? wanted : []
    }

    private static func sample(_ json: JSON, _ arm: String) throws -> ReportModel.SampleTrace {
        .init(
            arm: arm,
            problem: try json.string("problem"),
            answer: json["answer"]?.string ?? "",
            tokens: try list(json, "tokens") { token in
                .init(
                    text: try token.string("text"),
                    writer: try token.require("writer", "teacher or student") { value in
                        value.string.flatMap(ReportModel.Writer.init(rawValue:))
                    },
                    studentProbability: try token.optionalNumber("p_student", in: share),
                    teacherProbability: try token.optionalNumber("p_teacher", in: share)
                )
            }
        )
    }
}
