import ArgumentParser
import Experiments

/// The program that turns traces into trained students.
@main
struct TrainProgram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rsd-train",
        abstract: "Fine-tune students on reasoning traces.",
        subcommands: [RunCommand.self, BenchCommand.self, VerifyCommand.self, ExportCommand.self]
    )

    static func main() {
        CommandLineMain.run {
            do {
                var command = try parseAsRoot()
                try command.run()
            } catch  where !CommandLineMain.isFailure(error) {
                // Usage errors and --help are the parser's own.
                exit(withError: error)
            }
        }
    }
}
