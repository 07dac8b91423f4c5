import Basics
import Kernels
import Records

/// The mirror image of reverse speculative decoding: the student proposes tokens, the teacher keeps
/// those it finds likely enough.
///
/// At each position, with S and T after the same tokens and A the K tokens most likely under T:
/// 1. The student proposes v ~ S. 2. If v is in A, it is taken. 3. Otherwise the teacher writes v ~ T.
/// 4. Both models read v. A token then has the probability
///
///     q(v) = S(v)·1[v in A] + (1 - s)·T(v),   s = S(A)
///
/// where S and T are the distributions that tokens are drawn from, and A is of the raw softmax. With K
/// of the whole vocabulary the result is plain sampling from the student, to the bit.
///
/// In a `DecodingEngine` the teacher is the model and the student its proposer, so that the student
/// drafts and the teacher checks. Prompts and recorded ids are the student's, as under every rule. Of two
/// vocabularies: a student's token that the teacher has not is in A where the first token of its
/// spelling is; the teacher writes tokens that the student has.
///
/// Source: Xu et al. 2024, arXiv:2410.11325.
public struct SpeculativeDistillation: NextTokenRule {
    /// The numbers that define the method.
    public struct Configuration: Sendable, Hashable {
        /// K: a proposal is kept if it is among this many of the teacher's most likely tokens, the
        /// lower id first among equals.
        public var topK: Int
        /// How the student's proposals are drawn.
        public var student: SamplingParameters
        /// How the teacher draws after a refusal.
        public var teacher: SamplingParameters

        /// Sets every number; at least one token must be kept.
        public init(
            topK: Int = 25,
            student: SamplingParameters = .paper,
            teacher: SamplingParameters = .paper
        ) {
            precondition(topK > 0, "SpeculativeDistillation: K is \(topK); expected at least 1")
            self.topK = topK
            self.student = student
            self.teacher = teacher
        }
    }

    /// The numbers in force.
    public let configuration: Configuration
    /// Which tokens the two models share.
    public let vocabularies: VocabularyMap
    private let teacherStream: RandomStream
    private let studentStream: RandomStream

    /// Prepares the method for a pair of models.
    ///
    /// - Parameters:
    ///   - configuration: The numbers.
    ///   - vocabularies: Which tokens the two models share.
    ///   - seed: The root seed.
    public init(_ configuration: Configuration, vocabularies: VocabularyMap, seed: UInt64) {
        self.configuration = configuration
        self.vocabularies = vocabularies
        teacherStream = RandomStream(seed: seed, name: DecodingStream.teacher)
        studentStream = RandomStream(seed: seed, name: DecodingStream.student)
    }

    /// The teacher chooses.
    public var source: TokenSource { .teacher }

    /// As many as the teacher's tokenizer has tokens.
    public var vocabularySize: Int { vocabularies.teacherVocabularySize }

    /// As many as the student's tokenizer has tokens.
    public var proposerVocabularySize: Int? { vocabularies.studentVocabularySize }

    /// The teacher's counterpart of a student's token, or its spelling.
    public func modelTokens(for token: Int32) -> [Int32] {
        vocabularies.teacherTokens(for: token)
    }

    /// The student's proposal at a position: a token that its tokenizer has.
    public func proposal(_ prediction: Prediction, key: PositionKey) throws -> Proposal? {
        let student = try ProposalSource(
            prediction,
            configuration.student,
            vocabularySize: vocabularies.studentVocabularySize
        )
        let holes = vocabularies.studentHoles
        let distribution =
            holes.isEmpty
            ? student.distribution : student.distribution.restricted { !holes.contains($0) }
        return Proposal(
            source: student,
            distribution: distribution,
            token: distribution.isEmpty
                ? nil : distribution.token(at: studentStream.uniform(at: key))
        )
    }

    /// Keeps the student's proposal, or writes the teacher's token.
    public func decide(logits: Buffer<Float>, proposal: Proposal?, key: PositionKey) throws
        -> TokenDecision
    {
        guard let proposal else { preconditionFailure("decide: no proposal of the student") }
        let row = try LogitSummary(logits.first(vocabularySize), for: SamplingParameters())
        let position = Position(
            proposal: proposal.token,
            top: TokenDistribution(row, SamplingParameters(topK: configuration.topK)),
            studentProbability: { proposal.source.probability(of: $0) },
            teacherProbability: { row.probability(of: Int($0)) },
            teacher: { try teacher(row) }
        )
        return try decide(position, key: key)
    }

    /// What the teacher draws from: tokens that the student has.
    private func teacher(_ row: LogitSummary) throws -> TokenDistribution {
        let parameters = configuration.teacher
        let all = TokenDistribution(
            parameters.temperature == 1 ? row : try LogitSummary(row.logits, for: parameters),
            parameters
        )
        guard !vocabularies.isIdentity else { return all }
        func shared(_ distribution: TokenDistribution) -> TokenDistribution {
            distribution.restricted { vocabularies.teacherToStudent[Int($0)] >= 0 }
        }
        let kept = shared(all)
        return kept.isEmpty ? shared(TokenDistribution(row, SamplingParameters())) : kept
    }
}

extension SpeculativeDistillation {
    /// What both models say about one position.
    struct Position {
        /// The student's proposal; nil where it has none.
        var proposal: Int32?
        /// The teacher's K most likely tokens, under its ids.
        var top: TokenDistribution
        /// The student's raw probability of a student id; nil where it has not told.
        var studentProbability: (Int32) -> Float?
        /// The teacher's raw probability of a teacher id.
        var teacherProbability: (Int32) -> Float
        /// What the teacher draws from; asked for only if it must.
        var teacher: () throws -> TokenDistribution
    }

    /// The method itself: a pure function of both distributions and the position's random numbers.
    func decide(_ position: Position, key: PositionKey) throws -> TokenDecision {
        var refused: [Refusal] = []
        if let token = position.proposal {
            guard let judged = modelTokens(for: token).first,
                let studentProbability = position.studentProbability(token)
            else { preconditionFailure("decide: a proposal that nothing is known of") }
            let probability = position.teacherProbability(judged)
            if position.top.contains(judged) {
                let isShared = vocabularies.studentToTeacher[Int(token)] >= 0
                return TokenDecision(
                    token: token,
                    source: .student,
                    reason: .accepted,
                    teacherProbability: isShared ? probability : nil,
                    studentProbability: studentProbability
                )
            }
            refused.append(
                Refusal(
                    position: key.position,
                    token: token,
                    teacherProbability: probability,
                    studentProbability: studentProbability,
                    reason: .topK
                )
            )
        }
        let written = try position.teacher().token(at: teacherStream.uniform(at: key))
        let token = vocabularies.teacherToStudent[Int(written)]
        return TokenDecision(
            token: token,
            source: .teacher,
            reason: position.proposal == nil ? .noProposal : .refused,
            teacherProbability: position.teacherProbability(written),
            studentProbability: position.studentProbability(token),
            refused: refused
        )
    }
}
