import ArgumentParser
import Experiments

/// `rsd-generate keys`: the reference of an experiment file.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Prints every key of an experiment file, with its default and its meaning."
    )

    func run() throws { try StandardOutput.write(ExperimentReference.markdown) }
}
