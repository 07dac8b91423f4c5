import ArgumentParser
import Experiments
import Files

/// `report`: tables, plots and a page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Compares the arms: tables, plots and one HTML page.",
        discussion: """
            Needs the samples of every arm and seed; --partial leaves out those that are not there \
            yet, and says so. Writes table.md, table.csv, plots and report.html into the results \
            folder, with the counts behind them in scores.jsonl, and prints the table and the \
            page's path.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Flag(help: "Make the report again from the results folder's scores.jsonl alone.")
    var fromScores = false
    @Flag(help: "Compare what has been scored so far.") var partial = false

    func run() throws {
        let report = ReportRun(
            experiment: try options.read(),
            surroundings: RunEnvironment.surroundings(),
            fromScores: fromScores,
            isPartial: partial
        )
        let (_, table) = try report.run()
        let folder = RunLayout(report.experiment).resultsFolder
        try StandardOutput.write("\(table)\nReport: \(folder)/report.html\n")
    }
}
