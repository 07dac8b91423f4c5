import Basics
import Decoding
import Experiments
import Foundation
import Kernels
import Models
import Records
import Tokenizers

/// The speed of one rule, with all places of the batch taken.
struct DecodingMeasurement {
    /// Tokens made a second, all sequences together: the median over parts of the run, so that
    /// another process's moment does not count.
    var tokensPerSecond: Double
    /// The share of the teacher's proposals that the student accepted; nil without proposals.
    var acceptance: Double?
    /// The most common length of a draft.
    var draftTokens: Int
    /// Where the time went.
    var times: DecodingTimes

    /// Parts that a run is cut into.
    private static let parts = 9

    /// The share of the time that one kind of work took.
    func share(_ part: KeyPath<DecodingTimes, Double>) -> Double {
        times[keyPath: part] / max(times.total, 1e-9)
    }

    /// Decodes until every place of the batch has made its tokens, on average.
    ///
    /// The time begins when the prompts have been read and the first tokens made; where the length
    /// of drafts is chosen by measurement, when it has been found.
    /// - Throws: `Failure`; kind interrupted when asked to stop.
    init(
        _ model: LanguageModel,
        proposer: LanguageModel? = nil,
        _ rule: any NextTokenRule,
        _ requests: [DecodingRequest],
        _ options: DecodingSpeed.Options,
        endOfTurn: Set<Int32>
    ) throws {
        let engine = try DecodingEngine(
            model: model,
            proposer: proposer.map { LocalProposer($0) },
            rule: rule,
            // Sequences that end together would begin together, all without a pass.
            stop: StopRules(endOfTurn: endOfTurn),
            options: .init(batchSize: options.batch, draftTokens: options.draftTokens)
        )
        let searching =
            proposer != nil && options.draftTokens == nil ? DraftLength.searchRounds : 0
        let cancellation = CancellationFlag()
        var marks: [(seconds: Double, done: DecodingProgress)] = []
        let last = try engine.run(
            requests,
            cancellation: cancellation,
            progress: { done in
                if done.newTokens >= options.batch, done.steps > searching {
                    marks.append((ProcessInfo.processInfo.systemUptime, done))
                }
                let made = done.newTokens - (marks.first?.done.newTokens ?? done.newTokens)
                if made >= options.batch * options.tokens || Interrupts.isRequested {
                    cancellation.cancel()
                }
            },
            deliver: { _ in }
        )
        try Interrupts.check()
        tokensPerSecond = Self.medianRate(marks.map { ($0.seconds, $0.done.newTokens) })
        let proposals = last.acceptedTokens + last.refusedProposals
        acceptance = proposals > 0 ? Double(last.acceptedTokens) / Double(proposals) : nil
        draftTokens = last.stepsByDraftLength.max { $0.value < $1.value }?.key ?? 1
        times = last.times
    }

    /// The median over parts of equal length of tokens a second.
    static func medianRate(_ marks: [(seconds: Double, tokens: Int)]) -> Double {
        guard marks.count > 1 else { return 0 }
        let parts = min(parts, marks.count - 1)
        let bounds = (0...parts).map { marks[$0 * (marks.count - 1) / parts] }
        let rates = zip(bounds, bounds.dropFirst()).map { from, to in
            Double(to.tokens - from.tokens) / max(to.seconds - from.seconds, 1e-9)
        }
        return rates.sorted()[rates.count / 2]
    }
}

/// The speed of reading prompts.
enum PromptMeasurement {
    /// Tokens a second, the median of three times over all prompts, in passes of as many rows as
    /// the engine takes.
    static func rate(_ model: LanguageModel, _ prompts: [[Int32]]) throws -> Double {
        let seconds = try (0..<3).map { _ in try time(model, prompts) }.sorted()[1]
        return Double(prompts.joined().count) / max(seconds, 1e-9)
    }

    private static func time(_ model: LanguageModel, _ prompts: [[Int32]]) throws -> Double {
        let caches = prompts.map { _ in model.makeCache() }
        let rows = LanguageModel.rowsPerPass
        let start = ProcessInfo.processInfo.systemUptime
        var inputs: [SequenceInput] = []
        var room = rows
        for (prompt, cache) in zip(prompts, caches) {
            var rest = prompt[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(room))
                rest = rest.dropFirst(part.count)
                room -= part.count
                inputs.append(
                    SequenceInput(tokens: part, cache: cache, logitRows: rest.isEmpty ? 1 : 0)
                )
                if room == 0 {
                    _ = try model.logits(inputs)
                    (inputs, room) = ([], rows)
                    try Interrupts.check()
                }
            }
        }
        if !inputs.isEmpty { _ = try model.logits(inputs) }
        return ProcessInfo.processInfo.systemUptime - start
    }
}

/// A problem for a teacher and a student to agree on.
enum BenchQuestion {
    /// A question in the words of both vocabularies; nil where neither chat nor a chain is known.
    static func encoded(_ student: LanguageModel, _ teacher: LanguageModel)
        -> (student: [Int32], teacher: [Int32])?
    {
        let text =
            "A shop sells pens at 3 dollars and books at 12 dollars. Ann buys 4 pens and 2 "
            + "books and pays with a 50 dollar note. How much change does she get?"
        let templates: [(PromptTemplate, String)] = [
            (.chatML(), text), (.plain, text), (.plain, "7-5*4-8?"),
        ]
        for (template, problem) in templates {
            if let own = try? template.encode(problem: problem, with: student.tokenizer),
                let other = try? template.encode(problem: problem, with: teacher.tokenizer)
            {
                return (own, other)
            }
        }
        return nil
    }
}
