import Basics

/// The parts of the Markdown result that not every experiment has: repeated samples, seeds, sweeps.
struct ResultTableExtras {
    /// What is shown.
    let model: ReportModel

    /// Averages by seed, then differences by seed with their tests; empty for a single seed.
    var seeds: String {
        let seeds = Array(Set(model.seedAverages.map(\.seed))).sorted()
        guard seeds.count > 1 else { return "" }
        var averages = MarkdownTable(
            columns: [("average accuracy, %", .left)] + seeds.map { ("seed \($0)", .right) }
        )
        for arm in model.arms {
            let own = model.seedAverages.filter { $0.arm == arm.name }
            guard !own.isEmpty else { continue }
            averages.rows.append(
                [arm.name]
                    + seeds.map { seed in
                        NumberText.percent(own.first { $0.seed == seed }?.accuracy)
                    }
            )
        }
        let differences = differences(seeds)
        return averages.text + (differences.isEmpty ? "" : "\n" + differences)
    }

    /// pass@k and maj@k; empty where every question has one sample.
    var repeatedSamples: String {
        let samples = RepeatedSamples(model: model)
        var table = MarkdownTable(
            columns: [("arm", .left)] + samples.headings.map { ($0, .right) }
        )
        table.rows = samples.rows.map { [$0.arm] + $0.cells }
        return table.rows.isEmpty ? "" : table.text
    }

    private func differences(_ seeds: [UInt64]) -> String {
        var table = MarkdownTable(
            columns: [("difference, points", .left)] + seeds.map { ("seed \($0)", .right) }
                + [
                    ("same sign", .right), ("p (t, seeds)", .right), ("p (signs, seeds)", .right),
                    ("over questions", .right), ("p (questions)", .right),
                ]
        )
        for own in model.seedComparisons {
            let bySeed = Dictionary(
                zip(own.seeds, own.differences),
                uniquingKeysWith: { first, _ in first }
            )
            table.rows.append(
                ["\(own.arm) − \(own.other)"]
                    + seeds.map { NumberText.points(bySeed[$0]) }
                    + [
                        "\(own.sameSign) of \(own.seeds.count)", NumberText.pValue(own.tP),
                        NumberText.pValue(own.signFlipP), NumberText.points(own.overQuestions),
                        NumberText.pValue(own.overQuestionsP),
                    ]
            )
        }
        return table.rows.isEmpty ? "" : table.text
    }

    /// One section a sweep: a row for each setting, a column for each series.
    var sweeps: [String] {
        model.sweeps.map { sweep in
            let settings = Set(sweep.series.flatMap { $0.points.map(\.x) }).sorted()
            var table = MarkdownTable(
                columns: [(sweep.xLabel, .right)] + sweep.series.map { ($0.name, .right) }
            )
            for x in settings {
                table.rows.append(
                    [sweep.xFormat.text(x)]
                        + sweep.series.map { series in
                            let point = series.points.first { $0.x == x }
                            return sweep.yFormat == .percent
                                ? NumberText.percent(point?.value, point?.interval)
                                : NumberText.points(point?.value, point?.interval)
                        }
                )
            }
            let title = MarkdownTable.escape(sweep.title)
            return "## \(title)\n\n\(MarkdownTable.escape(sweep.yLabel)).\n\n\(table.text)"
        }
    }
}
