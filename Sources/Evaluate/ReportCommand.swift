import ArgumentParser
import Basics
import Experiments
import Programs
import Reports

/// `report`: tables, plots and a page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Compares the arms: tables, plots and one HTML page.",
        discussion: """
            Needs the samples of every arm and seed; --partial leaves out those that are not there \
            yet, and says so. --with-scores takes the counts of an earlier report for those, so \
            that the samples need not lie on one machine. Writes table.md, table.csv, plots and \
            report.html into the results folder, with the counts behind them in scores.jsonl, and \
            prints the table and the page's path.
            """
    )

    @OptionGroup var file: ExperimentFile
    @Flag(help: "Make the report again from the results folder's scores.jsonl alone.")
    var fromScores = false
    @Flag(
        help: "Take from scores.jsonl what has no samples here, if it was made as it would be now."
    )
    var withScores = false
    @Flag(help: "Compare what has been scored so far.") var partial = false

    func validate() throws {
        if fromScores && withScores {
            throw ValidationError("--from-scores and --with-scores exclude each other.")
        }
    }

    func run() throws {
        let report = ReportRun(
            experiment: try file.read(),
            counts: fromScores ? .scores : withScores ? .samplesElseScores : .samples,
            isPartial: partial
        )
        let (model, table) = try report.run()
        for warning in model.warnings { StandardError.write(line: "warning: \(warning)") }
        let folder = RunLayout(report.experiment).resultsFolder
        try StandardOutput.write("\(table)\nReport: \(folder)/report.html\n")
    }
}
