import Basics
import Experiments
import Scoring
import Statistics

/// Turns the scores of a sweep's variants into plots and tables against the grid's parameters.
struct SweepBuilder {
    /// The experiment that holds the grids.
    let experiment: Experiment
    /// The scores of all variants.
    let table: ScoreTable
    /// Resamples of every bootstrap.
    var resamples = 2000

    /// The fewest seeds for which an interval is taken over the seeds.
    static let fewestSeeds = 3

    /// One variant with what was measured.
    private struct Point {
        var variant: Experiment.Variant
        /// In the order of the arms; the base's gain is nil.
        var arms: [OfArm]
    }

    /// What one arm does in one variant.
    private struct OfArm {
        var name: String
        var accuracy: Outcome
        var gain: Outcome?
    }

    /// A value with its interval.
    private struct Outcome {
        var value: Double
        var interval: Interval?
    }

    /// The report of the whole sweep.
    ///
    /// - Throws: `Failure` when scores of a variant are missing.
    func model() throws -> ReportModel {
        var model = ReportModel(
            experiment: experiment.name,
            overview: experiment.description,
            arms: experiment.arms.map { .init(name: $0.name, summary: $0.summary) },
            baseArm: experiment.arms.first { $0.kind == .base }?.name,
            benchmarks: experiment.benchmarks.map(\.name)
        )
        let points = try experiment.variants.compactMap { try point($0) }
        for grid in experiment.grids {
            let own = points.filter { $0.variant.grid == grid.name }
            for axis in grid.axes { model.sweeps += sweeps(grid, axis.key, own) }
        }
        model.warnings = FloorAndCeiling.warnings(
            points.map { point in (point.variant.name, point.arms.map(\.accuracy.value)) }
        )
        let seeds = experiment.seeds.count
        model.notes = [
            "Gains are differences to \(model.baseArm ?? "the base arm") under the same settings, "
                + "averaged over \(NumberText.counted(experiment.benchmarks.count, "benchmark")) "
                + "and \(NumberText.counted(seeds, "seed")).",
            seeds >= Self.fewestSeeds
                ? "Intervals are Student's t over \(seeds) seeds on the logit scale, the questions held "
                    + "fixed."
                : "Intervals are bootstraps over questions within the benchmarks.",
        ]
        return model
    }

    private func point(_ variant: Experiment) throws -> Point? {
        guard let parameters = variant.variant else { return nil }
        let builder = ReportBuilder(experiment: variant, table: table)
        let all = try variant.arms.map { ($0, try builder.scores($0)) }
        let base = all.first { $0.0.kind == .base }
        return Point(
            variant: parameters,
            arms: try all.map { arm, scores in
                let isBase = arm.name == base?.0.name
                let accuracy = outcome(scores.seedAverages, within: 0...1) {
                    scores.benchmarks.map { $0.pooled.map(\.mean) }
                }
                guard !isBase, let base = base?.1 else {
                    return OfArm(name: arm.name, accuracy: accuracy)
                }
                let pairs = try zip(scores.benchmarks, base.benchmarks).map {
                    try $0.pooled.paired(with: $1.pooled)
                }
                let gains = zip(scores.seedAverages, base.seedAverages).map { $0 - $1 }
                let gain = outcome(gains, within: -1...1) {
                    pairs.map { $0.map { $0.0.mean - $0.1.mean } }
                }
                return OfArm(name: arm.name, accuracy: accuracy, gain: gain)
            }
        )
    }

    /// A mean over seeds, with the interval that the number of seeds allows; it never leaves the
    /// range of possible values.
    private func outcome(
        _ seeds: [Double],
        within range: ClosedRange<Double>,
        _ questions: () -> [[Double]]
    ) -> Outcome {
        let statistics = SeedStatistics(seeds)
        if seeds.count >= Self.fewestSeeds {
            return Outcome(
                value: statistics.mean,
                interval: statistics.interval(within: range)
            )
        }
        let average = MacroAverage(questions(), resamples: resamples)
        return Outcome(value: average.mean, interval: average.interval)
    }

