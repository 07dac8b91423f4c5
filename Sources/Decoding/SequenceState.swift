import Basics
import Kernels

/// A prompt on its way into the models' caches, shared by its tries.
final class PromptReading<Cache> {
    let request: DecodingRequest
    let item: UInt64
    /// The prompt in each model's tokens.
    let tokens: [[Int32]]
    /// Each model's cache; handed over to the last try.
    var caches: [Cache]
    /// How many tokens each cache holds.
    var readCounts: [Int]
    /// The logits behind the whole prompt, one row a model: every try begins with them.
    var rows: [Buffer<Float>?]
    /// Tries that have not got their caches yet.
    var unstartedTries: Int

    init(request: DecodingRequest, tokens: [[Int32]], caches: [Cache]) {
        self.request = request
        self.tokens = tokens
        self.caches = caches
        item = RandomStream.itemKey(request.id)
        readCounts = tokens.map { _ in 0 }
        rows = tokens.map { _ in nil }
        unstartedTries = request.attempts.count
    }

    /// Whether every model has read all of it.
    var isRead: Bool { tokens.indices.allSatisfy { readCounts[$0] == tokens[$0].count } }
}

/// One try under way.
final class SequenceState<Cache> {
    let prompt: PromptReading<Cache>
    let attempt: Int
    /// One a model; empty until the prompt has been read.
    var caches: [Cache] = []
    /// The tokens that each model has not read yet.
    ///
    /// More than one where a token of the recorded model takes several of the other's to spell.
    var pending: [[Int32]] = []
    /// Tokens of prompt and result in each model, read or pending.
    var lengths: [Int] = []
    var decisions: [TokenDecision] = []
    /// The teacher's proposals for the next positions, each as if the ones before it were kept.
    var draft: [Proposal] = []
    /// The student's logits for the next positions, one row each.
    var rows: [Buffer<Float>] = []
    /// The teacher's logits behind the prompt, until the first proposal is made from them.
    var teacherRow: Buffer<Float>?
    /// How many proposals have been kept in a row.
    var keptRun = 0
    var isFinished = false

    init(prompt: PromptReading<Cache>, attempt: Int) {
        self.prompt = prompt
        self.attempt = attempt
    }

    var isStarted: Bool { !caches.isEmpty }

    /// The position `places` behind the next token.
    func key(ahead places: Int) -> PositionKey {
        PositionKey(item: prompt.item, attempt: attempt, position: decisions.count + places)
    }

    func completed(_ finish: FinishReason) -> CompletedSequence {
        CompletedSequence(
            id: prompt.request.id,
            attempt: attempt,
            decisions: decisions,
            finish: finish
        )
    }
}

/// Tries that have no place yet, problem by problem.
struct DecodingQueue<Cache, Requests: IteratorProtocol<DecodingRequest>> {
    private var requests: Requests
    private var prompt: PromptReading<Cache>?
    private var attempts: ArraySlice<Int> = []

    init(_ requests: Requests) { self.requests = requests }

    /// The next try, or nil when all have been handed out.
    ///
    /// - Parameter admit: Checks a request when its first try is due.
    /// - Returns: A try without caches.
    /// - Throws: What `admit` throws.
    mutating func next(
        _ admit: (DecodingRequest) throws -> PromptReading<Cache>
    ) rethrows -> SequenceState<Cache>? {
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
