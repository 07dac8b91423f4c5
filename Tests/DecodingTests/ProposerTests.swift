import Basics
import Foundation
import Kernels
import Testing

@testable import Decoding

/// Proposers that are no local model, and tell less than all logits.
@Suite struct ProposerTests {
    static let size = DecodingEngineTests.size

    /// A toy teacher behind a "server": it is sent ids and answers with what a server would give.
    ///
    /// It keeps nothing of a sequence between calls.
    final class Server: Proposer {
        enum Answer { case sampled(draft: Int), top(Int), nothing }

        let answer: Answer
        let salt: UInt64
        private(set) var calls = 0
        private(set) var mostSequences = 0
        private let stream = RandomStream(seed: 77, name: "server")

        init(_ answer: Answer, salt: UInt64 = 2) {
            self.answer = answer
            self.salt = salt
        }

        func propose(
            for sequences: [SequenceContext],
            atMost count: Int,
            reading prompts: [PromptContext]
        ) throws -> [[Prediction]] {
            calls += 1
            mostSequences = max(mostSequences, sequences.count)
            return try sequences.map { sequence in
                var ids = sequence.prompt.tokens + sequence.tokens
                func logits() -> [Float] {
                    ToyModel.randomLogits(after: ids, count: ProposerTests.size, salt: salt)
                }
                switch answer {
                case .nothing: throw Failure(.interrupted, "the server does not answer")
                case .top(let n):
                    let p = softmax(logits())
                    let most = p.indices.sorted { (p[$0], $1) > (p[$1], $0) }.prefix(n)
                    return [.top(most.map { (Int32($0), Float(log(p[$0]))) })]
                case .sampled(let draft):
                    return (0..<min(draft, count)).map { _ in
                        let row = logits()
                        let distribution = TokenDistribution(
                            LogitSummary(Buffer(row)),
                            SamplingParameters()
                        )
                        // By the text so far, so that a draft is what single answers would be.
                        let token = distribution.token(
                            at: stream.uniform(
                                item: RandomStream.itemKey("\(ids)"),
                                attempt: sequence.attempt,
                                position: 0,
                                draw: 0
                            )
                        )
                        ids.append(token)
                        return .sampled(
                            token: token,
                            probability: Float(softmax(row)[Int(token)])
                        )
                    }
                }
            }
        }
    }

    static func run(
        _ proposer: any Proposer,
        _ configuration: ReverseSpeculativeDecoding.Configuration,
        batch: Int = 8,
        draft: Int? = nil,
        map: VocabularyMap = VocabularyMap(sharedVocabularySize: size)
    ) throws -> [CompletedSequence] {
        let engine = try DecodingEngine(
            model: DecodingEngineTests.student(),
            proposer: proposer,
            rule: ReverseSpeculativeDecoding(configuration, vocabularies: map, seed: 5),
            stop: DecodingEngineTests.stop,
            options: .init(batchSize: batch, draftTokens: draft)
        )
        var all: [CompletedSequence] = []
        try engine.run(DecodingEngineTests.requests) { all.append($0) }
        return DecodingEngineTests.sorted(all)
    }

    static let raw = SamplingParameters()
    static let plain = ReverseSpeculativeDecoding.Configuration(
        acceptanceThreshold: 0.02,
        teacher: raw,
        fallback: raw
    )

    @Test func sampledTokensAreJudgedByTheStudentAndRecorded() throws {
        let server = Server(.sampled(draft: 1))
        var (accepted, refused) = (0, 0)
        for found in try Self.run(server, Self.plain) {
            var ids = DecodingEngineTests.requests.first { $0.id == found.id }!.prompt
            for decision in found.decisions {
                let student = softmax(ToyModel.randomLogits(after: ids, count: Self.size, salt: 1))
                let teacher = softmax(ToyModel.randomLogits(after: ids, count: Self.size, salt: 2))
                #expect(decision.refused.count == (decision.source == .student ? 1 : 0))
                for proposal in decision.refused {
                    #expect(student[Int(proposal.token)] < 0.02 + 1e-6)
                    let p = teacher[Int(proposal.token)]
                    #expect(abs(Double(proposal.teacherProbability) - p) < 1e-6)
                }
                if decision.source == .teacher {
                    accepted += 1
                    #expect(student[Int(decision.token)] >= 0.02 - 1e-6)
                    let p = try #require(decision.teacherProbability)
                    #expect(abs(Double(p) - teacher[Int(decision.token)]) < 1e-6)
                } else {
                    refused += 1
                    // Of the student's token the server has told nothing, unless it is the same.
                    let isProposed = decision.refused[0].token == decision.token
                    #expect((decision.teacherProbability == nil) == !isProposed)
                }
                ids.append(decision.token)
            }
        }
        #expect(accepted > 100 && refused > 100)
        #expect(server.mostSequences > 4)
    }

