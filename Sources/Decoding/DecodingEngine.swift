import Files
import Kernels

/// Continues many prompts at once under a next-token rule.
///
/// Each step runs every model once, over the newest tokens of all sequences under way and a chunk of
/// the prompts being read, then decides one token a sequence. A finished sequence's place is taken
/// at once by the next try. A prompt is read once; its tries start from copies of its cache. The
/// last prompt token is left to the tries, so that each gets its own logits without storing any.
///
/// A try's tokens depend on the models, the rule, its prompt and its number alone: batch size,
/// neighbours and order of arrival change nothing but the order of delivery.
public final class DecodingEngine<Model: NextTokenModel> {
    /// How much is done at once.
    public struct Options: Sendable {
        /// Sequences decoded together.
        public var batchSize: Int
        /// The most prompt tokens read in one pass, over all prompts.
        public var promptRowsPerPass: Int

        /// Sets both.
        public init(batchSize: Int = 8, promptRowsPerPass: Int = 256) {
            self.batchSize = batchSize
            self.promptRowsPerPass = promptRowsPerPass
        }
    }

    let models: [Model]
    let rule: any NextTokenRule
    let stop: StopRules
    let options: Options
    private let decider: ParallelDecider

    /// Prepares to decode.
    ///
    /// - Parameters:
    ///   - models: One for each model of the rule, in its order: student first, then teacher.
    ///   - rule: How a token is chosen.
    ///   - stop: When a sequence is finished.
    ///   - options: How much is done at once.
    /// - Throws: `Failure` of kind badData if a tokenizer has more tokens than its model.
    public init(
        models: [Model],
        rule: any NextTokenRule,
        stop: StopRules,
        options: Options = Options()
    ) throws {
        precondition(
            models.count == rule.models.count,
            "DecodingEngine: \(models.count) models, the rule has \(rule.models.count)"
        )
        precondition(
            options.batchSize > 0 && options.promptRowsPerPass > 0,
            "DecodingEngine: batch \(options.batchSize), rows \(options.promptRowsPerPass)"
        )
        for (index, model) in models.enumerated()
        where rule.vocabularySize(of: index) > model.vocabularySize {
            throw Failure(
                .badData,
                "the \(rule.models[index])'s tokenizer has \(rule.vocabularySize(of: index)) "
                    + "tokens; expected at most its model's \(model.vocabularySize)",
                remedy: "Use the tokenizer that was published with the model."
            )
        }
        self.models = models
        self.rule = rule
        self.stop = stop
        self.options = options
        decider = ParallelDecider(rule: rule)
    }

    /// Makes every try of every request.
    ///
    /// - Parameters:
    ///   - requests: Read one at a time, as places become free.
    ///   - cancellation: Looked at before every step; when set, tries under way are dropped.
    ///   - progress: Called after every step.
    ///   - deliver: Called with each try as it finishes; what it throws ends the run.
    /// - Returns: What was done.
    /// - Throws: `Failure` of kind badData for an empty prompt or an id outside the vocabulary, of
    ///   kind failed for logits that are not numbers; whatever `deliver` and the models throw.
    @discardableResult
    public func run(
        _ requests: some Sequence<DecodingRequest>,
        cancellation: CancellationFlag? = nil,
        progress: ((DecodingProgress) -> Void)? = nil,
        deliver: (CompletedSequence) throws -> Void
    ) throws -> DecodingProgress {
        var queue = TryQueue(requests.makeIterator())
        var active: [Try] = []
        var prompts: [Prompt] = []
        var done = DecodingProgress()

        while true {
            if let cancellation, cancellation.isCancelled {
                done.wasCancelled = true
                return done
            }
            while active.count < options.batchSize, let next = try queue.next(admit) {
                guard hasRoom(next.prompt) else {
                    done.finishedSequences += 1
                    try deliver(next.completed(.promptTooLong))
                    continue
                }
                if prompts.last !== next.prompt && !isRead(next.prompt) {
                    prompts.append(next.prompt)
                }
                active.append(next)
            }
            guard !active.isEmpty else { return done }

            for sequence in active where !sequence.isStarted && isRead(sequence.prompt) {
                start(sequence)
            }
            let started = active.filter(\.isStarted)
            let rows = try runModels(started, reading: prompts, &done)
            prompts.removeAll(where: isRead)
            let decisions = try decider.decide(rows, keys: started.map(\.key))

            var finished: [CompletedSequence] = []
            for (sequence, decision) in zip(started, decisions) {
                done.count(decision)
                if let reason = append(decision, to: sequence) {
                    finished.append(sequence.completed(reason))
                }
            }
            active.removeAll(where: \.isFinished)
            done.steps += 1
            done.activeSequences = active.count
            done.finishedSequences += finished.count
            for completed in finished { try deliver(completed) }
            progress?(done)
        }
    }
}

extension DecodingEngine {
    typealias Prompt = PromptReading<Model.Cache>
    typealias Try = SequenceState<Model.Cache>
    typealias TryQueue<Requests: IteratorProtocol<DecodingRequest>> =
        DecodingQueue<Model.Cache, Requests>

