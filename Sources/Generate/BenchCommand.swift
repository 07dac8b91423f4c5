import ArgumentParser
import Basics
import Experiments
import Models
import Tracing

/// `rsd-generate bench`: how fast prompts are read and tokens are made.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures prompt and decode speed, and with both models RSD speed and acceptance."
    )

    @Option(
        help: ArgumentHelp("A .gguf file, Hugging Face folder or checkpoint.", valueName: "model")
    )
    var teacher: String
    @Option(help: ArgumentHelp("The same, for the student of RSD.", valueName: "model"))
    var student: String?
    @Option(help: ArgumentHelp("Sequences at once.", valueName: "n")) var batch = 8
    @Option(help: ArgumentHelp("Tokens of each prompt.", valueName: "n")) var promptTokens = 128
    @Option(help: ArgumentHelp("Tokens to make for each sequence.", valueName: "n")) var tokens = 64
    @Option(
        help: ArgumentHelp(
            "Tokens that the teacher drafts before the student checks them; the best if left out.",
            valueName: "k"
        )
    )
    var draftTokens: Int?
    @Option(help: "How matrices are kept: as in the file, in eight bits, or in float32.")
    var storage = WeightStorage.stored
    @Flag(
        help: """
            Print instead how many times as fast up to 128 threads could decode at most: a bound, \
            found by recording the parts of a step on one thread.
            """
    )
    var scaling = false
    @Flag(help: "Print one JSON object instead of a table.") var json = false

    func validate() throws {
        for (name, value, least) in [
            ("--batch", batch, 1), ("--prompt-tokens", promptTokens, 1), ("--tokens", tokens, 2),
        ] where !(least...65536).contains(value) {
            throw ValidationError("\(name) is \(value); expected \(least) to 65536")
        }
        if let draftTokens, !(1...64).contains(draftTokens) {
            throw ValidationError("--draft-tokens is \(draftTokens); expected 1 to 64")
        }
    }

    func run() throws {
        Interrupts.install()
        let teacher = try LanguageModel(teacher, storage: storage)
        let student = try student.map { path in
            path == self.teacher ? teacher : try LanguageModel(path, storage: storage)
        }
        let options = DecodingSpeed.Options(
            batch: batch,
            promptTokens: promptTokens,
            tokens: tokens,
            draftTokens: draftTokens
        )
        guard !scaling else {
            let table = try DecodingSpeed.scaling(of: teacher, options)
            try StandardOutput.write(json ? table.json.compact + "\n" : table.text)
            return
        }
        let speed = try DecodingSpeed.measure(teacher: teacher, student: student, options)
        try StandardOutput.write((json ? speed.json.compact : speed.text) + "\n")
    }
}
