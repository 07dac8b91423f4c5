import Records

/// A prompt to be continued, once for each try.
public struct DecodingRequest: Sendable {
    /// The problem's id: names the results, and with the seed decides the random numbers.
    public var id: String
    /// The prompt in the recorded model's tokens.
    public var prompt: [Int32]
    /// The prompt in the other model's tokens; nil translates `prompt` token by token.
    public var teacherPrompt: [Int32]?
    /// The numbers of the tries to make, from 0; a resumed run leaves out those it has.
    public var attempts: [Int]

    /// Asks for some tries at a problem.
    public init(
        id: String,
        prompt: [Int32],
        teacherPrompt: [Int32]? = nil,
        attempts: [Int] = [0]
    ) {
        self.id = id
        self.prompt = prompt
        self.teacherPrompt = teacherPrompt
        self.attempts = attempts
    }
}

/// A finished try.
public struct CompletedSequence: Sendable, Hashable {
    /// The problem's id.
    public var id: String
    /// The number of the try.
    public var attempt: Int
    /// Every new token with its record, the ending token included.
    public var decisions: [TokenDecision]
    /// Why it ends.
    public var stop: StopReason

    /// The new tokens.
    public var tokens: [Int32] { decisions.map(\.token) }
    /// The new tokens without the one that ends the sequence.
    public var spokenTokens: ArraySlice<Int32> { stop == .length ? tokens[...] : tokens.dropLast() }
}

/// What a run has done so far.
public struct DecodingProgress: Sendable, Hashable {
    /// Rounds: the teacher drafts, the student checks, every sequence gains at least one token.
    public var steps = 0
    /// Rounds by the number of tokens drafted at most.
    public var stepsByDraftLength: [Int: Int] = [:]
    /// Where the time went.
    public var times = DecodingTimes()
    /// Tokens generated.
    public var newTokens = 0
    /// Of those, taken from proposals.
    public var acceptedTokens = 0
    /// Proposals refused.
    public var refusedProposals = 0
    /// Sequences delivered.
    public var finishedSequences = 0
    /// Whether the run stopped on request before all was done.
    public var wasCancelled = false
}

/// Seconds that decoding has spent, by what it did.
public struct DecodingTimes: Sendable, Hashable {
    /// Passes through the teacher, or through the only model of a rule that has one.
    public var teacher = 0.0
    /// Passes through the student of a rule that has both.
    public var student = 0.0
    /// Turning logits into tokens.
    public var deciding = 0.0

    /// All of it.
    public var total: Double { teacher + student + deciding }
}