    /// The sweeps along one axis of a grid: one a combination of the other axes' values.
    ///
    /// An axis whose values are not numbers has no place on a plot and is left out.
    private func sweeps(_ grid: Grid, _ key: String, _ points: [Point]) -> [ReportModel.Sweep] {
        var groups: [(others: String, points: [(x: Double, point: Point)])] = []
        for point in points {
            guard let x = point.variant.parameters.first(where: { $0.key == key })?.value.number
            else { return [] }
            let others = point.variant.parameters.filter { $0.key != key }
                .map { "\($0.key.lastWord) = \($0.value.string ?? $0.value.compact)" }
                .joined(separator: ", ")
            if let index = groups.firstIndex(where: { $0.others == others }) {
                groups[index].points.append((x, point))
            } else {
                groups.append((others, [(x, point)]))
            }
        }
        return groups.flatMap { group -> [ReportModel.Sweep] in
            let title = grid.name + (group.others.isEmpty ? "" : " (\(group.others))")
            let axis = SweepAxis(key, group.points.map(\.x))
            var sweeps = [
                sweep("\(title): gain", axis, .points, group.points) { $0.gain },
                sweep("\(title): accuracy", axis, .percent, group.points) { $0.accuracy },
            ]
            if key.hasPrefix("models.student"), let byBase = againstBase(title, group.points) {
                sweeps.insert(byBase, at: 1)
            }
            return sweeps
        }
    }

    private func sweep(
        _ title: String,
        _ axis: SweepAxis,
        _ format: ReportModel.AxisFormat,
        _ points: [(x: Double, point: Point)],
        _ outcome: (OfArm) -> Outcome?
    ) -> ReportModel.Sweep {
        let series = experiment.arms.map { arm in
            ReportModel.SweepSeries(
                name: arm.name,
                points: points.compactMap { x, point in
                    point.arms.first { $0.name == arm.name }.flatMap(outcome).map {
                        .init(x: x, value: $0.value, interval: $0.interval)
                    }
                }
            )
        }
        return .init(
            title: title,
            xLabel: axis.label,
            xFormat: axis.format,
            xIsLogarithmic: axis.isLogarithmic,
            yLabel: format == .points
                ? "Gain over base, percentage points" : "Average accuracy, %",
            yFormat: format,
            series: series.filter { !$0.points.isEmpty }
        )
    }

    /// The gains against what the base student can do, where the grid makes it stronger or weaker.
    private func againstBase(
        _ title: String,
        _ points: [(x: Double, point: Point)]
    ) -> ReportModel.Sweep? {
        let moved = points.compactMap { _, point -> (x: Double, point: Point)? in
            point.arms.first { $0.gain == nil }.map { base in
                ((base.accuracy.value * 1000).rounded() / 1000, point)
            }
        }
        guard Set(moved.map(\.x)).count > 1 else { return nil }
        let axis = SweepAxis(label: "Accuracy of the base student, %", format: .percent)
        return sweep("\(title): gain by base accuracy", axis, .points, moved) { $0.gain }
    }
}

/// How a grid's parameter is laid out.
struct SweepAxis: Equatable {
    /// Its name for people.
    var label: String
    /// How its values are written.
    var format = ReportModel.AxisFormat.plain
    /// Whether the values span so much that only their logarithms can be told apart.
    var isLogarithmic = false

    private static let known: [(end: String, label: String, isShare: Bool)] = [
        ("student.scratch.pretraining.steps", "Pre-training steps of the student", false),
        ("generation.acceptanceThreshold", "Acceptance threshold p_th, %", true),
        ("generation.proposals", "Proposals R for a position", false),
        (
            "student.scratch.pretraining.reflectiveShare",
            "Teacher's style in the student's pre-training, %", true
        ),
    ]
}

extension SweepAxis {
    /// The axis of a key of the experiment file with the values it takes.
    init(_ key: String, _ values: [Double]) {
        let known = Self.known.first { key.hasSuffix($0.end) }
        self.init(label: known?.label ?? key, format: known?.isShare == true ? .percent : .plain)
        guard let least = values.min(), let most = values.max(), least > 0 else { return }
        isLogarithmic = most / least >= 30
    }
}

extension String {
    /// What follows the last dot of a key path.
    fileprivate var lastWord: Substring { split(separator: ".").last ?? "" }
}
