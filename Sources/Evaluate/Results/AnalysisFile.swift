import Files
import Foundation

/// What `rsd-generate analyse` wrote about the arms' traces.
struct AnalysisFile {
    /// One entry an arm.
    var traces: [ReportModel.TraceStatistics] = []
    /// A few traces, token by token.
    var samples: [ReportModel.SampleTrace] = []

    /// Reads analysis.json; empty when there is none.
    ///
    /// - Throws: `Failure.badData` naming the file and the member that is missing or of another
    ///   kind.
    init(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let json = try TextFile.readJSON(path)
        do {
            for arm in try json.array("arms") {
                let name = try arm.string("arm")
                traces.append(try Self.statistics(arm, name))
                samples += try (arm["samples"]?.array ?? []).map { try Self.sample($0, name) }
            }
        } catch var failure as Failure {
            failure.remedy = "Write it again: rsd-generate analyse, with the experiment file."
            throw failure.inFile(path)
        }
    }

    private static func statistics(
        _ json: JSON,
        _ arm: String
    ) throws -> ReportModel.TraceStatistics {
        var histogram: ReportModel.Histogram?
        if let stored = json["histogram"], !stored.isNull {
            histogram = .init(
                edges: try stored.numbers("edges"),
                counts: try stored.integers("counts")
            )
        }
        return .init(
            arm: arm,
            problems: try json.integer("problems"),
            problemsWithTrace: try json.integer("problems_with_trace"),
            tries: try json.integer("tries"),
            acceptance: json["acceptance"]?.number,
            fallbackShare: json["fallback_share"]?.number,
            shareBelowOnePercent: json["share_below_one_percent"]?.number,
            shareBelowTenthPercent: json["share_below_tenth_percent"]?.number,
            meanTraceLength: json["mean_trace_length"]?.number,
            histogram: histogram,
            meanSurprise: json["mean_negative_log_probability"]?.number,
            lengthQuantiles: lengths(json),
            rightTries: json["agreement"]?["right"]?.number,
            equalPairs: json["agreement"]?["equal_pairs"]?.number,
            acceptanceByThreshold: try (json["acceptance_by_threshold"]?.array ?? []).map {
                .init(threshold: try $0.number("threshold"), share: try $0.number("share"))
            },
            lowByPosition: try json["low_by_position"].map { _ in
                try json.numbers("low_by_position")
            } ?? [],
            refusedByPosition: try json["refused_by_position"].map { _ in
                try json.numbers("refused_by_position")
            } ?? [],
            lowTokens: try (json["low_tokens"]?.array ?? []).map {
                .init(text: try $0.string("text"), share: try $0.number("share"))
            }
        )
    }

    /// The 10, 50 and 90 % quantiles; empty where they were not written or there are no traces.
    private static func lengths(_ json: JSON) -> [Double] {
        let pairs = (json["trace_length_quantiles"]?.array ?? []).compactMap { pair in
            pair.array.flatMap { items in
                items.count == 2 ? (items[0].number ?? .nan, items[1].number) : nil
            }
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
            tokens: try json.array("tokens").map { token in
                .init(
                    text: try token.string("text"),
                    writer: try token.require("writer", "teacher or student") { value in
                        value.string.flatMap(ReportModel.Writer.init(rawValue:))
                    },
                    studentProbability: token["p_student"]?.number,
                    teacherProbability: token["p_teacher"]?.number
                )
            }
        )
    }
}
