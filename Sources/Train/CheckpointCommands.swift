import ArgumentParser
import Basics
import Checkpoints
import Experiments
import Models
import Tokenizers

/// `rsd-train verify`: checks a checkpoint's integrity.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every digest of a checkpoint."
    )

    @Argument(help: "Checkpoint, .h5.") var checkpoint: String

    func run() throws {
        let file = try HDF5Checkpoint.verify(checkpoint)
        let configuration = try ModelConfiguration(file.configuration)
        let (tensors, adapters) = (file.tensors.values, file.adapters.values)
        let count = (Array(tensors) + adapters).reduce(0) { $0 + $1.count }
        var facts = [
            configuration.family.rawValue,
            adapters.isEmpty ? "\(tensors.count) tensors" : "\(adapters.count) adapters",
            "\(count) parameters",
        ]
        if file.hasOptimizer { facts.append("optimizer state") }
        if let step = file.state["step"]?.integer { facts.append("step \(step)") }
        try StandardOutput.write("\(checkpoint): sound; \(facts.joined(separator: ", "))\n")
    }
}

/// `rsd-train export`: writes a Hugging Face folder.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a model as a Hugging Face folder that transformers and llama.cpp load.",
        discussion: "Adapters are merged into the model that they were trained on."
    )

    @Argument(help: "Checkpoint, .h5; .gguf files and folders are accepted too.")
    var checkpoint: String
    @Option(help: "Folder to write.") var to: String
    @Option(help: "Where the base model of adapters is now, if it has been moved.")
    var base: String?
    @Flag(help: "Store weights as bfloat16 instead of float32.") var bfloat16 = false

    func run() throws {
        let files = try ModelFiles.open(checkpoint, bases: base.map { [$0] } ?? [])
        // What cannot be loaded is not exported either: all tensors must be there, in their shapes.
        let model = try LanguageModel(files, storage: .stored, packsStored: false)
        try model.tokenizer.checkReadsBack(of: files.path)
        var export = try HuggingFaceExport(of: files, storage: bfloat16 ? .bfloat16 : .float32)
        if export.tokenizer == nil {
            export.tokenizer = model.tokenizer.toJSON()
            export.tokenizerConfiguration = model.tokenizer.configurationJSON
        }
        try export.write(to: to)
        try StandardOutput.write("\(to): written\n")
    }
}
