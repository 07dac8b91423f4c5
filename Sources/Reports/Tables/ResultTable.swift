import Basics

/// The results as text: Markdown for people.
///
/// Accuracies are in per cent, differences in percentage points, intervals in brackets.
struct ResultTable {
    /// What is shown.
    let model: ReportModel

    /// The whole result: accuracies, differences to the base, traces, verdicts, and how to read it.
    var markdown: String {
        var parts = ["# \(MarkdownTable.escape(model.experiment))\n"]
        if !model.overview.isEmpty { parts.append(Self.paragraph(model.overview) + "\n") }
        parts += model.warnings.map { "**Warning:** \(MarkdownTable.escape($0))\n" }
        if model.sweeps.isEmpty || !model.scores.isEmpty {
            parts.append("## Accuracy, %\n\n" + accuracies + questionLine)
        }
        let differences = differences
        if !differences.isEmpty {
            let base = MarkdownTable.escape(model.baseArm ?? "the base arm")
            parts.append("## Difference to \(base), percentage points\n\n" + differences)
        }
        let extra = ResultTableExtras(model: model)
        if !extra.repeatedSamples.isEmpty {
            parts.append("## Several samples a question, %\n\n" + extra.repeatedSamples)
        }
        if !extra.seeds.isEmpty { parts.append("## Seeds\n\n" + extra.seeds) }
        parts += extra.sweeps
        if !model.traces.isEmpty { parts.append("## Traces\n\n" + traces) }
        let verdicts = verdicts
        if !verdicts.isEmpty {
            parts.append("## Verdicts\n\n" + verdicts.map { "- \($0)\n" }.joined())
        }
        parts.append(
            "## How to read this\n\n" + Legend(model: model).lines.map { "- \($0)\n" }.joined()
        )
        return parts.joined(separator: "\n")
    }

    /// Text that begins no heading, list, quotation or fence.
    private static func paragraph(_ text: String) -> String {
        let escaped = MarkdownTable.escape(text)
        let first = escaped.unicodeScalars.first { $0 != " " }
        let isMark = first.map { "#>-+*=~`_".unicodeScalars.contains($0) } ?? false
        return isMark ? "\\" + escaped.drop { $0 == " " } : escaped
    }

    /// One row an arm: its accuracy on each benchmark, on average, and the answers lost.
    var accuracies: String {
        guard !model.arms.isEmpty else { return "No arm has been scored yet.\n" }
        let columns = model.columns
        var table = MarkdownTable(
            columns: [("arm", .left)] + columns.map { ($0 ?? "average", .right) }
                + [("unparsed", .right)] + (model.hasGuesses ? [("guessed", .right)] : [])
                + [("cut off", .right)]
        )
        for arm in model.arms {
            let scores = columns.map { model.score(arm: arm.name, benchmark: $0) }
            let whole = model.score(arm: arm.name, benchmark: model.headline)
            table.rows.append(
                [arm.name] + scores.map { NumberText.percent($0?.accuracy, $0?.interval) }
                    + [NumberText.share(whole?.unparsedShare)]
                    + (model.hasGuesses ? [NumberText.share(whole?.guessedShare)] : [])
                    + [NumberText.share(whole?.truncatedShare)]
            )
        }
        return table.text
    }

    /// One row for each arm and column that has a difference; empty if none has.
    var differences: String {
        var table = MarkdownTable(
            columns: [
                ("arm", .left), ("benchmark", .left), ("difference", .right), ("p", .right),
                ("p (Holm)", .right), ("detectable", .right), ("verdict", .left),
            ])
        for arm in model.comparedArms {
            for column in model.columnsFromAverage {
                guard let difference = model.score(arm: arm.name, benchmark: column)?.difference
                else { continue }
                table.rows.append([
                    arm.name, column ?? "average",
                    NumberText.points(difference.estimate, difference.interval),
                    NumberText.pValue(difference.pValue),
                    NumberText.pValue(difference.adjustedPValue),
                    NumberText.percent(difference.minimumDetectable),
                    difference.verdict.rawValue,
                ])
            }
        }
        return table.rows.isEmpty ? "" : table.text
    }

    /// One row for each arm with traces.
    var traces: String {
        var table = MarkdownTable(
            columns: [
                ("arm", .left), ("with a trace", .right), ("tries", .right),
                ("acceptance", .right), ("fallback", .right), ("P_S < 1 %", .right),
                ("P_S < 0.1 %", .right), ("mean tokens", .right),
            ])
        for trace in model.traces {
            table.rows.append([
                trace.arm, "\(trace.problemsWithTrace) of \(trace.problems)", "\(trace.tries)",
                NumberText.share(trace.acceptance), NumberText.share(trace.fallbackShare),
                NumberText.share(trace.shareBelowOnePercent),
                NumberText.share(trace.shareBelowTenthPercent),
                trace.meanTraceLength.map { NumberText.fixed($0, decimals: 0) }
                    ?? NumberText.unknown,
            ])
        }
        return table.text
    }

    /// One sentence an arm, then one for each contrast: what the tests say.
    var verdicts: [String] {
        Summary(model: model).verdicts.map { MarkdownTable.escape($0) }
    }

    /// How much was asked: "Questions: chain3 300, chain4 300; 1 sample each, 5 seeds".
    private var questionLine: String {
        let known = model.benchmarks.compactMap { name in
            model.scores.first { $0.benchmark == name }
        }
        guard let first = known.first else { return "" }
        let isEven = known.allSatisfy { $0.samplesPerQuestion == first.samplesPerQuestion }
        let counts = known.map { score in
            "\(MarkdownTable.escape(score.benchmark ?? "")) \(NumberText.count(score.questions))"
                + (isEven ? "" : " × \(score.samplesPerQuestion)")
        }
        let samples =
            isEven
            ? NumberText.counted(first.samplesPerQuestion, "sample") + " each"
            : "× samples of each question"
        let seeds = NumberText.counted(first.seeds, "seed")
        return "\nQuestions: \(counts.joined(separator: ", ")); \(samples), \(seeds).\n"
    }
}
