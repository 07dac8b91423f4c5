import Basics
import Decoding
import Grading
import Kernels
import Records
import Tokenizers

/// What the records of one stage have in common.
public struct TraceRecord {
    /// The experiment's root seed.
    public var seed: UInt64
    /// How tokens are chosen.
    public var policy: TracePolicy
    /// The streams of random numbers in use.
    public var streams: [String]
    /// P_S below which a proposal is refused.
    public var acceptanceThreshold: Double
    /// Thresholds whose exact acceptance every decision records.
    public var acceptanceThresholds: [Double]
    /// The tokenizer of the recorded ids.
    public var tokenizer: Tokenizer
    /// How answers are stated.
    public var style: AnswerStyle

    /// Describes the records of a stage; without a teacher there is no threshold.
    public init(
        seed: UInt64,
        policy: TracePolicy,
        streams: [String],
        acceptanceThreshold: Double,
        acceptanceThresholds: [Double] = [],
        tokenizer: Tokenizer,
        style: AnswerStyle
    ) {
        self.seed = seed
        self.policy = policy
        self.streams = streams
        self.acceptanceThreshold = acceptanceThreshold
        self.acceptanceThresholds = acceptanceThresholds
        self.tokenizer = tokenizer
        self.style = style
    }

    /// The digest of a prompt: SHA-256 of its ids in decimal, separated by commas.
    public static func promptDigest(_ prompt: [Int32]) -> String {
        var hash = SHA256()
        hash.update(prompt.map(String.init).joined(separator: ","))
        return hash.hex()
    }

    /// The record of a try that has just finished.
    ///
    /// A function of the try alone: nothing in it tells when or beside which others it was made.
    public func trace(of sequence: CompletedSequence, problem: Problem, promptDigest: String)
        -> Trace
    {
        let decisions = sequence.decisions
        let text = tokenizer.text(of: sequence.spokenTokens, skipSpecial: false)
        let item = String(RandomStream.itemKey(problem.id), radix: 16)
        return Trace(
            id: problem.id,
            attempt: sequence.attempt,
            seed: seed,
            policy: policy,
            seedKey: "\(streams.joined(separator: "+")):\(item)",
            promptDigest: promptDigest,
            acceptanceThreshold: acceptanceThreshold,
            ids: sequence.tokens,
            source: decisions.map(\.source),
            teacherProbability: decisions.map { $0.teacherProbability ?? .nan },
            studentProbability: decisions.map { $0.studentProbability ?? .nan },
            refusals: decisions.flatMap(\.refused),
            acceptance: acceptance(decisions),
            text: text,
            stop: sequence.stop,
            verdict: problem.verdict(on: text, style: style)
        )
    }

    private func acceptance(_ decisions: [TokenDecision]) -> [Acceptance] {
        guard !decisions.isEmpty else { return [] }
        return acceptanceThresholds.enumerated().map { index, threshold in
            let sum = decisions.reduce(0) { $0 + Double($1.acceptance[index]) }
            return Acceptance(threshold: threshold, share: sum / Double(decisions.count))
        }
    }
}

extension Problem {
    /// The verdict on a completion.
    public func verdict(on completion: String, style: AnswerStyle) -> AnswerVerdict {
        Grader.verdict(gold: answer, completion: completion, style: style)
    }
}
