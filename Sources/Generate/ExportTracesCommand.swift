import ArgumentParser
import Basics
import Experiments
import Programs
import Tracing

/// `rsd-generate export-traces`: selected traces for another trainer.
struct ExportTracesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-traces",
        abstract: "Writes what an arm trains on as TRL, axolotl and LLaMA-Factory read it.",
        discussion: """
            messages: conversations, for the model's own chat template. prompt-completion: the prompt as \
            the experiment's template has it, and the reply with its end of turn, on which alone the loss \
            is. text: both as one text, with a loss on all of it. Traces with losses of single tokens are \
            refused: no format tells them. docs/cluster.md has a command for each trainer.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Option(help: "messages, prompt-completion or text.") var format: TrainerFormat
    @Option(help: ArgumentHelp("The file to write.", valueName: "file")) var to: String

    func validate() throws {
        if options.arm == nil { throw ValidationError("Missing expected argument '--arm <name>'") }
    }

    func run() throws {
        let variants = try options.variants()
        guard variants.count == 1, let variant = variants.first, variant.seeds.count == 1,
            let arm = try options.arms(of: variant).first
        else {
            throw ValidationError(
                "a file holds the traces of one seed and one variant; give --seed"
                    + (variants.count > 1 ? " and --variant" : "")
            )
        }
        let count = try TraceExport(RunLayout(variant), ModelStore())
            .write(arm, seed: variant.seeds[0], as: format, to: to)
        StandardError.write(line: "\(to): \(count) traces")
    }
}

extension TrainerFormat: ExpressibleByArgument {}
