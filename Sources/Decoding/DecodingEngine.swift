import Basics
import Foundation
import Kernels
import Models
import Records

/// Continues many prompts at once under a next-token rule.
///
/// Each round, the proposer drafts up to K tokens for every sequence under way; the model reads the
/// drafts in one pass; then tokens are decided position by position, and a sequence's round ends
/// where the decision is not the drafted token. What was read beyond that is taken back. With K = 1,
/// and for rules without proposer, a round is one pass of each model and one token a sequence.
///
/// Prompts are read in chunks beside the sequences under way, each problem's once: its tries share
/// the cache and begin with the same row of logits. A finished sequence's place is taken at once by
/// the next try.
///
/// A try's tokens depend on the models, the rule, its prompt and its number alone: batch size,
/// neighbours, order of arrival and K change nothing but the order of delivery. (A proposer that
/// draws tokens itself answers for this itself.)
public final class DecodingEngine {
    /// How much is done at once.
    public struct Options: Sendable {
        /// Sequences decoded together.
        public var batchSize: Int
        /// The most prompt tokens that the model reads in one pass, over all prompts.
        public var promptRowsPerPass: Int
        /// The most tokens drafted before they are checked; nil chooses by measurement.
        public var draftTokens: Int?

        /// Sets all.
        public init(
            batchSize: Int = 8,
            promptRowsPerPass: Int = LanguageModel.rowsPerPass,
            draftTokens: Int? = nil
        ) {
            self.batchSize = batchSize
            self.promptRowsPerPass = promptRowsPerPass
            self.draftTokens = draftTokens
        }
    }

    private let reader: ModelReader
    private let proposer: (any Proposer)?
    private let rule: any NextTokenRule
    private let stop: StopRules
    private let options: Options