    /// What is drafted far ahead is what would have been said one by one.
    @Test func draftsOfAServerChangeNothing() throws {
        let alone = try Self.run(Server(.sampled(draft: 1)), Self.plain, batch: 1, draft: 1)
        for (batch, draft, answer) in [(1, 4, 4), (8, 8, 8), (3, 8, 2), (8, nil, 4)] {
            let found = try Self.run(
                Server(.sampled(draft: answer)),
                Self.plain,
                batch: batch,
                draft: draft
            )
            #expect(found == alone, "batch \(batch), draft \(draft ?? 0), answers of \(answer)")
        }
        let (one, four) = (Server(.sampled(draft: 1)), Server(.sampled(draft: 4)))
        var keeping = Self.plain
        keeping.acceptanceThreshold = 0
        _ = try Self.run(one, keeping, batch: 1, draft: 1)
        _ = try Self.run(four, keeping, batch: 1, draft: 4)
        #expect(3 * four.calls < one.calls + 3 * DecodingEngineTests.requests.count * 4)
    }

    /// As long as top-k keeps no more than the server tells, its answers are worth all logits.
    @Test func theMostLikelyTokensAreAsGoodAsAllLogits() throws {
        var configuration = ReverseSpeculativeDecoding.Configuration.referenceCode
        configuration.acceptanceThresholds = [0.05]
        let local = LocalProposer(DecodingEngineTests.teacher())
        let expected = try Self.run(local, configuration)
        for draft in [1, 4] {
            let found = try Self.run(Server(.top(20)), configuration, draft: draft)
            #expect(found.map(\.tokens) == expected.map(\.tokens))
            for (a, b) in zip(found.flatMap(\.decisions), expected.flatMap(\.decisions)) {
                #expect(a.source == b.source && a.reason == b.reason)
                #expect(abs(a.acceptance[0] - b.acceptance[0]) < 1e-5)
                if let p = a.teacherProbability {
                    #expect(abs(p - (b.teacherProbability ?? 0)) < 1e-5)
                }
            }
        }
    }

    /// Two teachers as one proposer: a mixture is a file of this size.
    final class Alternating: Proposer {
        let parts: [Server]
        init(_ parts: [Server]) { self.parts = parts }

        func propose(
            for sequences: [SequenceContext],
            atMost count: Int,
            reading prompts: [PromptContext]
        ) throws -> [[Prediction]] {
            try sequences.map { sequence in
                try parts[sequence.tokens.count % parts.count]
                    .propose(for: [sequence], atMost: 1, reading: prompts)[0]
            }
        }
    }

    @Test func aThirdModelMayTakeTurns() throws {
        var keeping = Self.plain
        keeping.acceptanceThreshold = 0
        keeping.teacher = .greedy
        func proposer() -> Alternating {
            Alternating([Server(.top(3)), Server(.top(3), salt: 9)])
        }
        let alone = try Self.run(proposer(), keeping, batch: 1, draft: 1)
        #expect(try Self.run(proposer(), keeping, batch: 8, draft: 4) == alone)
        for found in alone {
            var ids = DecodingEngineTests.requests.first { $0.id == found.id }!.prompt
            for (place, token) in found.tokens.enumerated() {
                let logits = ToyModel.randomLogits(
                    after: ids,
                    count: Self.size,
                    salt: place % 2 == 0 ? 2 : 9
                )
                #expect(logits.indices.max { logits[$0] < logits[$1] } == Int(token))
                ids.append(token)
            }
        }
    }

    @Test func whatCannotBeIsRefused() throws {
        let down = #expect(throws: Failure.self) { try Self.run(Server(.nothing), .paper) }
        #expect(down?.kind == .interrupted)
        let several = #expect(throws: Failure.self) {
            try Self.run(Server(.sampled(draft: 1)), .referenceCode)
        }
        #expect(several?.message.contains("proposals") == true)
        let rule = DecodingEngineTests.reverse()
        let key = PositionKey(item: 1, attempt: 0, position: 0)
        let wrong: [Prediction] = [
            .sampled(token: 40, probability: 0.5), .sampled(token: -1, probability: 0.5),
            .sampled(token: 1, probability: .nan), .sampled(token: 1, probability: 2), .top([]),
            .top([(1, 0.5)]), .top([(99, -1)]), .top([(1, .nan)]),
            .logits(Buffer([Float](repeating: .nan, count: 40))),
        ]
        for prediction in wrong {
            #expect(throws: Failure.self) { try rule.proposal(prediction, key: key) }
        }
    }

    /// Of the tokens that a server may say the student lacks some.
    @Test func aSampledTokenThatTheStudentLacksIsNoProposal() throws {
        let map = try DraftTests.spellings()
        let found = try Self.run(Server(.sampled(draft: 4)), Self.plain, draft: 4, map: map)
        let decisions = found.flatMap(\.decisions)
        #expect(decisions.contains { $0.reason == .noProposal })
        #expect(decisions.contains { $0.reason == .accepted })
        #expect(decisions.allSatisfy { $0.refused.allSatisfy { !(9...14).contains($0.token) } })
    }
}
