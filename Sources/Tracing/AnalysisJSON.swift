import Records
import Basics

extension ExperimentAnalysis {
    /// The quantiles of the trace lengths that are written down.
    static let quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]

    /// The content of analysis.json.
    public var json: JSON {
        [
            "experiment": .string(name),
            "arms": .array(zip(arms, samples).map { json($0, $1) }),
        ]
    }

    private func json(_ arm: ArmAnalysis, _ samples: [Sample]) -> JSON {
        func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
        func integer(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
        let reasons = TraceFilter.Rejection.allCases.map {
            (key: $0.rawValue, value: JSON.integer(arm.rejections[$0] ?? 0))
        }
        return [
            "arm": .string(arm.arm),
            "problems": .integer(arm.problems),
            "problems_with_trace": .integer(arm.problemsWithTrace),
            "tries": .integer(arm.tries),
            "rejections": .object(JSONObject(reasons)),
            "acceptance": number(arm.acceptance),
            "fallback_share": number(arm.fallbackShare),
            "acceptance_by_threshold": .array(
                arm.acceptanceByThreshold.map {
                    ["threshold": .number($0.threshold), "share": .number($0.share)]
                }
            ),
            "traces": .integer(arm.lengths.count),
            "tokens": .integer(arm.tokens),
            "share_below_one_percent": number(arm.shareBelowOnePercent),
            "share_below_tenth_percent": number(arm.shareBelowTenthPercent),
            "mean_negative_log_probability": number(arm.meanSurprise),
            "mean_trace_length": number(arm.meanTraceLength),
            "median_trace_length": number(arm.lengthQuantile(0.5)),
            "trace_length_quantiles": .array(
                Self.quantiles.map { [.number($0), number(arm.lengthQuantile($0))] }
            ),
            "longest_trace_length": integer(arm.lengths.max()),
            "low_by_position": .array(arm.lowByPosition.shares.map { .number($0) }),
            "refused_by_position": .array(arm.refusedByPosition.shares.map { .number($0) }),
            "agreement": [
                "equal_pairs": number(arm.agreement.pairShare),
                "right": number(arm.agreement.rightShare),
                "problems_all_right": .integer(arm.agreement.allRight),
                "problems_some_right": .integer(arm.agreement.someRight),
                "problems_none_right": .integer(arm.agreement.noneRight),
            ],
            "histogram": [
                "edges": .array(ArmAnalysis.edges.map { .number($0) }),
                "counts": .integers(arm.histogram),
            ],
            "low_tokens": .array(
                arm.lowestTokens.map { id, count, share in
                    [
                        "text": .string(text(id)), "count": .integer(count),
                        "share": .number(share),
                    ]
                }
            ),
            "samples": .array(samples.map(json)),
        ]
    }

    private func json(_ sample: Sample) -> JSON {
        let trace = sample.trace
        let tokens = trace.ids.indices.prefix(Self.sampleTokens).map { index -> JSON in
            [
                "text": .string(text(trace.ids[index])),
                "writer": .string(trace.source[index] == .teacher ? "teacher" : "student"),
                "p_student": .number(trace.studentProbability[index]),
                "p_teacher": .number(trace.teacherProbability[index]),
            ]
        }
        return [
            "problem": .string(sample.problem), "answer": .string(sample.answer),
            "origin": .string(sample.origin), "token_count": .integer(trace.ids.count),
            "tokens": .array(tokens),
        ]
    }

    func text(_ id: Int32) -> String { tokenizer.text(of: [id], skipSpecial: false) }
}
