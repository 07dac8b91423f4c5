import Basics
import Foundation
import TestSupport
import Tokenizers

/// A text format: damaged copies of some texts, put in a file and read.
struct TextSubject: FuzzSubject {
    private let path: String
    private let mutator: TextMutator
    private let read: (_ path: String, _ random: inout SplitMix) throws -> Void

    /// Reads the seeds, which have to be read without failure.
    ///
    /// - Parameters:
    ///   - path: Where inputs are put.
    ///   - seeds: Whole texts.
    ///   - words: What may stand in place of a word, beside the usual.
    ///   - read: Reads the file and uses what is in it.
    /// - Throws: What `read` throws for a seed.
    init(
        _ path: String,
        seeds: [String],
        words: [String] = [],
        read: @escaping (_ path: String, _ random: inout SplitMix) throws -> Void
    ) throws {
        self.path = path
        self.read = read
        mutator = TextMutator(seeds, words: words)
        for seed in seeds {
            try Data(seed.utf8).write(to: URL(filePath: path))
            var random = SplitMix(state: 1)
            try read(path, &random)
        }
    }

    func input(_ random: inout SplitMix) -> [UInt8] { mutator.next(&random) }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        try Data(input).write(to: URL(filePath: path))
        try read(path, &random)
    }
}

/// Prompt templates: what is rendered is what the tokens say.
struct TemplateSubject: FuzzSubject {
    private let mutator: TextMutator
    private let tokenizer: Tokenizer

    init() throws {
        tokenizer = try Tokenizer(json: TinyModel.tokenizerJSON)
        let turns = PromptTemplate.chatML().parts.map { part in
            if case .markup(let text) = part { text } else { "{problem}" }
        }
        mutator = TextMutator(
            turns + ["{problem}{problem}", "Q: {problem}\nA:", "<|im_end|>"],
            words: ["{problem}", "<|im_start|>", "<|", "|>", "<|x|>", "{problem"]
        )
    }

    func input(_ random: inout SplitMix) -> [UInt8] {
        (0..<5).map { _ in mutator.next(&random) }.joined(separator: [0]).map(\.self)
    }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        var parts = input.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        while parts.count < 5 { parts.append("") }
        let template = PromptTemplate(
            PromptTemplate(text: parts[1]).parts + [.message(parts[0])]
                + PromptTemplate(text: parts[2] + parts[3]).parts,
            endOfTurn: parts[4].isEmpty ? nil : parts[4]
        )
        let problem = random.pick([parts[0], parts[4], "the <|im_end|> {problem}"])
        let rendered = template.render(problem: problem)
        let ids = try template.encode(problem: problem, with: tokenizer)
        guard tokenizer.decode(ids, skipSpecial: false) == Array(rendered.utf8) else {
            throw FuzzFault("the tokens of the prompt are not its text")
        }
        // Most words end no turn.
        _ = try? template.encode(completion: problem, with: tokenizer)
    }
}
