import Tracing
import ArgumentParser
import Experiments
import Basics

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
        let scopes = try options.read()
        var isEmpty = true
        let models = ModelStore()
        for scope in scopes {
            let selections = try scope.select(models)
            try scope.report(selections)
            if !selections.isEmpty { isEmpty = false }
        }
        if isEmpty, scopes.contains(where: { !$0.arms.isEmpty }) {
            throw Scope.nothingGenerated(options.experiment)
        }
        if let empty = try scopes.flatMap({ try $0.emptyArms }).failure(in: options.experiment) {
            throw empty
        }
    }
}
