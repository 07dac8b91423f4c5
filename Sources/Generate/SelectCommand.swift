import ArgumentParser
import Basics
import Experiments
import Programs
import Tracing

/// `rsd-generate select`: applies the trace filter again.
struct SelectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select",
        abstract: "Applies the trace filter to what has been generated.",
        discussion: """
            Answers are graded again from the stored text. Writes what each arm trains on, and prints \
            why tries were left out. External traces are taken as they are.
            """
    )

    @OptionGroup var options: ExperimentOptions

    func run() throws {
        Interrupts.install()
        let graphs = try options.graphs(isBorrowing: false)
        let tracing = TraceStages(ModelStore())
        let runner = StageRunner([.selection: tracing.select])
        var isEmpty = true
        for graph in graphs {
            try runner.run(graph)
            let selections = try tracing.selections(of: graph)
            try ArmSelection.print(selections, of: graph)
            if !selections.isEmpty { isEmpty = false }
        }
        if isEmpty, graphs.contains(where: { !$0.arms.isEmpty }) { throw options.nothingGenerated }
        if let empty = try graphs.emptyArms(in: options.experiment) { throw empty }
    }
}
