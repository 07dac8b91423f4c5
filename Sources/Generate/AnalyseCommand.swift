import ArgumentParser
import Experiments
import Files

/// `rsd-generate analyse`: how likely the student finds what it is to be trained on.
struct AnalyseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyse",
        abstract: "Low-probability-token statistics of the arms' traces.",
        discussion: """
            Prints Markdown tables and writes analysis.json into the results folder. External traces \
            are scored with the student first.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Flag(help: "Print the statistics as JSON instead of tables.") var json = false

    func run() throws {
        var isEmpty = true
        for scope in try options.read() {
            guard let analysis = try scope.analyse(ModelStore()) else { continue }
            isEmpty = false
            // One arm's numbers must not take the place of all arms'.
            if options.arm == nil && options.seed == nil {
                let path = "\(scope.layout.resultsFolder)/analysis.json"
                try TextFile.write(analysis.json.pretty, to: path)
            }
            print(json ? analysis.json.pretty : analysis.markdown, terminator: "")
        }
        if isEmpty { throw Scope.nothingGenerated(options.experiment) }
    }
}
