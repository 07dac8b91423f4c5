import Basics
import Foundation
import Kernels
import Records
import Testing

@testable import Decoding

@Suite struct DecodingEngineTests {
    static let size = 40
    static let stop = StopRules(endOfTurn: [0], maxNewTokens: 60, maxTotalTokens: 90)

    static func student() -> ToyModel { .random(vocabularySize: size, salt: 1) }
    static func teacher() -> ToyModel { .random(vocabularySize: size, salt: 2) }

    static func reverse(
        _ configuration: ReverseSpeculativeDecoding.Configuration = .paper
    ) -> ReverseSpeculativeDecoding {
        ReverseSpeculativeDecoding(
            configuration,
            vocabularies: VocabularyMap(sharedVocabularySize: size),
            seed: 5
        )
    }

    /// Problems with prompts of 1 to 37 tokens and one to four tries.
    static let requests: [DecodingRequest] = (0..<9).map { problem in
        let length = 1 + problem * problem * 37 / 64
        let prompt: [Int32] = (0..<length).map { place in Int32((place * 7 + problem) % size) }
        return DecodingRequest(
            id: "problem-\(problem)",
            prompt: prompt,
            attempts: Array(0...(problem % 4))
        )
    }

    static func run(
        _ models: [ToyModel],
        _ rule: any NextTokenRule,
        stop: StopRules = stop,
        _ requests: [DecodingRequest] = requests,
        batch: Int = 8,
        rows: Int = 256,
        draft: Int? = nil
    ) throws -> [CompletedSequence] {
        let engine = try DecodingEngine(
            model: models[0],
            proposer: models.count > 1
                ? LocalProposer(models[1], promptRowsPerPass: rows) : nil,
            rule: rule,
            stop: stop,
            options: .init(batchSize: batch, promptRowsPerPass: rows, draftTokens: draft)
        )
        var all: [CompletedSequence] = []
        try engine.run(requests) { all.append($0) }
        return all
    }

    static func sorted(_ all: [CompletedSequence]) -> [CompletedSequence] {
        all.sorted { ($0.id, $0.attempt) < ($1.id, $1.attempt) }
    }

    @Test func resultsDoNotDependOnBatchOrChunksOrOrder() throws {
        let rules: [any NextTokenRule] = [
            Self.reverse(), Self.reverse(.referenceCode),
            PlainSampling(.init(topP: 0.9), vocabularySize: Self.size, seed: 5),
        ]
        for rule in rules {
            let models = [Self.student(), Self.teacher()]
                .prefix(rule.proposerVocabularySize == nil ? 1 : 2).map(\.self)
            let alone = try Self.sorted(Self.run(models, rule, batch: 1))
            #expect(alone.count == Self.requests.reduce(0) { $0 + $1.attempts.count })
            #expect(Set(alone.map(\.tokens)).count == alone.count)  // tries differ
            for (batch, rows) in [(3, 256), (8, 5), (16, 1), (16, 256)] {
                let found = try Self.run(models, rule, batch: batch, rows: rows)
                #expect(Self.sorted(found) == alone, "batch \(batch), rows \(rows)")
            }
            for order in 1...3 {
                let stream = RandomStream(seed: UInt64(order), name: "order")
                var shuffled = stream.permutation(count: Self.requests.count, item: 0)
                    .map { Self.requests[$0] }
                for index in shuffled.indices { shuffled[index].attempts.reverse() }
                let found = try Self.run(models, rule, shuffled, batch: 3, rows: 7)
                #expect(Self.sorted(found) == alone, "order \(order)")
            }
        }
    }

    @Test func thresholdZeroIsTheTeacherAndAboveOneTheStudent() throws {
        let limits: [(Double, TokenSource)] = [(0, .teacher), (1.5, .student)]
        for parameters in [SamplingParameters(), .init(temperature: 0.7, topP: 0.95), .greedy] {
            for (threshold, source) in limits {
                let rule = Self.reverse(
                    .init(
                        acceptanceThreshold: threshold,
                        proposals: 3,
                        teacher: parameters,
                        fallback: parameters
                    )
                )
                let both = try Self.run([Self.student(), Self.teacher()], rule)
                let plain = try Self.run(
                    [source == .teacher ? Self.teacher() : Self.student()],
                    PlainSampling(parameters, vocabularySize: Self.size, seed: 5, source: source),
                    batch: 3
                )
                #expect(Self.sorted(both).map(\.tokens) == Self.sorted(plain).map(\.tokens))
                let sources = Set(both.flatMap(\.decisions).map(\.source))
                #expect(sources == [source])
            }
        }
    }

