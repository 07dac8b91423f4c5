import Basics
import Experiments
import Foundation
import Records
import Scoring

/// Makes and writes the report of an experiment.
public struct ReportRun {
    /// Where counts of right answers come from: the samples in the runs, or the scores of an earlier
    /// report in the results folder.
    public enum Counts: Sendable { case samples, scores, samplesElseScores }

    /// The experiment.
    public let experiment: Experiment
    /// The surroundings of this process.
    let surroundings: Manifest.Surroundings
    /// Where runs and results are, as environment variables say.
    var environment = ProcessInfo.processInfo.environment
    /// Where the counts of right answers come from.
    var counts = Counts.samples
    /// Whether arms and seeds that have not been scored yet are left out.
    var isPartial = false
    /// Resamples of every bootstrap.
    var resamples = 10_000

    /// Prepares a report.
    public init(
        experiment: Experiment,
        surroundings: Manifest.Surroundings = .ofThisProcess,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        counts: Counts = Counts.samples,
        isPartial: Bool = false,
        resamples: Int = 10_000
    ) {
        self.experiment = experiment.scored
        self.surroundings = surroundings
        self.environment = environment
        self.counts = counts
        self.isPartial = isPartial
        self.resamples = resamples
    }

    /// Writes all files of the report.
    ///
    /// - Returns: The report, and its Markdown table.
    /// - Throws: `Failure` for missing or malformed samples, and where a file cannot be written.
    @discardableResult
    public func run() throws -> (model: ReportModel, table: String) {
        let folder = RunLayout(experiment, environment: environment).resultsFolder
        let scores = "\(folder)/scores.jsonl"
        let known = counts == .samples ? ScoreTable() : try ScoreTable.read(scores)
        let answers = GradedAnswers()
        let all =
            counts == .scores
            ? known
            : try ScoreTable.collect(
                experiment,
                known: known,
                isPartial: isPartial,
                answers: experiment.grids.isEmpty ? answers : nil,
                environment: environment
            )
        if !isPartial { try all.checkWhole(experiment) }
        let variants = try experiment.variants.map(\.variant?.name)
        let empty = counts == .scores ? [] : try emptyArms
        let compared =
            isPartial || !empty.isEmpty
            ? try experiment.part(of: all.questions) { arm, seed in
                variants.allSatisfy { !all.cells($0, arm.name, seed).isEmpty }
            } : experiment
        let table = all.part(of: compared)
        let manifest = try Manifest(
            "\(folder)/manifest.json",
            configuration: compared.merged,
            seeds: compared.seeds,
            inputs: table.stages,
            surroundings: surroundings
        )
        do {
            var model = try model(compared, table)
            model.answers = answers.lists(of: compared)
            model.show(empty, of: experiment)
            if counts != .scores { try JSONLines.write(all.records, to: scores) }
            let files = try ReportFiles.render(model)
            // Scores do not have the losses of training.
            let kept = counts != .samples && model.losses.isEmpty ? ["plots/loss.svg"] : []
            try removePlots(in: folder, but: files.map(\.path) + kept)
            for file in files { try TextFile.write(file.text, to: "\(folder)/\(file.path)") }
            let results: JSON = ["grader": table.grader.map { .string($0) } ?? .null]
            try manifest.close(.finished, results: results)
            return (model, ResultTable(model: model).markdown)
        } catch {
            try? manifest.close(.failed)
            throw error
        }
    }

    /// The arms that have nothing to train on; those of a sweep's variants are not looked for.
    private var emptyArms: [EmptyArm] {
        get throws {
            guard experiment.grids.isEmpty else { return [] }
            return try RunLayout(experiment, environment: environment).emptyArms(experiment.arms)
        }
    }

    private func model(_ experiment: Experiment, _ table: ScoreTable) throws -> ReportModel {
        let layout = RunLayout(experiment, environment: environment)
        var model: ReportModel
        if experiment.grids.isEmpty {
            let builder = ReportBuilder(
                experiment: experiment,
                table: table,
                resamples: resamples
            )
            model = try builder.model()
            let analysis = try TraceAnalysis.read("\(layout.resultsFolder)/analysis.json")
            model.traces = analysis.arms
            model.samples = analysis.arms.flatMap(\.samples)
            model.losses = try LossFiles.curves(layout)
            model.costs = try costs(layout)
            model.curves = try builder.curves(model)
        } else {
            model = try SweepBuilder(experiment: experiment, table: table).model()
        }
        let layouts = try experiment.variants.map { RunLayout($0, environment: environment) }
        var lines = ReportManifest(
            experiment: experiment,
            surroundings: surroundings,
            layouts: layouts,
            grader: table.grader
        )
        do {
            let found = try ContaminationCheck(layouts.map(\.experiment)).findings()
            lines.overlaps = found.map(\.text)
            model.notes += found.filter { !$0.exact.isEmpty || !$0.near.isEmpty }.map {
                "Arms train on what a benchmark also has: \($0.text)."
            }
        } catch let failure as Failure {
            // The scores stand without it, and the file may have moved since.
            let file = failure.file.map(RunEnvironment.relative) ?? "a file"
            lines.overlaps = ["not known: \(file): \(failure.message)"]
        }
        model.manifest = lines.entries
        return model
    }

    /// What the arms took; where no run is here, what an earlier report found out.
    private func costs(_ layout: RunLayout) throws -> [ReportModel.Cost] {
        let found = (try? CostLedger(layout))?.costs ?? []
        let stored =
            counts == .samples ? [] : try CostFile.read("\(layout.resultsFolder)/costs.csv")
        let costs = found.map { cost in
            guard cost.seconds == nil else { return cost }
            let known = stored.first { $0.arm == cost.arm && $0.seed == cost.seed }
            return known.flatMap { cost.stage ?? $0.stage == $0.stage ? $0 : nil } ?? cost
        }
        return costs.contains { $0.stage != nil } ? costs : []
    }

    /// Removes plots of an earlier report that this one does not have.
    private func removePlots(in folder: String, but wanted: [String]) throws {
        let plots = "\(folder)/plots"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: plots)) ?? []
        where name.hasSuffix(".svg") && !wanted.contains("plots/\(name)") {
            try? FileManager.default.removeItem(atPath: "\(plots)/\(name)")
        }
    }
}

extension ReportModel {
    /// Shows arms that have nothing to train on as rows without numbers, and says why.
    fileprivate mutating func show(_ empty: [EmptyArm], of experiment: Experiment) {
        guard !empty.isEmpty else { return }
        let known = Dictionary(arms.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        arms = experiment.arms.compactMap { arm in
            if let known = known[arm.name] { return known }
            guard empty.contains(where: { $0.arm == arm.name }) else { return nil }
            return Arm(name: arm.name, summary: arm.summary)
        }
        notes += empty.map { "\($0.text.prefix(1).uppercased())\($0.text.dropFirst())." }
    }
}
