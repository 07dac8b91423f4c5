import ArgumentParser
import Basics
import ChatTemplates
import Decoding
import Experiments
import Models
import Scoring
import Tokenizers

/// `sample`: one completion of a prompt, written as it is made.
struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Completes one prompt.",
        discussion: """
            A model that comes with a chat template gets the prompt as a user's turn by it; with \
            --raw any model simply continues the text. Text is written as it is made; Ctrl-C ends \
            it there.
            """
    )

    @OptionGroup var options: ModelOptions
    @Option(help: "The prompt.") var prompt: String
    @Option(help: "A system message, for models with a chat template.") var system: String?
    @Option(help: "Divides the logits; 0 always takes the most likely token.")
    var temperature = 0.0
    @Option(help: "Keeps the most likely tokens up to this share of the probability.")
    var topP = 1.0
    @Option(help: "Keeps this many of the most likely tokens; 0 keeps all.") var topK = 0
    @Option(help: "Most tokens to make.") var maxTokens = 256
    @Option(help: "Decides the random numbers.") var seed: UInt64 = 1
    @Flag(help: "Continue the prompt as it is, with special tokens in it parsed.") var raw = false
    @Flag(help: "Tell the chat template that the model is not to think.") var noThinking = false

    func validate() throws {
        guard maxTokens > 0 else { throw ValidationError("--max-tokens must be at least 1.") }
        guard topK >= 0 else { throw ValidationError("--top-k must not be negative.") }
        do { try parameters.validate() } catch let failure as Failure {
            throw ValidationError(failure.message + ".")
        }
    }

    private var parameters: SamplingParameters {
        SamplingParameters(temperature: temperature, topK: topK == 0 ? nil : topK, topP: topP)
    }

    func run() throws {
        // Nothing is resumed, so a signal ends it at once; what was made stands on the screen.
        let model = try options.load(storage: .stored)
        let ids = try Self.promptTokens(
            prompt,
            system: system,
            raw: raw,
            thinks: noThinking ? false : nil,
            model.tokenizer
        )
        let stop = StopRules(endOfTurn: [], maxNewTokens: maxTokens)
        try model.checkContext(
            stop.longestSequence(afterPrompt: ids.count),
            "lower --max-tokens"
        )
        let completion = Completion(model, parameters, seed: seed)
        try completion.run(ids, maxTokens: maxTokens) { bytes in
            try StandardOutput.write(bytes)
        }
        try StandardOutput.write("\n")
    }

    /// The prompt as the model gets it.
    ///
    /// - Throws: `Failure` when it is empty or the vocabulary cannot spell it.
    static func promptTokens(
        _ prompt: String,
        system: String?,
        raw: Bool,
        thinks: Bool? = nil,
        _ tokenizer: Tokenizer
    ) throws -> [Int32] {
        var ids: [Int32]
        if !raw, tokenizer.chatTemplate != nil {
            let system = system.map { [ChatMessage(role: "system", content: $0)] } ?? []
            var options = ChatTemplate.Options()
            options.enablesThinking = thinks
            let messages = system + [ChatMessage(role: "user", content: prompt)]
            ids = try tokenizer.prompt(messages, options).encode(problem: "", with: tokenizer)
        } else {
            ids = try tokenizer.encode(prompt, specialTokens: .parse)
            if tokenizer.addsBOS, let bos = tokenizer.bosID, ids.first != bos {
                ids.insert(bos, at: 0)
            }
        }
        guard !ids.isEmpty else {
            throw Failure(.badData, at: "--prompt", "is empty; expected some text")
        }
        return ids
    }
}
