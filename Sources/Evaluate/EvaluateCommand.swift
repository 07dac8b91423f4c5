import ArgumentParser
import Basics
import Experiments
import Models
import Programs

/// `rsd-evaluate`: samples, grades and reports; and small tools around models and answers.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rsd-evaluate",
        abstract: "Scores the students of an experiment and reports what the scores say.",
        discussion: """
            Data goes to standard output, progress and messages to standard error. Exit codes: 0, \
            1 failed, 64 usage, 65 bad data, 66 missing input, 74 disk, 75 interrupted (the same \
            command goes on), 78 configuration.

            \(ProgramText.environment)
            """,
        version: ProgramText.version,
        subcommands: [
            RunCommand.self, RescoreCommand.self, ReportCommand.self, CompareCommand.self,
            GradeCommand.self,
            TokenizeCommand.self, LogprobsCommand.self, SampleCommand.self,
        ]
    )
}

/// Which model a tool works with.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A .gguf file, a Hugging Face folder or an .h5 checkpoint.",
            valueName: "path"
        )
    ) var model: String
    @Option(
        help: ArgumentHelp(
            "Where the base model of adapters is now, if it has been moved.",
            valueName: "path"
        )
    ) var base: String?

    /// Loads the model.
    ///
    /// - Throws: As `LanguageModel.init(_:storage:bases:)`.
    func load(storage: WeightStorage) throws -> LanguageModel {
        try LanguageModel(model, storage: storage, bases: base.map { [$0] } ?? [])
    }
}
