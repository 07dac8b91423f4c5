import Datasets
import Experiments
import Files
import Tokenizers

/// The analyses of an experiment's arms, side by side.
struct ExperimentAnalysis {
    /// A trace to look at, token by token.
    struct Sample {
        /// The problem's text.
        var problem: String
        /// The reference answer.
        var answer: String
        /// Where the trace comes from.
        var origin: String
        /// The trace.
        var trace: ArmAnalysis.ScoredTrace
    }

    /// How many traces of an arm are shown.
    static let samplesPerArm = 2
    /// How many tokens of a shown trace are written down.
    static let sampleTokens = 600

    /// The experiment's or the variant's name.
    var name: String
    /// One analysis an arm, in the order of the table.
    var arms: [ArmAnalysis] = []
    /// A few traces of each arm.
    var samples: [[Sample]] = []
    /// The tokenizer of all ids.
    var tokenizer: Tokenizer
}

extension Scope {
    /// Analyses the traces of every arm; nil while nothing has been generated.
    ///
    /// - Throws: `Failure`.
    func analyse(_ models: ModelStore) throws -> ExperimentAnalysis? {
        var result: ExperimentAnalysis?
        for arm in arms {
            var analysis = ArmAnalysis(arm: arm.name)
            var samples: [ExperimentAnalysis.Sample] = []
            for seed in experiment.seeds {
                guard let selection = try layout.select(arm, seed: seed) else { continue }
                let student = try models.model(.student, of: layout, seed: seed)
                if result == nil {
                    result = ExperimentAnalysis(
                        name: variantName ?? experiment.name,
                        tokenizer: student.tokenizer
                    )
                }
                analysis.add(selection)
                try forEachTrace(selection, StudentScoring(model: student)) { selected, trace in
                    analysis.add(trace)
                    guard samples.count < ExperimentAnalysis.samplesPerArm else { return }
                    samples.append(
                        ExperimentAnalysis.Sample(
                            problem: selected.problem,
                            answer: selected.answer,
                            origin: selected.origin ?? "",
                            trace: trace
                        )
                    )
                }
            }
            guard analysis.tries > 0 else { continue }
            result?.arms.append(analysis)
            result?.samples.append(samples)
        }
        return result
    }

    /// Hands out the traces to train on with the student's probabilities: those of generation, or
    /// new ones for external traces.
    private func forEachTrace(
        _ selection: ArmSelection,
        _ scoring: StudentScoring,
        _ body: (SelectedTrace, ArmAnalysis.ScoredTrace) throws -> Void
    ) throws {
        if let own = selection.selection {
            for (selected, trace) in zip(selection.selected, own.traces) {
                try body(
                    selected,
                    ArmAnalysis.ScoredTrace(
                        ids: trace.ids,
                        source: trace.source,
                        studentProbability: trace.studentProbability,
                        teacherProbability: trace.teacherProbability
                    )
                )
            }
            return
        }
        let progress = Progress(
            "scoring \(selection.arm.name)",
            total: selection.selected.count,
            unit: "traces"
        )
        for (index, selected) in selection.selected.enumerated() {
            try Interrupts.check()
            if let trace = try scoring.score(
                selected,
                template: experiment.template,
                maxLength: selection.arm.training.maxLength
            ) {
                try body(selected, trace)
            }
            progress.update(done: index + 1)
        }
        progress.finish()
    }
}

extension ExperimentAnalysis {
    /// The content of analysis.json.
    var json: JSON {
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
            "mean_trace_length": number(arm.meanTraceLength),
            "median_trace_length": number(arm.medianTraceLength),
            "longest_trace_length": integer(arm.lengths.max()),
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

    private func text(_ id: Int32) -> String { tokenizer.text(of: [id], skipSpecial: false) }
}

extension ExperimentAnalysis {
    /// The tables that the command prints.
    var markdown: String {
        let names = arms.map(\.arm)
        var summary = TextTable(header: [name] + names)
        func row(_ label: String, _ value: (ArmAnalysis) -> String) {
            summary.rows.append([label] + arms.map(value))
        }
        row("problems") { "\($0.problems)" }
        row("problems with a trace") { "\($0.problemsWithTrace)" }
        row("tries") { "\($0.tries)" }
        row("traces to train on") { "\($0.lengths.count)" }
        row("mean length, tokens") { decimal($0.meanTraceLength) }
        row("median length, tokens") { decimal($0.medianTraceLength) }
        row("proposals accepted") { percentage($0.acceptance) }
        row("positions left to the student") { percentage($0.fallbackShare) }
        row("tokens with P_S below 1 %") { percentage($0.shareBelowOnePercent) }
        row("tokens with P_S below 0.1 %") { percentage($0.shareBelowTenthPercent) }

        var histogram = TextTable(header: ["log10 P_S"] + names)
        // Four bins of the stored histogram make one row: a factor of ten.
        for decade in 0..<ArmAnalysis.edges.count / 4 {
            let edge = Int(ArmAnalysis.edges[4 * decade])
            let label = decade == 0 ? "below \(edge + 1)" : "\(edge) to \(edge + 1)"
            histogram.rows.append(
                [label]
                    + arms.map { arm in
                        let count = arm.histogram[4 * decade..<4 * decade + 4].reduce(0, +)
                        return percentage(
                            arm.tokens > 0 ? Double(count) / Double(arm.tokens) : nil
                        )
                    }
            )
        }

        var acceptance = TextTable(header: ["threshold p_th"] + names)
        let known = arms.map(\.acceptanceByThreshold)
        for threshold in Set(known.joined().map(\.threshold)).sorted() {
            acceptance.rows.append(
                [percentage(threshold)]
                    + known.map { shares in
                        percentage(shares.first { $0.threshold == threshold }?.share)
                    }
            )
        }

        var strings = TextTable(header: ["tokens with P_S below 1 %"] + names)
        let lists = arms.map(\.lowestTokens)
        for place in 0..<(lists.map(\.count).max() ?? 0) {
            strings.rows.append(
                ["\(place + 1)"]
                    + lists.map { list in
                        guard list.indices.contains(place) else { return "" }
                        return "`\(visible(list[place].id))` \(percentage(list[place].share))"
                    }
            )
        }
        var parts = [summary.markdown, "P_S of the traces to train on:\n\n" + histogram.markdown]
        if !acceptance.rows.isEmpty {
            parts.append("Share of the teacher's proposals accepted:\n\n" + acceptance.markdown)
        }
        if !strings.rows.isEmpty {
            parts.append("Which they are, with their share of them:\n\n" + strings.markdown)
        }
        return parts.joined(separator: "\n") + "\n"
    }

    /// A token as a table can show it: spaces, line breaks and back quotes as other signs.
    private func visible(_ id: Int32) -> String {
        var result = ""
        for scalar in text(id).unicodeScalars {
            switch scalar {
            case " ": result += "␣"
            case "\n": result += "↵"
            case "\r": result += "␍"
            case "\t": result += "⇥"
            case "`": result += "ˋ"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
