import Basics
import Kernels
import Records

/// The teacher proposes tokens, the student keeps those it finds likely enough.
///
/// At each position, with P_T and P_S after the same tokens and A = {v : P_S(v) >= p_th}:
/// 1. The teacher proposes v ~ P_T. 2. If v is in A, it is taken. 3. After R proposals, all refused,
/// the student draws v ~ P_S. 4. Both models read v. A token then has the probability
///
///     q(v) = P_T(v)·1[v in A]·(1 - (1 - a)^R)/a + (1 - a)^R·P_S(v),   a = P_T(A)
///
/// where P_T and the last P_S are the distributions that proposals and fallback are drawn from, and
/// the P_S of A is the raw softmax. With p_th = 0 the result is plain sampling from the teacher,
/// with p_th > 1 from the student, to the bit, because each has a stream of random numbers.
///
/// With a relative gate, A is {v : -ln P_S(v) / (H(P_S) + 1e-6) <= threshold} instead, H the entropy;
/// the rest is the same.
///
/// Source: Kim, Seo, Lee 2025, arXiv:2509.22230.
public struct ReverseSpeculativeDecoding: NextTokenRule {
    /// The numbers in force.
    public let configuration: Configuration
    /// Which tokens the two models share.
    public let vocabularies: VocabularyMap
    private let teacherStream: RandomStream
    private let studentStream: RandomStream

    /// Prepares the method for a pair of models.
    ///
    /// - Parameters:
    ///   - configuration: The numbers, each in its range.
    ///   - vocabularies: Which tokens the two models share.
    ///   - seed: The root seed.
    public init(_ configuration: Configuration, vocabularies: VocabularyMap, seed: UInt64) {
        self.configuration = configuration
        self.vocabularies = vocabularies
        teacherStream = RandomStream(seed: seed, name: DecodingStream.teacher)
        studentStream = RandomStream(seed: seed, name: DecodingStream.student)
    }

    /// The student chooses, and its ids are recorded.
    public var source: TokenSource { .student }

    /// As many as the student's tokenizer has tokens.
    public var vocabularySize: Int { vocabularies.studentVocabularySize }

    /// As many as the teacher's tokenizer has tokens.
    public var proposerVocabularySize: Int? { vocabularies.teacherVocabularySize }

    /// The teacher's counterpart of a student's token, or its spelling.
    public func proposerTokens(for token: Int32) -> [Int32] {
        vocabularies.teacherTokens(for: token)
    }

    /// The distribution that the teacher's proposals are drawn from, and the first draw.
    ///
    /// - Throws: `Failure` also where the teacher tells one sampled token and several are wanted.
    public func proposal(_ prediction: Prediction, key: PositionKey) throws -> Proposal? {
        if case .sampled = prediction, configuration.proposals > 1 {
            throw Failure(
                .configuration,
                "the teacher draws one token a position; expected proposals: 1, not "
                    + "\(configuration.proposals)"
            )
        }
        let teacher = try ProposalSource(
            prediction,
            configuration.teacher,
            vocabularySize: vocabularies.teacherVocabularySize
        )
        var distribution = teacher.distribution
        if !vocabularies.isIdentity {
            distribution = distribution.restricted { vocabularies.teacherToStudent[Int($0)] >= 0 }
        }
        let first = distribution.isEmpty ? nil : proposed(0, from: distribution, at: key).student
        return Proposal(source: teacher, distribution: distribution, token: first)
    }

    /// Chooses the token at one position from the student's logits and the teacher's proposal.
    public func decide(logits: Buffer<Float>, proposal: Proposal?, key: PositionKey) throws
        -> TokenDecision
    {
        guard let proposal else { preconditionFailure("decide: no proposal of the teacher") }
        let logits = logits.first(vocabularies.studentVocabularySize)
        let student = try LogitSummary(logits, for: SamplingParameters())
        let entropy = configuration.relativeThreshold == nil ? 0 : student.entropy
        let position = Position(
            proposal: proposal.distribution,
            studentProbability: { student.probability(of: Int($0)) },
            relativeSurprisal: { student.relativeSurprisal(of: $0, entropy: entropy) },
            teacherProbability: { proposal.source.probability(of: $0) },
            acceptanceTop: configuration.acceptanceTopK.map {
                TokenDistribution(student, SamplingParameters(topK: $0))
            },
            fallback: { try fallback(student) }
        )
        var decision = try decide(position, key: key)
        decision.acceptance = configuration.acceptanceThresholds.map {
            position.share(of: $0, self)
        }
        return decision
    }

