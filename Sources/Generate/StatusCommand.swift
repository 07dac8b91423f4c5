import ArgumentParser
import Basics
import Experiments
import Programs

/// `rsd-generate status`: how far an experiment has come.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far each stage of an experiment has come, from any machine.",
        discussion: """
            Reads the files of the runs alone and locks nothing. A stage is absent, running, started \
            (nobody is at work; the same command goes on), finished, or waits for an earlier one. Who is \
            at work is what the locks say: a process of another machine is shown until its lock is taken \
            again, even if that machine has died.
            """
    )

    @OptionGroup var options: ExperimentOptions

    func run() throws {
        let rows = try options.variants().flatMap { variant in
            try StageGraph(RunLayout(variant), arms: options.arms(of: variant)).nodes
                .map(StageStatus.init)
        }
        try StandardOutput.write(StageStatus.table(rows).text)
    }
}