    @Test func everyRecordedTokenSatisfiesItsRule() throws {
        let (student, teacher) = (Self.student(), Self.teacher())
        for configuration in [
            ReverseSpeculativeDecoding.Configuration.paper, .referenceCode,
            .init(acceptanceThreshold: 0.05, proposals: 2, acceptanceThresholds: [0, 0.05, 2]),
        ] {
            let threshold = configuration.acceptanceThreshold
            var sources: Set<TokenSource> = []
            for found in try Self.run([student, teacher], Self.reverse(configuration)) {
                var context = Self.requests.first { $0.id == found.id }!.prompt
                for decision in found.decisions {
                    func raw(_ salt: UInt64) -> [Double] {
                        softmax(
                            ToyModel.randomLogits(after: context, count: Self.size, salt: salt)
                        )
                    }
                    let (own, proposed) = (raw(1), raw(2))
                    let token = Int(decision.token)
                    sources.insert(decision.source)
                    #expect(abs(Double(decision.studentProbability!) - own[token]) < 1e-5)
                    #expect(abs(Double(decision.teacherProbability!) - proposed[token]) < 1e-5)
                    if decision.source == .teacher {
                        #expect(Double(decision.studentProbability!) >= threshold)
                        #expect(decision.reason == .accepted)
                        #expect(decision.refused.count < configuration.proposals)
                    } else {
                        #expect(decision.reason == .refused)
                        #expect(decision.refused.count == configuration.proposals)
                    }
                    for refused in decision.refused where refused.reason == .threshold {
                        #expect(Double(refused.studentProbability) < threshold)
                        #expect(
                            abs(Double(refused.teacherProbability) - proposed[Int(refused.token)])
                                < 1e-5
                        )
                    }
                    if configuration.acceptanceThresholds.count == 3 {
                        let proposal = filtered(
                            ToyModel.randomLogits(after: context, count: Self.size, salt: 2),
                            configuration.teacher
                        )
                        let a = zip(proposal, own).reduce(0) { $0 + ($1.1 >= 0.05 ? $1.0 : 0) }
                        #expect(abs(Double(decision.acceptance[0]) - 1) < 1e-6)
                        #expect(abs(Double(decision.acceptance[1]) - a) < 1e-4)
                        #expect(decision.acceptance[2] == 0)
                    }
                    context.append(decision.token)
                }
            }
            #expect(sources == [.teacher, .student])
        }
    }

    /// The student's last token is spelled 1, 2, 3 by the teacher, whose own last token it lacks.
    @Test func modelsReadEachTokenInTheirOwnVocabulary() throws {
        func side(_ last: String) -> VocabularyMap.Side {
            .init(
                name: last,
                tokens: (0..<9).map { Array("t\($0)".utf8) } + [Array(last.utf8)],
                special: []
            )
        }
        let map = try VocabularyMap(teacher: side("their"), student: side("own")) { _ in [1, 2, 3] }
        let teacher = ToyModel(vocabularySize: 12) { tokens in
            var logits = ToyModel.randomLogits(after: tokens, count: 12, salt: 4)
            logits[9] = 4.5
            logits[11] = 80  // No token of its tokenizer.
            return logits
        }
        let student = ToyModel(vocabularySize: 10) { tokens in
            var logits = ToyModel.randomLogits(after: tokens, count: 10, salt: 3)
            logits[9] = 4.5
            return logits
        }
        let rule = ReverseSpeculativeDecoding(
            .init(acceptanceThreshold: 0.05, teacher: .init(), fallback: .init()),
            vocabularies: map,
            seed: 9
        )
        let stop = StopRules(endOfTurn: [], maxNewTokens: 200, maxTotalTokens: 10_000)
        let found = try Self.run(
            [student, teacher],
            rule,
            stop: stop,
            [DecodingRequest(id: "a", prompt: [4, 9, 5], attempts: [0, 1])]
        )
        var owns = 0
        for sequence in found {
            var context: [Int32] = [4, 1, 2, 3, 5]
            for decision in sequence.decisions {
                var logits = ToyModel.randomLogits(after: context, count: 10, salt: 4)
                logits[9] = 4.5
                let raw = softmax(logits)
                if decision.token == 9 {
                    owns += 1
                    #expect(decision.source == .student)
                    #expect(decision.teacherProbability == nil)
                    context += [1, 2, 3]
                } else {
                    let p = Double(decision.teacherProbability!)
                    #expect(abs(p - raw[Int(decision.token)]) < 1e-5)
                    context.append(decision.token)
                }
                #expect(decision.refused.allSatisfy { $0.token < 9 })
            }
        }
        #expect(owns > 10)

        // A teacher that insists on the token the student lacks has nothing to propose.
        let insisting = ReverseSpeculativeDecoding(
            .init(teacher: .greedy, fallback: .init()),
            vocabularies: map,
            seed: 9
        )
        let stubborn = ToyModel(vocabularySize: 10) { _ in (0..<10).map { $0 == 9 ? 9 : 0 } }
        let left = try Self.run(
            [student, stubborn],
            insisting,
            stop: stop,
            [DecodingRequest(id: "a", prompt: [4])]
        )
        #expect(left[0].decisions.allSatisfy { $0.reason == .noProposal && $0.source == .student })
    }

    @Test func paddingIsNeverDrawn() throws {
        // The toy's rows end in padding with huge logits; a smaller tokenizer makes more of it.
        let model = Self.student()
        for size in [Self.size, 25] {
            let rule = PlainSampling(.init(), vocabularySize: size, seed: 1)
            let requests = [DecodingRequest(id: "a", prompt: [1], attempts: Array(0..<20))]
            let tokens = Set(try Self.run([model], rule, requests).flatMap(\.tokens))
            #expect(tokens == Set(0..<Int32(size)))
        }
    }

    @Test func promptsAreReadOnceInChunksWithinTheirBound() throws {
        let model = Self.student()
        let rule = PlainSampling(.init(), vocabularySize: Self.size, seed: 1)
        let prompt = (0..<50).map { Int32($0 % 40) }
        let found = try Self.run(
            [model],
            rule,
            stop: StopRules(endOfTurn: [], maxNewTokens: 4),
            [
                DecodingRequest(id: "a", prompt: prompt, attempts: [0, 1, 2, 3, 4]),
                DecodingRequest(id: "b", prompt: prompt, attempts: [7]),
            ],
            batch: 3,
            rows: 16
        )
        #expect(found.count == 6)
        // 50 prompt tokens a problem; all new ones but the last a try.
        #expect(model.readTokens == 2 * 50 + 6 * 3)
        // A chunk of a prompt beside at most two sequences under way.
        #expect((16...18).contains(model.mostRows))
    }

    @Test func onlyTheTriesAskedForAreMade() throws {
        let all = try Self.run([Self.student(), Self.teacher()], Self.reverse())
        let some = Self.requests.map {
            var request = $0
            request.attempts = $0.attempts.filter { $0 % 2 == 1 }
            return request
        }
        let found = try Self.run([Self.student(), Self.teacher()], Self.reverse(), some)
        #expect(Self.sorted(found) == Self.sorted(all).filter { $0.attempt % 2 == 1 })
    }

    @Test func oneModelMayPlayBothParts() throws {
        let model = Self.student()
        let found = try Self.run([model, model], Self.reverse())
        #expect(
            Self.sorted(found)
                == Self.sorted(
                    try Self.run(
                        [Self.student(), Self.student()],
                        Self.reverse()
                    )
                )
        )
        #expect(
            found.flatMap(\.decisions).allSatisfy {
                $0.studentProbability == $0.teacherProbability
            }
        )
    }
}
