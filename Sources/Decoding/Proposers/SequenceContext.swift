/// A prompt as one model numbers it, shared by the tries at its problem.
public final class PromptContext {
    /// The problem's id.
    public let id: String
    /// The prompt's ids, at least one.
    public let tokens: [Int32]
    /// What the reader of the prompt keeps of it.
    public var state: AnyObject?
    /// How many tries will continue it.
    public let tryCount: Int

    init(id: String, tokens: [Int32], tryCount: Int) {
        self.id = id
        self.tokens = tokens
        self.tryCount = tryCount
    }
}

/// A try under way as one model numbers it: the ids so far, and what that model keeps of them.
public final class SequenceContext {
    /// What the try continues.
    public let prompt: PromptContext
    /// The number of the try.
    public let attempt: Int
    /// The ids behind the prompt: those decided, and behind them a draft.
    public private(set) var tokens: [Int32] = []
    /// How many of `tokens`, from the first on, are the same as when the model was last asked.
    public private(set) var unchangedCount = 0
    /// What the model keeps of the sequence.
    public var state: AnyObject?
    /// How many of `tokens` are decided.
    private var decidedCount = 0

    init(prompt: PromptContext, attempt: Int) {
        self.prompt = prompt
        self.attempt = attempt
    }

    /// Ids of prompt and try that are decided.
    var decidedLength: Int { prompt.tokens.count + decidedCount }

    /// Lets a draft follow what is decided, in place of the one before, which it begins with.
    func draft(_ spellings: [[Int32]]) {
        tokens.removeLast(tokens.count - decidedCount)
        for spelling in spellings { tokens += spelling }
    }

    /// Decides the next token; a draft that has another there is dropped.
    func decide(_ spelling: [Int32]) {
        if !tokens[decidedCount...].starts(with: spelling) {
            dropDraft()
            tokens += spelling
        }
        decidedCount += spelling.count
    }

    /// Forgets what is not decided.
    func dropDraft() {
        tokens.removeLast(tokens.count - decidedCount)
        unchangedCount = min(unchangedCount, decidedCount)
    }

    /// Notes that the model has been asked about all tokens as they are.
    func noteAsked() { unchangedCount = tokens.count }
}