    /// Checks a request and makes its empty caches.
    private func admit(_ request: DecodingRequest) throws -> Prompt {
        var tokens = [request.prompt]
        if models.count > 1 {
            tokens.append(request.teacherPrompt ?? [])
        }
        for index in tokens.indices where index == 0 || request.teacherPrompt != nil {
            let limit = Int32(rule.vocabularySize(of: index))
            if let bad = tokens[index].first(where: { $0 < 0 || $0 >= limit }) {
                throw Failure(
                    .badData,
                    at: "problem \(request.id)",
                    "the prompt has token \(bad); expected ids from 0 to \(limit - 1)"
                )
            }
        }
        if models.count > 1, request.teacherPrompt == nil {
            tokens[1] = request.prompt.flatMap { rule.spelling(of: $0, for: 1) }
        }
        guard request.attempts.allSatisfy((0..<0xFFFF).contains) else {
            throw Failure(
                .badData,
                at: "problem \(request.id)",
                "the tries are \(request.attempts); expected numbers from 0 to \(0xFFFE)"
            )
        }
        guard tokens.allSatisfy({ !$0.isEmpty }) else {
            throw Failure(.badData, at: "problem \(request.id)", "the prompt is empty")
        }
        return Prompt(request: request, tokens: tokens, caches: models.map { $0.makeCache() })
    }

    /// Whether at least one token may follow the prompt.
    private func hasRoom(_ prompt: Prompt) -> Bool {
        prompt.tokens.allSatisfy { $0.count < stop.maxTotalTokens }
    }

    /// Whether all but the last token of the prompt is in every model's cache.
    private func isRead(_ prompt: Prompt) -> Bool {
        prompt.tokens.indices.allSatisfy { prompt.readCounts[$0] == prompt.tokens[$0].count - 1 }
    }

    /// Gives a try its caches: copies of the prompt's, or the prompt's own if no other try follows.
    private func start(_ sequence: Try) {
        let prompt = sequence.prompt
        prompt.unstartedTries -= 1
        if prompt.unstartedTries > 0 {
            sequence.caches = zip(models, prompt.caches).map { $0.fork($1) }
        } else {
            sequence.caches = prompt.caches
            prompt.caches = []
        }
        sequence.pending = prompt.tokens.map { Array($0.suffix(1)) }
        sequence.lengths = prompt.tokens.map(\.count)
    }

    /// Feeds every model what is pending, and returns a row of logits a sequence and model.
    private func runModels(
        _ started: [Try],
        reading prompts: [Prompt],
        _ done: inout DecodingProgress
    ) throws -> [[Buffer<Float>]] {
        var rows = [[Buffer<Float>]](repeating: [], count: started.count)
        for (index, model) in models.enumerated() {
            var inputs = started.map {
                SequenceInput(tokens: $0.pending[index], cache: $0.caches[index])
            }
            var room = options.promptRowsPerPass
            for prompt in prompts {
                let tokens = prompt.tokens[index]
                let first = prompt.readCounts[index]
                let count = min(room, tokens.count - 1 - first)
                guard count > 0 else { continue }
                room -= count
                inputs.append(
                    SequenceInput(
                        tokens: Array(tokens[first..<first + count]),
                        cache: prompt.caches[index],
                        logitRows: 0
                    )
                )
                prompt.readCounts[index] += count
                if index == 0 { done.promptTokens += count }
            }
            guard !inputs.isEmpty else { continue }
            // The same model in two parts would overwrite its first answer with its second.
            let isReused = models.dropFirst(index + 1).contains { $0 === model }
            for (sequence, output) in zip(started.indices, try model.logits(inputs)) {
                guard let output else {
                    preconditionFailure("NextTokenModel.logits: no row for a sequence that asked")
                }
                let row = output.first(model.vocabularySize)
                rows[sequence].append(isReused ? row.copied() : row)
            }
        }
        return rows
    }

    /// Records a token, and tells whether the sequence is finished.
    private func append(_ decision: TokenDecision, to sequence: Try) -> FinishReason? {
        let token = decision.token
        sequence.decisions.append(decision)
        sequence.pending = models.indices.map { rule.spelling(of: token, for: $0) }
        for index in models.indices { sequence.lengths[index] += sequence.pending[index].count }
        sequence.isFinished = true
        if stop.endOfTurn.contains(token) { return .endOfTurn }
        if !stop.stopStrings.isEmpty {
            sequence.stopString = sequence.matcher.append(
                stop.bytes(of: token),
                stopStrings: stop.stopStrings
            )
            if sequence.stopString != nil { return .stopString }
        }
        if sequence.decisions.count >= stop.maxNewTokens { return .maxNewTokens }
        if sequence.lengths.contains(where: { $0 >= stop.maxTotalTokens }) {
            return .maxTotalTokens
        }
        sequence.isFinished = false
        return nil
    }
}

extension DecodingProgress {
    fileprivate mutating func count(_ decision: TokenDecision) {
        newTokens += 1
        refusedProposals += decision.refused.count
        if decision.reason == .accepted { acceptedTokens += 1 }
    }
}

extension Buffer<Float> {
    fileprivate func copied() -> Buffer<Float> {
        let copy = Buffer<Float>(count: count)
        copy.copy(from: self)
        return copy
    }
}
