import Tracing
import ArgumentParser
import Experiments
import Basics

/// `rsd-generate`: makes the traces that students are trained on.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rsd-generate",
        abstract: "Makes the reasoning traces that a student is trained on.",
        discussion: """
            A teacher and a student solve problems together, token by token; the tries whose answer \
            is right are kept. Data goes to standard output, progress to standard error. Exit codes: \
            0 done, 1 failed, 64 usage, 65 bad data, 66 missing input, 74 disk, 75 interrupted (the \
            same command goes on), 78 configuration.

            \(ProgramText.environment)
            """,
        version: ProgramText.version,
        subcommands: [
            RunCommand.self, SelectCommand.self, AnalyseCommand.self, BenchCommand.self,
            ContaminationCommand.self,
        ]
    )
}

/// Which part of an experiment a command works on.
struct ExperimentOptions: ParsableArguments {
    @Argument(help: "Experiment file, YAML.") var experiment: String
    @Option(help: ArgumentHelp("Only this arm; otherwise all.", valueName: "name"))
    var arm: String?
    @Option(help: ArgumentHelp("Only this seed; otherwise those of the file.", valueName: "n"))
    var seed: UInt64?

    /// The experiment's variants, the wanted seeds and the wanted arms of each.
    ///
    /// - Throws: `Failure` when the file is missing or has mistakes, or names no such arm.
    func read() throws -> [Scope] {
        let experiment = try Experiment.read(experiment)
        if let arm { _ = try experiment.arm(arm) }
        return try experiment.variants.map { variant in
            let variant = try variant.restricted(toSeed: seed)
            let arms = try arm.map { [try variant.arm($0)] } ?? variant.arms
            return Scope(layout: RunLayout(variant), arms: arms.filter { $0.kind != .base })
        }
    }
}

/// Reads `i/N`.
///
/// - Throws: `ValidationError` saying what is expected.
func parseShard(_ text: String) throws -> Shard {
    if let shard = Shard(text) { return shard }
    throw ValidationError("expected i/N with i from 1 to N, such as 2/3")
}
