import ArgumentParser
import Experiments
import Files

/// `rsd-train`: turns traces into trained students.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rsd-train",
        abstract: "Fine-tunes students on reasoning traces.",
        discussion: """
            Data goes to standard output, progress to standard error. Exit codes: 0 done, 1 failed, \
            64 usage, 65 bad data, 66 missing input, 74 disk, 75 interrupted (the same command goes \
            on), 78 configuration.
            """,
        subcommands: [RunCommand.self, BenchCommand.self, VerifyCommand.self, ExportCommand.self]
    )

    /// Parses the command line, works, and ends the process with the contract's exit code.
    static func start() {
        CommandLineMain.run {
            do {
                var command = try parseAsRoot()
                try command.run()
            } catch let failure as Failure {
                throw failure
            } catch {
                // Help and usage errors, worded and numbered by the parser.
                exit(withError: error)
            }
        }
    }
}
