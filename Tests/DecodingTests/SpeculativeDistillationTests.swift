import Basics
import Foundation
import Kernels
import Records
import Testing

@testable import Decoding

/// The mirror image of the method: its law, its limits, and that drafts change nothing.
@Suite struct SpeculativeDistillationTests {
    typealias Configuration = SpeculativeDistillation.Configuration
    typealias Law = ReverseSpeculativeLawTests

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var configuration: Configuration
        var vocabularySize = 12
        var testDescription: String { name }
    }

    static let raw = SamplingParameters()
    static let cases: [Case] = [
        Case(name: "K = 1", configuration: .init(topK: 1, student: raw, teacher: raw)),
        Case(name: "K = 4", configuration: .init(topK: 4, student: raw, teacher: raw)),
        Case(name: "K = 25", configuration: .init(student: raw, teacher: raw), vocabularySize: 60),
        Case(name: "T 0.7, top-p 0.95", configuration: .init(topK: 12), vocabularySize: 30),
    ]

    static func logits(_ c: Case) -> (student: [Float], teacher: [Float]) {
        func row(_ salt: UInt64) -> [Float] {
            ToyModel.randomLogits(after: [], count: c.vocabularySize, salt: salt, spread: 3)
        }
        return (row(21), row(22))
    }

    /// q(v) = S(v)·1[v in A] + (1 - S(A))·T(v).
    static func law(_ c: Case, topK: Int? = nil) -> (q: [Double], share: Double) {
        let (student, teacher) = logits(c)
        let top = filtered(teacher, SamplingParameters(topK: topK ?? c.configuration.topK))
        let proposal = filtered(student, c.configuration.student)
        let written = filtered(teacher, c.configuration.teacher)
        let share = proposal.indices.reduce(0) { $0 + (top[$1] > 0 ? proposal[$1] : 0) }
        let q = proposal.indices.map { v in
            (top[v] > 0 ? proposal[v] : 0) + (1 - share) * written[v]
        }
        return (q, share)
    }

    static func rule(_ c: Case, seed: UInt64) -> SpeculativeDistillation {
        SpeculativeDistillation(
            c.configuration,
            vocabularies: VocabularyMap(sharedVocabularySize: c.vocabularySize),
            seed: seed
        )
    }

    static func counts(_ c: Case, seed: UInt64, draws: Int) throws -> [Int] {
        let (student, teacher) = logits(c)
        let rule = rule(c, seed: seed)
        func distribution(_ logits: [Float], _ parameters: SamplingParameters) throws
            -> TokenDistribution
        {
            TokenDistribution(try LogitSummary(Buffer(logits), for: parameters), parameters)
        }
        let (studentRaw, teacherRaw) = (
            LogitSummary(Buffer(student)), LogitSummary(Buffer(teacher))
        )
        let proposal = try distribution(student, c.configuration.student)
        let written = try distribution(teacher, c.configuration.teacher)
        let top = try distribution(teacher, SamplingParameters(topK: c.configuration.topK))
        let stream = RandomStream(seed: seed, name: DecodingStream.student)
        var counts = [Int](repeating: 0, count: c.vocabularySize)
        for draw in 0..<draws {
            let key = PositionKey(item: 42, attempt: draw & 15, position: draw >> 4)
            let position = SpeculativeDistillation.Position(
                proposal: proposal.token(at: stream.uniform(at: key)),
                top: top,
                studentProbability: { studentRaw.probability(of: Int($0)) },
                teacherProbability: { teacherRaw.probability(of: Int($0)) },
                teacher: { written }
            )
            counts[Int(try rule.decide(position, key: key).token)] += 1
        }
        return counts
    }

    @Test(arguments: cases, 1...20)
    func frequenciesFollowTheClosedForm(_ c: Case, seed: Int) throws {
        let counts = try Self.counts(c, seed: UInt64(seed), draws: Law.draws)
        let p = chiSquareP(counts: counts, probabilities: Self.law(c).q)
        #expect(p > 1e-3, "seed \(seed), counts \(counts)")
    }

    @Test func casesRefuseSomeProposalsAndKeepSome() {
        for c in Self.cases {
            let (q, share) = Self.law(c)
            #expect(abs(q.reduce(0, +) - 1) < 1e-12)
            #expect(share > 0.02 && share < 0.98, "\(c.name): \(share)")
        }
    }

    @Test func anotherLawIsNotMistakenForThis() throws {
        let c = Self.cases[1]
        let counts = try Self.counts(c, seed: 1, draws: 20_000)
        #expect(chiSquareP(counts: counts, probabilities: Self.law(c, topK: 5).q) < 1e-6)
        #expect(chiSquareP(counts: counts, probabilities: softmax(Self.logits(c).student)) < 1e-6)
        #expect(chiSquareP(counts: counts, probabilities: softmax(Self.logits(c).teacher)) < 1e-6)
    }

    @Test func decisionsFromLogitsAreThoseOfTheirDistributions() throws {
        for c in Self.cases {
            let (student, teacher) = Self.logits(c)
            let rule = Self.rule(c, seed: 3)
            var counts = [Int](repeating: 0, count: c.vocabularySize)
            for draw in 0..<4000 {
                let key = PositionKey(item: 42, attempt: draw & 15, position: draw >> 4)
                let decision = try rule.decide(
                    logits: Buffer(teacher + [90, 90]),
                    proposal: rule.proposal(.logits(Buffer(student + [90, 90])), key: key),
                    key: key
                )
                counts[Int(decision.token)] += 1
            }
            #expect(try counts == Self.counts(c, seed: 3, draws: 4000), "\(c.name)")
        }
    }

    static let size = DecodingEngineTests.size

    /// Decodes with a student that proposes and a teacher that checks.
    static func run(
        _ configuration: Configuration,
        map: VocabularyMap = VocabularyMap(sharedVocabularySize: size),
        batch: Int = 8,
        draft: Int? = nil,
        models: [ToyModel] = [DecodingEngineTests.teacher(), DecodingEngineTests.student()]
    ) throws -> [CompletedSequence] {
        try DecodingEngineTests.sorted(
            DecodingEngineTests.run(
                models,
                SpeculativeDistillation(configuration, vocabularies: map, seed: 5),
                batch: batch,
                rows: 16,
                draft: draft
            )
        )
    }

    @Test func allTokensKeptIsTheStudentAlone() throws {
        for parameters in [Self.raw, .paper, .greedy] {
            let all = try Self.run(.init(topK: Self.size, student: parameters))
            let plain = try DecodingEngineTests.run(
                [DecodingEngineTests.student()],
                PlainSampling(parameters, vocabularySize: Self.size, seed: 5)
            )
            #expect(all.map(\.tokens) == DecodingEngineTests.sorted(plain).map(\.tokens))
            #expect(Set(all.flatMap(\.decisions).map(\.source)) == [.student])
        }
    }

    @Test func draftsChangeNothing() throws {
        let cases: [(Configuration, VocabularyMap)] = [
            (.init(topK: 9), VocabularyMap(sharedVocabularySize: Self.size)),
            (.init(topK: 8, student: Self.raw, teacher: Self.raw), try DraftTests.spellings()),
        ]
        let before = ThreadPool.threadCount
        defer { ThreadPool.configure(threads: before) }
        for (configuration, map) in cases {
            let alone = try Self.run(configuration, map: map, batch: 1, draft: 1)
            let decisions = alone.flatMap(\.decisions)
            #expect(decisions.count { $0.source == .student } > 50)
            #expect(decisions.count { $0.source == .teacher } > 50)
            if !map.isIdentity {
                let own = decisions.filter { (9...14).contains($0.token) }
                #expect(own.count > 10 && own.allSatisfy { $0.source == .student })
                #expect(own.allSatisfy { $0.teacherProbability == nil })
            }
            for threads in [1, 2] {
                ThreadPool.configure(threads: threads)
                for (batch, draft) in [(1, 4), (3, 1), (8, 2), (8, 8), (16, nil)] {
                    let found = try Self.run(configuration, map: map, batch: batch, draft: draft)
                    #expect(found == alone, "batch \(batch), draft \(draft ?? 0)")
                }
            }
        }
    }

    /// A teacher that keeps everything checks K tokens in each pass.
    @Test func aKeptDraftTakesOnePassOfTheTeacher() throws {
        for (draft, passes) in [(1, 41), (4, 11), (8, 6)] {
            let models = [DecodingEngineTests.teacher(), DecodingEngineTests.student()]
            let found = try DecodingEngineTests.run(
                models,
                Self.rule(
                    Case(
                        name: "",
                        configuration: .init(topK: Self.size),
                        vocabularySize: Self.size
                    ),
                    seed: 5
                ),
                stop: StopRules(endOfTurn: [], maxNewTokens: 41),
                [DecodingRequest(id: "a", prompt: [3, 4, 5])],
                draft: draft
            )
            #expect(found[0].tokens.count == 41)
            #expect(models[0].passes == passes && models[1].passes == 1 + 40)
        }
    }

    /// What is recorded of a decision says which rule it follows.
    @Test func everyRecordedTokenSatisfiesItsRule() throws {
        let (student, teacher) = (DecodingEngineTests.student(), DecodingEngineTests.teacher())
        for sequence in try Self.run(.init(topK: 5, student: Self.raw)) {
            let request = try #require(
                DecodingEngineTests.requests.first { $0.id == sequence.id }
            )
            var tokens = request.prompt
            for (position, decision) in sequence.decisions.enumerated() {
                func row(_ model: ToyModel) throws -> [Float] {
                    let input = SequenceInput(tokens: tokens, cache: model.makeCache())
                    let row = try #require(try model.logits([input])[0])
                    return Array(row.array.prefix(Self.size))
                }
                let (own, other) = (try row(student), try row(teacher))
                let top = filtered(other, SamplingParameters(topK: 5))
                let token = Int(decision.token)
                let probability = LogitSummary(Buffer(other)).probability(of: token)
                #expect(decision.teacherProbability == probability)
                #expect(
                    decision.studentProbability == LogitSummary(Buffer(own)).probability(of: token)
                )
                #expect(decision.source == .teacher || top[token] > 0)
                #expect(decision.refused.count == (decision.source == .teacher ? 1 : 0))
                for refusal in decision.refused {
                    #expect(refusal.position == position && refusal.reason == .topK)
                    #expect(top[Int(refusal.token)] == 0)
                }
                tokens.append(decision.token)
            }
        }
    }
}
