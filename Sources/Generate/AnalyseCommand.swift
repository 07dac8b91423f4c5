import ArgumentParser
import Basics
import Experiments
import Models
import Programs
import Tracing

/// `rsd-generate analyse`: how likely the student finds what it is to be trained on.
struct AnalyseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyse",
        abstract: "Low-probability-token statistics of the arms' traces, or of a file's.",
        discussion: """
            Prints Markdown tables, the arms side by side, and writes analysis.json into the results \
            folder. External traces are scored with the student first. With --traces one file of \
            traces is scored instead, and nothing is written.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Option(
        help: ArgumentHelp(
            "Analyse this JSON Lines file of problem, answer and trace, with the experiment's "
                + "student and template.",
            valueName: "file"
        )
    ) var traces: String?
    @Option(help: "The member of the file's records that holds the text.") var member = "trace"
    @Option(help: ArgumentHelp("Only the first traces of each arm and seed.", valueName: "n"))
    var rows: Int?
    @Option(help: ArgumentHelp("Only the first tokens of each trace.", valueName: "n"))
    var tokens: Int?
    @Option(help: "stored keeps the student's weights as its file has them; float32 widens them.")
    var storage = WeightStorage.stored
    @Flag(help: "Print the statistics as JSON instead of tables.") var json = false

    func validate() throws {
        for (name, value) in [("--rows", rows), ("--tokens", tokens)] {
            guard let value, value < 1 else { continue }
            throw ValidationError("\(name) is \(value); expected at least 1")
        }
    }

    func run() throws {
        Interrupts.install()
        let graphs = try options.graphs(isBorrowing: false)
        let models = ModelStore(storage: storage)
        let limits = AnalysisLimits(rows: rows, tokens: tokens)
        if let traces, let graph = graphs.first {
            try show(try graph.layout.analyse(traces, member: member, models, limits))
            return
        }
        var isEmpty = true
        for graph in graphs {
            guard let analysis = try graph.layout.analyse(graph.arms, models, limits) else {
                continue
            }
            isEmpty = false
            // A part's numbers must not take the place of the whole's.
            let isWhole = [options.isWhole, rows == nil, tokens == nil]
            if isWhole.allSatisfy(\.self) {
                let path = "\(graph.layout.resultsFolder)/analysis.json"
                try TextFile.write(analysis.json.pretty, to: path)
            }
            try show(analysis)
        }
        // Arms of kind base have no traces, and an experiment may have no others.
        if isEmpty, graphs.contains(where: { !$0.arms.isEmpty }) { throw options.nothingGenerated }
    }

    private func show(_ analysis: ExperimentAnalysis) throws {
        try StandardOutput.write(json ? analysis.json.pretty : analysis.markdown)
    }
}
