import ArgumentParser
import Basics
import Experiments
import Programs
import Tracing

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
            RunCommand.self, SubmitCommand.self, StatusCommand.self, SelectCommand.self,
            TargetsCommand.self, ExportTracesCommand.self, AnalyseCommand.self,
            BenchCommand.self, ContaminationCommand.self, KeysCommand.self,
        ]
    )
}

extension ExperimentOptions {
    /// The graphs of the wanted variants with what their traces and selections need.
    ///
    /// - Throws: `Failure` when the file is missing or has mistakes, or has no such arm, seed or
    ///   variant.
    func graphs(isBorrowing: Bool) throws -> [StageGraph] {
        try variants().map { variant in
            let arms = try arms(of: variant)
            if arm != nil, let found = arms.first(where: { $0.kind == .onPolicy }) {
                throw nothingToGenerate(found)
            }
            return try StageGraph(
                RunLayout(variant),
                arms: arms.filter(\.isSelected),
                goals: [.traces, .selection],
                isBorrowing: isBorrowing
            )
        }
    }

    /// What to say of an arm that is asked for by name and has no traces.
    private func nothingToGenerate(_ arm: Arm) -> Failure {
        Failure(
            .configuration,
            file: experiment,
            at: "arms.\(arm.name)",
            "nothing is generated for an arm of kind \(arm.kind.rawValue): its student writes what "
                + "it is trained on while it is trained",
            remedy: "Train it: rsd-train run \(experiment) --arm \(arm.name)"
        )
    }

    /// What to say where no arm has any traces.
    var nothingGenerated: Failure {
        Failure(
            .missingInput,
            file: experiment,
            "no traces have been generated yet",
            remedy: "Generate them: rsd-generate run \(experiment)"
        )
    }
}

extension ArmSelection {
    /// Prints the table of a graph's selections.
    ///
    /// - Throws: `Failure.disk`.
    static func print(_ selections: [ArmSelection], of graph: StageGraph) throws {
        guard !selections.isEmpty else { return }
        let variant = graph.layout.experiment.variant?.name
        let heading = variant.map { "\n\($0.printable)\n\n" } ?? ""
        try StandardOutput.write(heading + table(selections).text)
    }
}
