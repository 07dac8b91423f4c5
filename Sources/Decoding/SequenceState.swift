import Basics
import Kernels
import Records

/// A prompt on its way into the models, shared by its tries.
final class AdmittedPrompt {
    let request: DecodingRequest
    let item: UInt64
    /// The prompt as the model that chooses numbers it.
    let model: PromptContext
    /// The same as the proposer numbers it, or another prompt; nil without a proposer.
    let proposer: PromptContext?

    init(_ request: DecodingRequest, prompt: [Int32], proposerPrompt: [Int32]?) {
        self.request = request
        item = RandomStream.itemKey(request.id)
        let tryCount = request.attempts.count
        model = PromptContext(id: request.id, tokens: prompt, tryCount: tryCount)
        proposer = proposerPrompt.map {
            PromptContext(id: request.id, tokens: $0, tryCount: tryCount)
        }
    }

    /// The prompt as each model numbers it.
    var contexts: [PromptContext] { [model] + (proposer.map { [$0] } ?? []) }
}

/// One try under way.
final class SequenceState {
    let prompt: AdmittedPrompt
    let attempt: Int
    /// The sequence as the model that chooses has it.
    let model: SequenceContext
    /// The sequence as the proposer has it.
    let proposer: SequenceContext?
    var decisions: [TokenDecision] = []
    /// Proposals for the next positions, each as if the ones before it were kept.
    var draft: [Proposal] = []
    /// The model's logits for the next positions, one row each.
    var rows: [Buffer<Float>] = []
    /// How many proposals have been kept in a row.
    var keptRun = 0
    /// Whether the prompt has been read and the first row of logits is there.
    var isStarted = false
    var isFinished = false

    init(prompt: AdmittedPrompt, attempt: Int) {
        self.prompt = prompt
        self.attempt = attempt
        model = SequenceContext(prompt: prompt.model, attempt: attempt)
        proposer = prompt.proposer.map { SequenceContext(prompt: $0, attempt: attempt) }
    }

    /// Tokens of prompt and result that are decided, as each model numbers them.
    var lengths: [Int] { [model.decidedLength] + (proposer.map { [$0.decidedLength] } ?? []) }

    /// The position `places` behind the next token.
    func key(ahead places: Int) -> PositionKey {
        PositionKey(item: prompt.item, attempt: attempt, position: decisions.count + places)
    }

    /// Forgets what was drafted and read beyond the tokens that are decided.
    func endRound() {
        (draft, rows) = ([], [])
        model.dropDraft()
        proposer?.dropDraft()
    }

    func completed(_ stop: StopReason) -> CompletedSequence {
        CompletedSequence(
            id: prompt.request.id,
            attempt: attempt,
            decisions: decisions,
            stop: stop
        )
    }
}

/// Tries that have no place yet, problem by problem.
struct DecodingQueue<Requests: IteratorProtocol<DecodingRequest>> {
    private var requests: Requests
    private var prompt: AdmittedPrompt?
    private var attempts: ArraySlice<Int> = []

    init(_ requests: Requests) { self.requests = requests }

    /// The next try, or nil when all have been handed out.
    ///
    /// - Parameter admit: Checks a request when its first try is due.
    /// - Returns: A try that has not started.
    /// - Throws: What `admit` throws.
    mutating func next(_ admit: (DecodingRequest) throws -> AdmittedPrompt) rethrows
        -> SequenceState?
    {
        while attempts.isEmpty {
            guard let request = requests.next() else { return nil }
            guard !request.attempts.isEmpty else { continue }
            prompt = try admit(request)
            attempts = request.attempts[...]
        }
        guard let prompt, let attempt = attempts.popFirst() else { return nil }
        return SequenceState(prompt: prompt, attempt: attempt)
    }
}
