import Experiments
import Files
import Foundation

/// Makes and writes the report of an experiment.
struct ReportRun {
    /// The experiment.
    var experiment: Experiment
    /// The surroundings of this process.
    let surroundings: Manifest.Surroundings
    /// Where runs and results are, as environment variables say.
    var environment = ProcessInfo.processInfo.environment
    /// Whether the scores are taken from the results folder instead of the runs.
    var fromScores = false
    /// Whether arms and seeds that have not been scored yet are left out.
    var isPartial = false
    /// Resamples of every bootstrap.
    var resamples = 10_000

    /// Writes all files of the report.
    ///
    /// - Returns: The report, and its Markdown table.
    /// - Throws: `Failure` for missing or malformed samples, and where a file cannot be written.
    @discardableResult
    func run() throws -> (model: ReportModel, table: String) {
        let layout = RunLayout(experiment, environment: environment)
        let folder = layout.resultsFolder
        let scores = "\(folder)/scores.jsonl"
        if isPartial {
            var partial = self
            partial.experiment = try part(fromScores ? ScoreTable.read(scores) : nil)
            partial.isPartial = false
            return try partial.run()
        }
        let table =
            fromScores
            ? try ScoreTable.read(scores)
            : try ScoreTable.collect(experiment, environment: environment)
        // Scores rest on what the report rested on that wrote them.
        let earlier =
            fromScores ? try? TextFile.readJSON("\(folder)/manifest.json") : nil
        let grader =
            fromScores ? earlier?["results"]?["grader"]?.string : AnswerGrading.version
        let manifest = try Manifest(
            "\(folder)/manifest.json",
            configuration: experiment.merged,
            seeds: experiment.seeds,
            inputs: fromScores ? Self.inputs(of: earlier) : try inputs(),
            surroundings: surroundings
        )
        do {
            let model = try model(table, layout, grader: grader)
            if !fromScores { try JSONLines.write(table.records, to: scores) }
            let files = try ReportFiles.render(model)
            // Scores do not have the losses of training.
            let kept = fromScores && model.losses.isEmpty ? ["plots/loss.svg"] : []
            try removePlots(in: folder, but: files.map(\.path) + kept)
            for file in files { try TextFile.write(file.text, to: "\(folder)/\(file.path)") }
            let results: JSON = ["grader": grader.map { .string($0) } ?? .null]
            try manifest.close(.finished, results: results)
            return (model, ResultTable(model: model).markdown)
        } catch {
            try? manifest.close(.failed)
            throw error
        }
    }

    /// The experiment cut down to what is in a table of scores, or has been sampled.
    private func part(_ table: ScoreTable?) throws -> Experiment {
        var obstacle: (any Error)?
        do {
            return try experiment.part { arm, seed in
                if let table {
                    return table.cells.contains { $0.arm == arm.name && $0.seed == seed }
                }
                do {
                    return try EvaluationJob.jobs(
                        of: experiment,
                        arm: arm.name,
                        seed: seed,
                        environment: environment
                    ).allSatisfy(\.record.isFinished)
                } catch {
                    // An arm whose traces are not there yet.
                    obstacle = obstacle ?? error
                    return false
                }
            }
        } catch { throw obstacle ?? error }
    }

    private func model(_ table: ScoreTable, _ layout: RunLayout, grader: String?) throws
        -> ReportModel
    {
        var model: ReportModel
        if experiment.grids.isEmpty {
            let builder = ReportBuilder(
                experiment: experiment,
                table: table,
                resamples: resamples
            )
            model = try builder.model()
            let analysis = try AnalysisFile("\(layout.resultsFolder)/analysis.json")
            model.traces = analysis.traces
            model.samples = analysis.samples
            model.losses = try LossFiles.curves(layout)
        } else {
            model = try SweepBuilder(experiment: experiment, table: table).model()
        }
        let layouts = try experiment.variants.map { RunLayout($0, environment: environment) }
        var lines = ReportManifest(
            experiment: experiment,
            surroundings: surroundings,
            layouts: layouts,
            grader: grader
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

    /// The samples that the report rests on, by the name of their stage.
    private func inputs() throws -> [(name: String, digest: String)] {
        try EvaluationJob.all(experiment, environment: environment).map { job in
            ("\(job.stage.kind.rawValue) \(job.label)", job.stage.hash)
        }
    }

    /// The samples that an earlier report rested on.
    private static func inputs(of manifest: JSON?) -> [(name: String, digest: String)] {
        manifest?["inputs"]?.object?.members.compactMap { name, digest in
            digest.string.map { (name, $0) }
        } ?? []
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
