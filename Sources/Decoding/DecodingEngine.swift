import Basics
import Kernels

/// Continues many prompts at once under a next-token rule.
///
/// Each round, the teacher drafts up to K tokens for every sequence under way, one pass a token; the
/// student reads the drafts in one pass; then tokens are decided position by position, and a
/// sequence's round ends where the decision is not the drafted token. What the models read beyond
/// that is taken back. With K = 1, and for rules of one model, a round is one pass of each model and
/// one token a sequence.
///
/// Prompts are read in chunks beside the sequences under way, each problem's once: its tries share
/// the cache and begin with the same row of logits. A finished sequence's place is taken at once by
/// the next try.
///
/// A try's tokens depend on the models, the rule, its prompt and its number alone: batch size,
/// neighbours, order of arrival and K change nothing but the order of delivery.
public final class DecodingEngine<Model: NextTokenModel> {
    /// How much is done at once.
    public struct Options: Sendable {
        /// Sequences decoded together.
        public var batchSize: Int
        /// The most prompt tokens read in one pass, over all prompts.
        public var promptRowsPerPass: Int
        /// The most tokens the teacher drafts before the student checks them; nil chooses by
        /// measurement.
        public var draftTokens: Int?

        /// Sets all.
        public init(batchSize: Int = 8, promptRowsPerPass: Int = 256, draftTokens: Int? = nil) {
            self.batchSize = batchSize
            self.promptRowsPerPass = promptRowsPerPass
            self.draftTokens = draftTokens
        }
    }

    let models: [Model]
    let rule: any NextTokenRule
    let stop: StopRules
    let options: Options

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
            options.batchSize > 0 && options.promptRowsPerPass > 0 && options.draftTokens != 0,
            "DecodingEngine: batch \(options.batchSize), rows \(options.promptRowsPerPass), "
                + "draft \(options.draftTokens ?? 0)"
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
        var lengths = DraftLength(models.count > 1 ? options.draftTokens : 1)

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
                if prompts.last !== next.prompt && !next.prompt.isRead {
                    prompts.append(next.prompt)
                }
                active.append(next)
            }
            guard !active.isEmpty else { return done }

            let length = lengths.next(sequences: active.count)
            let before = done.times.total
            try runModels(active.filter(\.isStarted), draftTokens: length, prompts, &done)
            for sequence in active where !sequence.isStarted && sequence.prompt.isRead {
                start(sequence)
            }
            let started = active.filter(\.isStarted)
            let decisions = try decide(started, &done)
            if prompts.isEmpty && started.count == active.count {
                lengths.note(length: length, seconds: done.times.total - before)
            }
            prompts.removeAll(where: \.isRead)

            var finished: [CompletedSequence] = []
            for (sequence, decisions) in zip(started, decisions) {
                for (place, decision) in decisions.enumerated() {
                    done.count(decision)
                    let isKept =
                        place < sequence.draft.count
                        && sequence.draft[place].token == decision.token
                    sequence.keptRun = isKept ? sequence.keptRun + 1 : 0
                    lengths.count(run: sequence.keptRun)
                    if let reason = append(decision, to: sequence) {
                        finished.append(sequence.completed(reason))
                        break
                    }
                }
                takeBack(sequence)
            }
            active.removeAll(where: \.isFinished)
            done.steps += 1
            done.stepsByDraftLength[length, default: 0] += 1
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

    /// Gives a try its caches, shared with the prompt's other tries, and its first row of logits.
    private func start(_ sequence: Try) {
        let prompt = sequence.prompt
        prompt.unstartedTries -= 1
        sequence.lengths = prompt.tokens.map(\.count)
        sequence.pending = models.map { _ in [] }
        sequence.rows = prompt.rows.prefix(1).compactMap(\.self)
        sequence.teacherRow = prompt.rows.count > 1 ? prompt.rows[1] : nil
        if prompt.unstartedTries > 0 {
            sequence.caches = zip(models, prompt.caches).map { $0.fork($1) }
        } else {
            sequence.caches = prompt.caches
            prompt.caches = []
            prompt.rows = []
        }
    }

    /// Records a token, and tells whether the sequence is finished.
    private func append(_ decision: TokenDecision, to sequence: Try) -> FinishReason? {
        let token = decision.token
        sequence.decisions.append(decision)
        sequence.pending = models.indices.map { rule.spelling(of: token, for: $0) }
        for index in models.indices { sequence.lengths[index] += sequence.pending[index].count }
        sequence.isFinished = true
        if stop.endOfTurn.contains(token) { return .endOfTurn }
        if sequence.decisions.count >= stop.maxNewTokens { return .maxNewTokens }
        if sequence.lengths.contains(where: { $0 >= stop.maxTotalTokens }) {
            return .maxTotalTokens
        }
        sequence.isFinished = false
        return nil
    }

    /// Takes back what the models have read of a draft beyond the tokens that were kept.
    private func takeBack(_ sequence: Try) {
        sequence.draft = []
        sequence.rows = []
        guard !sequence.isFinished else { return }
        for (index, model) in models.enumerated() {
            model.truncate(
                sequence.caches[index],
                to: sequence.lengths[index] - sequence.pending[index].count
            )
        }
    }
}

extension DecodingProgress {
    fileprivate mutating func count(_ decision: TokenDecision) {
        newTokens += 1
        refusedProposals += decision.refused.count
        if decision.reason == .accepted { acceptedTokens += 1 }
    }
}
