import ArgumentParser
import Basics
import Experiments
import Programs

/// `rsd-train`: turns traces into trained students.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rsd-train",
        abstract: "Fine-tunes students on reasoning traces.",
        discussion: """
            Data goes to standard output, progress to standard error. Exit codes: 0 done, 1 failed, \
            64 usage, 65 bad data, 66 missing input, 74 disk, 75 interrupted (the same command goes \
            on), 78 configuration.

            \(ProgramText.environment)
            """,
        version: ProgramText.version,
        subcommands: [RunCommand.self, BenchCommand.self, VerifyCommand.self, ExportCommand.self]
    )
}
