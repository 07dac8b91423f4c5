import ArgumentParser
import Basics
import Experiments
import Models
import Programs

/// `logprobs`: how likely a model finds given tokens.
struct LogprobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logprobs",
        abstract: "Scores token sequences under a model.",
        discussion: """
            Reads JSON lines {"ids"} and writes {"logprobs", "argmax"}: the natural-log \
            probability of each token after the first, given those before it, and the most likely \
            token behind each position.
            """
    )

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("JSON Lines file; - for standard input.", valueName: "file"))
    var input: String
    @Option(help: "stored keeps the weights as the file has them; float32 widens them.")
    var storage = WeightStorage.stored

    func run() throws {
        let model = try options.load(storage: storage)
        let scoring = SequenceScoring(model)
        let sequences = try JSONLines.read(StandardInput.path(input)) { record in
            try scoring.checked(record.integers("ids"))
        }
        for ids in sequences {
            let scores = scoring.score(ids)
            try StandardOutput.write(lines: [
                ["logprobs": .numbers(scores.logProbabilities), "argmax": .integers(scores.argmax)]
            ])
        }
    }
}
