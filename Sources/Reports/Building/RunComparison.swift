import Basics
import Statistics

/// Runs of different experiments side by side: the same questions paired, other ones not.
///
/// Every arm of a later run is compared with the arm of the same name of the first run, or with the
/// one arm that was picked there. Samples of all seeds are pooled, so the numbers hold for the models
/// that were trained.
public struct RunComparison {
    /// The runs; the first is what the others are compared with.
    let runs: [ComparedRun]
    /// Resamples of every bootstrap.
    var resamples = 10_000

    /// Compares runs, the first with each of the others.
    public init(runs: [ComparedRun], resamples: Int = 10_000) {
        self.runs = runs
        self.resamples = resamples
    }

    /// One arm against another on one benchmark.
    struct Row {
        /// The arm of interest, and the one that is subtracted.
        var arm: String, other: String
        /// The benchmark.
        var benchmark: String
        /// What was found.
        var difference: ReportModel.Difference
        /// On which questions: "paired, 300 questions".
        var basis: String
    }

    /// The benchmarks that any run has, in the order of the runs.
    private var benchmarks: [String] {
        var names: [String] = []
        for run in runs {
            for questions in run.table.questions where !names.contains(questions.benchmark) {
                names.append(questions.benchmark)
            }
        }
        return names
    }

    private func label(_ run: ComparedRun, _ member: ComparedRun.Member) -> String {
        "\(run.name): \(member.label)"
    }

    /// All comparisons, Holm's correction over the benchmarks of a pair included.
    ///
    /// - Throws: `Failure.badData` where scores contradict themselves, `Failure.missingInput` where
    ///   there is nothing to compare.
    func rows() throws -> [Row] {
        let first = runs[0]
        var rows: [Row] = []
        for run in runs.dropFirst() {
            for member in run.members {
                let other =
                    first.only == nil
                    ? first.members.first { $0.arm == member.arm && $0.variant == member.variant }
                        ?? first.members.first { $0.arm == member.arm }
                    : first.members.first
                guard let other else { continue }
                rows += try self.rows(run, member, first, other)
            }
        }
        guard !rows.isEmpty else {
            throw Failure(
                .missingInput,
                "the runs have no arm and benchmark in common",
                remedy: "Pick arms: RUN:ARM RUN:ARM."
            )
        }
        return rows
    }

    private func rows(
        _ run: ComparedRun,
        _ member: ComparedRun.Member,
        _ first: ComparedRun,
        _ other: ComparedRun.Member
    ) throws -> [Row] {
        var rows = try benchmarks.compactMap { benchmark -> Row? in
            guard let own = try run.scores(member, benchmark),
                let base = try first.scores(other, benchmark)
            else { return nil }
            let (difference, basis) = try compare(
                own,
                base,
                digests: (run.table.digest(benchmark), first.table.digest(benchmark))
            )
            return Row(
                arm: label(run, member),
                other: label(first, other),
                benchmark: benchmark,
                difference: difference,
                basis: basis
            )
        }
        let adjusted = SignificanceTest.holm(rows.map(\.difference.pValue))
        for index in rows.indices {
            rows[index].difference.adjustedPValue = adjusted[index]
            rows[index].difference.verdict = .init(
                rows[index].difference.estimate,
                p: adjusted[index]
            )
        }
        return rows
    }

    private func compare(
        _ own: [QuestionScore],
        _ base: [QuestionScore],
        digests: (String?, String?)
    ) throws -> (ReportModel.Difference, String) {
        let ids = (Set(own.map(\.id)), Set(base.map(\.id)))
        let isOther = digests.0 != nil && digests.1 != nil && digests.0 != digests.1
        if ids.0 == ids.1 && !isOther {
            let draws = UniformDraws("compare")
            let paired = try PairedComparison(arm: own, base: base, resamples: resamples) {
                draws($0)
            }
            return (
                .init(
                    estimate: paired.difference,
                    interval: paired.interval,
                    pValue: paired.permutationP,
                    minimumDetectable: paired.minimumDetectableEffect,
                    limit: paired.limit,
                    verdict: .notDistinguishable
                ),
                "paired, \(NumberText.counted(own.count, "question"))"
            )
        }
        let unpaired = UnpairedComparison(own.map(\.mean), minus: base.map(\.mean))
        let common = ids.0.intersection(ids.1).count
        let sizes = "\(NumberText.count(own.count)) against \(NumberText.count(base.count))"
        let why = ids.0 == ids.1 ? "other texts" : "\(NumberText.count(common)) in common"
        return (
            .init(
                estimate: unpaired.difference,
                interval: unpaired.interval,
                pValue: unpaired.p,
                minimumDetectable: unpaired.minimumDetectableEffect,
                limit: unpaired.limit,
                verdict: .notDistinguishable
            ),
            "unpaired, \(sizes) (\(why))"
        )
    }

