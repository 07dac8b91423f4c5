/// Who proposes tokens: a model on this machine, a server, or anything else that can say what may
/// come next.
///
/// A proposer is given the ids of each sequence so far and nothing else, in its own numbering. What
/// it keeps of a sequence between calls, such as a cache, it hangs on the sequence's `state`.
/// Which of its words are accepted is none of its business: that is the rule's.
public protocol Proposer: AnyObject {
    /// The number of ids that it can speak of; nil where only a server knows.
    var vocabularySize: Int? { get }

    /// Whether tries at a prompt may begin.
    ///
    /// A proposer that reads prompts in pieces answers true once it has read all of this one.
    func isReady(_ prompt: PromptContext) -> Bool

    /// Says what may follow each sequence.
    ///
    /// - Parameters:
    ///   - sequences: The sequences to go on with; may be none.
    ///   - count: The most positions to speak of for each, at least 1. Who can say only what comes
    ///     next says that, and is asked again with its proposal appended.
    ///   - prompts: Prompts to read on in, beside the sequences.
    /// - Returns: For each sequence what may come at its next positions, at least one; a position
    ///   behind the first is as if the sampled token of the one before were accepted.
    /// - Throws: `Failure` when it cannot answer, which ends the run.
    func propose(
        for sequences: [SequenceContext],
        atMost count: Int,
        reading prompts: [PromptContext]
    ) throws -> [[Prediction]]
}

extension Proposer {
    /// Not known.
    public var vocabularySize: Int? { nil }

    /// Always: most proposers read nothing beforehand.
    public func isReady(_ prompt: PromptContext) -> Bool { true }
}