    /// Prepares to decode.
    ///
    /// - Parameters:
    ///   - model: The model that chooses.
    ///   - proposer: Who proposes, for a rule that needs it.
    ///   - rule: How a token is chosen.
    ///   - stop: When a sequence is finished.
    ///   - options: How much is done at once.
    /// - Throws: `Failure` of kind badData if a tokenizer has more tokens than its model.
    public init(
        model: any NextTokenModel,
        proposer: (any Proposer)? = nil,
        rule: any NextTokenRule,
        stop: StopRules,
        options: Options = Options()
    ) throws {
        precondition(
            (proposer != nil) == (rule.proposerVocabularySize != nil),
            "DecodingEngine: a proposer and a rule without one, or the other way round"
        )
        precondition(
            options.batchSize > 0 && options.draftTokens != 0,
            "DecodingEngine: batch \(options.batchSize), draft \(options.draftTokens ?? 0)"
        )
        func check(_ name: String, _ tokens: Int, _ rows: Int) throws {
            guard tokens > rows else { return }
            throw Failure(
                .badData,
                "the \(name)'s tokenizer has \(tokens) tokens; expected at most its model's \(rows)",
                remedy: "Use the tokenizer that was published with the model."
            )
        }
        try check(rule.source.name, rule.vocabularySize, model.vocabularySize)
        if let tokens = rule.proposerVocabularySize, let rows = proposer?.vocabularySize {
            try check((rule.recordsProposer ? TokenSource.student : .teacher).name, tokens, rows)
        }
        reader = ModelReader(model, promptRowsPerPass: options.promptRowsPerPass)
        self.proposer = proposer
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
        var queue = DecodingQueue(requests.makeIterator())
        var active: [SequenceState] = []
        var prompts: [AdmittedPrompt] = []
        var done = DecodingProgress()
        var lengths = DraftLength(proposer != nil ? options.draftTokens : 1)

        while true {
            if let cancellation, cancellation.isCancelled {
                done.wasCancelled = true
                return done
            }
            while active.count < options.batchSize, let next = try queue.next(admit) {
                guard next.lengths.allSatisfy({ $0 < stop.maxTotalTokens }) else {
                    done.finishedSequences += 1
                    try deliver(next.completed(.length))
                    continue
                }
                if prompts.last !== next.prompt && !isRead(next.prompt) {
                    prompts.append(next.prompt)
                }
                active.append(next)
            }
            guard !active.isEmpty else { return done }

            let length = lengths.next(sequences: active.count)
            let before = done.times.total
            try runModels(active.filter(\.isStarted), draftTokens: length, prompts, &done)
            try start(active.filter { !$0.isStarted && isRead($0.prompt) }, &done)
            let started = active.filter(\.isStarted)
            let decisions = try decide(started, &done)
            if prompts.isEmpty && started.count == active.count {
                lengths.note(length: length, seconds: done.times.total - before)
            }
            prompts.removeAll(where: isRead)

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
                        sequence.isFinished = true
                        finished.append(sequence.completed(reason))
                        break
                    }
                }
                sequence.endRound()
            }
            active.removeAll(where: \.isFinished)
            done.steps += 1
            done.stepsByDraftLength[length, default: 0] += 1
            done.finishedSequences += finished.count
            for completed in finished { try deliver(completed) }
            progress?(done)
        }
    }

    /// Checks a request.
    private func admit(_ request: DecodingRequest) throws -> AdmittedPrompt {
        func failure(_ message: String) -> Failure {
            Failure(.badData, at: "problem \(request.id)", message)
        }
        func check(_ tokens: [Int32], _ limit: Int) throws {
            guard let bad = tokens.first(where: { $0 < 0 || $0 >= limit }) else { return }
            throw failure("the prompt has token \(bad); expected ids from 0 to \(limit - 1)")
        }
        var (prompt, proposerPrompt) = (request.prompt, [Int32]?.none)
        if let limit = rule.proposerVocabularySize {
            let recorded = rule.recordsProposer ? limit : rule.vocabularySize
            try check(request.prompt, recorded)
            let other =
                request.teacherPrompt
                ?? request.prompt.flatMap(
                    rule.recordsProposer ? rule.modelTokens(for:) : rule.proposerTokens(for:)
                )
            proposerPrompt = rule.recordsProposer ? request.prompt : other
            if rule.recordsProposer { prompt = other }
            try check(proposerPrompt ?? [], limit)
        }
        try check(prompt, rule.vocabularySize)
        guard request.attempts.allSatisfy((0..<0xFFFF).contains) else {
            throw failure(
                "the tries are \(request.attempts); expected numbers from 0 to \(0xFFFE)"
            )
        }
        guard !prompt.isEmpty, proposerPrompt?.isEmpty != true else {
            throw failure("the prompt is empty")
        }
        return AdmittedPrompt(request, prompt: prompt, proposerPrompt: proposerPrompt)
    }

    /// Whether tries at a prompt may begin.
    private func isRead(_ prompt: AdmittedPrompt) -> Bool {
        guard reader.hasRead(prompt.model) else { return false }
        guard let proposer, let proposed = prompt.proposer else { return true }
        return proposer.isReady(proposed)
    }

    /// Records a token, and tells why the sequence is finished if it is.
    private func append(_ decision: TokenDecision, to sequence: SequenceState) -> StopReason? {
        let token = decision.token
        sequence.decisions.append(decision)
        sequence.model.decide(rule.modelTokens(for: token))
        sequence.proposer?.decide(rule.proposerTokens(for: token))
        if let end = stop.end(with: token) { return end }
        let isFull =
            sequence.decisions.count >= stop.maxNewTokens
            || sequence.lengths.contains { $0 >= stop.maxTotalTokens }
        return isFull ? .length : nil
    }
}

/// The parts of a round.
extension DecodingEngine {
    /// The proposer drafts, the model reads the drafts, both read prompts.
    ///
    /// - Parameters:
    ///   - sequences: Those under way; each gets `rows`, and from a proposer `draft`.
    ///   - draftTokens: The most tokens to draft for each.
    ///   - prompts: Those being read.
    ///   - done: Counts prompt tokens and seconds.
    /// - Throws: What the models throw, and `Failure` for logits that are not numbers.
    private func runModels(
        _ sequences: [SequenceState],
        draftTokens: Int,
        _ prompts: [AdmittedPrompt],
        _ done: inout DecodingProgress
    ) throws {
        try draft(sequences, length: draftTokens, prompts.compactMap(\.proposer), &done)
        let start = ProcessInfo.processInfo.systemUptime
        for sequence in sequences {
            // The last token drafted has no successor to check.
            sequence.model.draft(
                sequence.draft.dropLast().compactMap { $0.token.map(rule.modelTokens(for:)) }
            )
        }
        let rows = try reader.rows(
            sequences.map { ($0.model, max(1, $0.draft.count)) },
            reading: prompts.map(\.model)
        )
        for (sequence, rows) in zip(sequences, rows) { sequence.rows = rows }
        let seconds = ProcessInfo.processInfo.systemUptime - start
        if proposer == nil || rule.recordsProposer {
            done.times.teacher += seconds
        } else {
            done.times.student += seconds
        }
    }