    /// What the student draws from after the last refusal: tokens that its tokenizer has.
    private func fallback(_ student: LogitSummary) throws -> TokenDistribution {
        let parameters = configuration.fallback
        let all = TokenDistribution(
            parameters.temperature == 1
                ? student : try LogitSummary(student.logits, for: parameters),
            parameters
        )
        let holes = vocabularies.studentHoles
        guard !holes.isEmpty else { return all }
        let real = all.restricted { !holes.contains($0) }
        guard real.isEmpty else { return real }
        return TokenDistribution(student, SamplingParameters())
            .restricted { !holes.contains($0) }
    }

    /// Proposal number `draw` at a position, as the teacher and as the student numbers it.
    private func proposed(_ draw: Int, from distribution: TokenDistribution, at key: PositionKey)
        -> (teacher: Int32, student: Int32)
    {
        let token = distribution.token(at: teacherStream.uniform(at: key, draw: draw))
        return (token, vocabularies.teacherToStudent[Int(token)])
    }
}

extension ReverseSpeculativeDecoding {
    /// What both models say about one position.
    struct Position {
        /// What the teacher's proposals are drawn from: teacher ids that the student has too.
        var proposal: TokenDistribution
        /// The student's raw probability of a student id.
        var studentProbability: (Int32) -> Float
        /// The relative surprisal of a student id; asked for only by a relative gate.
        var relativeSurprisal: (Int32) -> Double = { _ in .infinity }
        /// The teacher's raw probability of a teacher id; nil where it has not told.
        var teacherProbability: (Int32) -> Float?
        /// The student's most likely tokens, where a proposal must be among them.
        var acceptanceTop: TokenDistribution?
        /// What the student draws from; asked for only if it must.
        var fallback: () throws -> TokenDistribution

        /// Why a proposal of a student id is refused; nil if it is acceptable.
        func refusal(
            of token: Int32,
            probability: Float,
            threshold: Double
        ) -> Refusal.Reason? {
            guard Double(probability) >= threshold else { return .threshold }
            return acceptanceTop?.contains(token) == false ? .topK : nil
        }

        /// The share of proposals that a threshold would accept.
        func share(of threshold: Double, _ rule: ReverseSpeculativeDecoding) -> Float {
            guard !proposal.isEmpty else { return 0 }
            var accepted = 0.0
            for (index, token) in proposal.tokens.enumerated() {
                let counterpart = rule.vocabularies.teacherToStudent[Int(token)]
                let probability = studentProbability(counterpart)
                if refusal(of: counterpart, probability: probability, threshold: threshold) == nil {
                    accepted += Double(proposal.weights[index])
                }
            }
            return Float(accepted / proposal.total)
        }
    }

    /// Why the gate refuses a proposal of a student id; nil if it keeps it.
    private func refusal(of token: Int32, probability: Float, _ position: Position)
        -> Refusal.Reason?
    {
        if let threshold = configuration.relativeThreshold,
            !(position.relativeSurprisal(token) <= threshold)
        {
            return .relative
        }
        let threshold =
            configuration.relativeThreshold == nil ? configuration.acceptanceThreshold : 0
        return position.refusal(of: token, probability: probability, threshold: threshold)
    }

    /// The method itself: a pure function of both distributions and the position's random numbers.
    func decide(_ position: Position, key: PositionKey) throws -> TokenDecision {
        var refused: [Refusal] = []
        let proposals = position.proposal.isEmpty ? 0 : configuration.proposals
        for draw in 0..<proposals {
            let (proposed, token) = proposed(draw, from: position.proposal, at: key)
            let probability = position.studentProbability(token)
            guard let teacherProbability = position.teacherProbability(proposed) else {
                preconditionFailure("decide: the teacher proposes a token of unknown probability")
            }
            guard let reason = refusal(of: token, probability: probability, position) else {
                return TokenDecision(
                    token: token,
                    source: .teacher,
                    reason: .accepted,
                    teacherProbability: teacherProbability,
                    studentProbability: probability,
                    refused: refused
                )
            }
            refused.append(
                Refusal(
                    position: key.position,
                    token: token,
                    teacherProbability: teacherProbability,
                    studentProbability: probability,
                    reason: reason
                )
            )
        }
        let token = try position.fallback().token(at: studentStream.uniform(at: key))
        let counterpart = vocabularies.studentToTeacher[Int(token)]
        return TokenDecision(
            token: token,
            source: .student,
            reason: proposals == 0 ? .noProposal : .refused,
            teacherProbability: counterpart >= 0 ? position.teacherProbability(counterpart) : nil,
            studentProbability: position.studentProbability(token),
            refused: refused
        )
    }
}