    /// The comparison as Markdown: accuracies, differences, verdicts, and how to read them.
    ///
    /// - Throws: As `rows`.
    public func markdown() throws -> String {
        let rows = try self.rows()
        let parts =
            [
                "# \(runs.map { MarkdownTable.escape($0.name) }.joined(separator: ", "))\n"
            ] + (try warnings().map { "**Warning:** \(MarkdownTable.escape($0))\n" }) + [
                "## Accuracy, %\n\n" + (try accuracies()),
                "## Differences, percentage points\n\n" + differences(rows),
                "## Verdicts\n\n" + rows.map { "- \(verdict($0))\n" }.joined(),
                "## How to read this\n\n" + notes(rows).map { "- \($0)\n" }.joined(),
            ]
        return parts.joined(separator: "\n")
    }

    /// The benchmarks on which no arm of any run differs from another.
    private func warnings() throws -> [String] {
        FloorAndCeiling.warnings(
            try benchmarks.map { benchmark in
                let scores = try runs.flatMap { run in
                    try run.members.compactMap { try run.scores($0, benchmark) }
                }
                return (benchmark, scores.joined().map(\.mean))
            }
        )
    }

    private func accuracies() throws -> String {
        let benchmarks = benchmarks
        var table = MarkdownTable(
            columns: [("run and arm", .left)] + benchmarks.map { ($0, .right) } + [
                ("seeds", .right)
            ]
        )
        for run in runs {
            for member in run.members {
                let cells = try benchmarks.map { benchmark -> String in
                    guard let own = try run.scores(member, benchmark) else {
                        return NumberText.unknown
                    }
                    let summary = try AccuracySummary(own, samples: own.first?.samples ?? 0)
                    return NumberText.percent(summary.mean, summary.interval)
                }
                let seeds = benchmarks.map { run.seeds(member, $0) }.max() ?? 0
                table.rows.append([label(run, member)] + cells + ["\(seeds)"])
            }
        }
        return table.text
    }

    private func differences(_ rows: [Row]) -> String {
        MarkdownTable(
            columns: [
                ("arm", .left), ("minus", .left), ("benchmark", .left), ("difference", .right),
                ("p", .right), ("p (Holm)", .right), ("detectable", .right), ("verdict", .left),
                ("questions", .left),
            ],
            rows: rows.map { row in
                let own = row.difference
                return [
                    row.arm, row.other, row.benchmark,
                    NumberText.points(own.estimate, own.interval), NumberText.pValue(own.pValue),
                    NumberText.pValue(own.adjustedPValue),
                    NumberText.percent(own.minimumDetectable), own.verdict.rawValue, row.basis,
                ]
            }
        ).text
    }

    private func verdict(_ row: Row) -> String {
        let sentence = Summary.verdict(row.arm, row.other, row.difference)
        return MarkdownTable.escape("\(row.benchmark): \(sentence)")
    }

    private func notes(_ rows: [Row]) -> [String] {
        var notes = [
            "Samples of all seeds are pooled by question: intervals and p hold for the models that "
                + "were trained, not for another training of them."
        ]
        if rows.contains(where: { $0.basis.hasPrefix("paired") }) {
            notes.append(
                "Paired: both sides answered the same questions; p is the mid-p of the permutation "
                    + "test over questions, the interval a cluster bootstrap."
            )
        }
        if rows.contains(where: { $0.basis.hasPrefix("unpaired") }) {
            notes.append(
                "Unpaired: the sides answered other questions, so their difficulty is part of the "
                    + "interval and of Welch's test; a difference may come from the questions alone."
            )
        }
        return notes + [
            "Detectable is the smallest true difference that these questions would usually reveal."
        ] + [Legend.unknown(rows.map(\.difference))].compactMap(\.self)
    }
}