    /// Begins tries with the row behind their prompt, and one proposal.
    private func start(_ sequences: [SequenceState], _ done: inout DecodingProgress) throws {
        for (sequence, rows) in zip(sequences, try reader.rows(sequences.map { ($0.model, 1) })) {
            sequence.rows = rows
            sequence.isStarted = true
        }
        try draft(sequences, length: 1, [], &done)
    }

    /// Asks for proposals, position after position, as if all were kept.
    private func draft(
        _ sequences: [SequenceState],
        length: Int,
        _ prompts: [PromptContext],
        _ done: inout DecodingProgress
    ) throws {
        guard let proposer else { return }
        var (drafting, prompts) = (sequences, prompts)
        while !drafting.isEmpty || !prompts.isEmpty {
            let start = ProcessInfo.processInfo.systemUptime
            let predictions = try proposer.propose(
                for: drafting.compactMap(\.proposer),
                atMost: length - (drafting.map(\.draft.count).max() ?? 0),
                reading: prompts
            )
            prompts = []
            let middle = ProcessInfo.processInfo.systemUptime
            if rule.recordsProposer {
                done.times.student += middle - start
            } else {
                done.times.teacher += middle - start
            }
            let keys = drafting.map { $0.key(ahead: $0.draft.count) }
            let proposals = try ParallelRows.map(drafting.count) { [rule] index in
                try rule.proposals(predictions[index], from: keys[index])
            }
            done.times.deciding += ProcessInfo.processInfo.systemUptime - middle
            drafting = zip(drafting, proposals).compactMap { sequence, proposals in
                let isAll = proposals.allSatisfy { proposal in
                    sequence.draft.append(proposal)
                    return mayDraftOn(sequence)
                }
                return isAll && sequence.draft.count < length ? sequence : nil
            }
            for sequence in drafting {
                sequence.proposer?.draft(
                    sequence.draft.compactMap { $0.token.map(rule.proposerTokens(for:)) }
                )
            }
        }
    }

    /// Whether the sequence is sure to go on if all of its draft is kept.
    private func mayDraftOn(_ sequence: SequenceState) -> Bool {
        let drafted = sequence.draft.count
        // The model's last rows are those behind the drafted tokens only where each is one of its own.
        guard let token = sequence.draft.last?.token, stop.end(with: token) == nil,
            rule.modelTokens(for: token).count == 1,
            sequence.decisions.count + drafted < stop.maxNewTokens
        else { return false }
        return sequence.lengths.allSatisfy { $0 + drafted < stop.maxTotalTokens }
    }

    /// Decides the tokens of every sequence, up to the first that is not the drafted one.
    private func decide(_ sequences: [SequenceState], _ done: inout DecodingProgress) throws
        -> [[TokenDecision]]
    {
        let start = ProcessInfo.processInfo.systemUptime
        defer { done.times.deciding += ProcessInfo.processInfo.systemUptime - start }
        let work = sequences.map { (rows: $0.rows, draft: $0.draft, key: $0.key(ahead: 0)) }
        return try ParallelRows.map(work.count) { [rule] index in
            var (rows, draft, key) = work[index]
            var decisions: [TokenDecision] = []
            for (place, row) in rows.enumerated() {
                let proposal = place < draft.count ? draft[place] : nil
                let decision = try rule.decide(logits: row, proposal: proposal, key: key)
                decisions.append(decision)
                guard decision.token == proposal?.token else { break }
                key.position += 1
            }
            return decisions
        }
    }
}

extension NextTokenRule {
    /// Proposals for the positions from `key` on, as far as one goes on from the one before.
    fileprivate func proposals(_ predictions: [Prediction], from key: PositionKey) throws
        -> [Proposal]
    {
        var (proposals, key) = ([Proposal](), key)
        for prediction in predictions {
            guard let proposal = try proposal(prediction, key: key) else { break }
            proposals.append(proposal)
            // What comes behind a token that the proposer has not drawn itself is of another one.
            guard case .sampled = prediction, proposal.token != nil else { break }
            key.position += 1
        }
        precondition(!proposals.isEmpty, "Proposer.propose: nothing said of a sequence")
        return proposals
    }
}

extension DecodingProgress {
    fileprivate mutating func count(_ decision: TokenDecision) {
        newTokens += 1
        refusedProposals += decision.refused.count
        if decision.reason == .accepted { acceptedTokens += 1 }
    }
}
