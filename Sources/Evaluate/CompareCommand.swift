import ArgumentParser
import Basics
import Experiments
import Reports

/// `compare`: runs of different experiments side by side.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares runs of different experiments by their stored scores.",
        discussion: """
            A RUN is a results folder, its scores.jsonl or an experiment file; RUN:ARM picks one \
            arm. Each arm of a later run is compared with the arm of the same name of the first \
            one, or with the arm picked there. Equal questions are paired; where the questions \
            differ the comparison is unpaired and says so.
            """
    )

    @Argument(help: ArgumentHelp("Two runs or more.", valueName: "run")) var runs: [String]

    func validate() throws {
        guard runs.count > 1 else { throw ValidationError("Give at least two runs.") }
    }

    func run() throws {
        var compared = try runs.map { try ComparedRun($0) }
        // Runs of one name, such as two folders of one experiment, are told apart by their paths.
        let names = compared.map(\.name)
        for index in compared.indices where names.count(where: { $0 == names[index] }) > 1 {
            compared[index].name = runs[index]
        }
        try StandardOutput.write(RunComparison(runs: compared).markdown())
    }
}
