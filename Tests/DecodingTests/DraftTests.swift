import Basics
import Kernels
import Records
import Testing

@testable import Decoding

@Suite struct DraftTests {
    static let size = DecodingEngineTests.size

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var configuration = ReverseSpeculativeDecoding.Configuration.paper
        var map: VocabularyMap = VocabularyMap(sharedVocabularySize: size)
        var stop = DecodingEngineTests.stop
        var testDescription: String { name }

        var rule: ReverseSpeculativeDecoding {
            ReverseSpeculativeDecoding(configuration, vocabularies: map, seed: 5)
        }
    }

    /// The student lacks the teacher's tokens 9 to 14; its own 9 to 14 take three of the teacher's.
    static func spellings() throws -> VocabularyMap {
        func side(_ name: String) -> VocabularyMap.Side {
            .init(
                name: name,
                tokens: (0..<size).map { id -> [UInt8] in
                    let first = (9...14).contains(id) ? name : "t"
                    return Array("\(first)\(id)".utf8)
                },
                special: []
            )
        }
        return try VocabularyMap(teacher: side("their"), student: side("own")) { bytes in
            [Int32(1 + bytes.count % 3), 2, 3]
        }
    }

    static func cases() throws -> [Case] {
        let raw = SamplingParameters()
        return [
            Case(name: "paper"), Case(name: "reference-code", configuration: .referenceCode),
            Case(
                name: "R = 5, half refused, acceptance recorded",
                configuration: .init(
                    acceptanceThreshold: 0.05,
                    proposals: 5,
                    teacher: raw,
                    fallback: raw,
                    acceptanceThresholds: [0.01, 0.1]
                )
            ),
            Case(
                name: "tokens spelled out",
                configuration: .init(acceptanceThreshold: 0.03, teacher: raw, fallback: raw),
                map: try spellings(),
                stop: StopRules(endOfTurn: [0], maxNewTokens: 60, maxTotalTokens: 90)
            ),
            Case(name: "teacher alone", configuration: .init(acceptanceThreshold: 0)),
            Case(name: "student alone", configuration: .init(acceptanceThreshold: 2)),
            Case(name: "greedy", configuration: .init(teacher: .greedy, fallback: .greedy)),
            Case(
                name: "five new tokens",
                stop: StopRules(endOfTurn: [0], maxNewTokens: 5, maxTotalTokens: 40)
            ),
        ]
    }

    @Test(arguments: try cases()) func draftsChangeNothing(_ c: Case) throws {
        func run(_ batch: Int, _ draft: Int?) throws -> [CompletedSequence] {
            try DecodingEngineTests.sorted(
                DecodingEngineTests.run(
                    [DecodingEngineTests.student(), DecodingEngineTests.teacher()],
                    c.rule,
                    stop: c.stop,
                    batch: batch,
                    rows: 16,
                    draft: draft
                )
            )
        }
        let before = ThreadPool.threadCount
        defer { ThreadPool.configure(threads: before) }
        let alone = try run(1, 1)
        #expect(alone.count > 20)
        for threads in [1, 2] {
            ThreadPool.configure(threads: threads)
            for batch in [1, 3, 8, 16] {
                for draft in [1, 2, 4, 8, nil] {
                    let found = try run(batch, draft)
                    #expect(
                        found == alone,
                        "batch \(batch), draft \(draft ?? 0), \(threads) threads"
                    )
                }
            }
        }
    }

    @Test func casesReachEveryKindOfEnd() throws {
        var ends: Set<StopReason> = []
        var (full, cut) = (0, 0)
        var (fallbacks, spelled) = (0, 0)
        for c in try Self.cases() {
            let models = [DecodingEngineTests.student(), DecodingEngineTests.teacher()]
            for found in try DecodingEngineTests.run(models, c.rule, stop: c.stop, draft: 8) {
                ends.insert(found.stop)
                full += found.tokens.count == c.stop.maxNewTokens ? 1 : 0
                cut += found.stop == .length && found.tokens.count < c.stop.maxNewTokens ? 1 : 0
                fallbacks += found.decisions.count { $0.reason == .refused }
                if !c.map.isIdentity { spelled += found.tokens.count { (9...14).contains($0) } }
            }
        }
        #expect(ends == [.endOfTurn, .length] && full > 0 && cut > 0)
        #expect(fallbacks > 100 && spelled > 20)
    }

    /// A student that keeps everything checks K tokens in each pass.
    @Test func aKeptDraftTakesOnePassOfTheStudent() throws {
        let rule = ReverseSpeculativeDecoding(
            .init(acceptanceThreshold: 0),
            vocabularies: VocabularyMap(sharedVocabularySize: Self.size),
            seed: 5
        )
        for (draft, passes) in [(1, 41), (4, 11), (8, 6)] {
            let (student, teacher) = (DecodingEngineTests.student(), DecodingEngineTests.teacher())
            let found = try DecodingEngineTests.run(
                [student, teacher],
                rule,
                stop: StopRules(endOfTurn: [], maxNewTokens: 41),
                [DecodingRequest(id: "a", prompt: [3, 4, 5])],
                draft: draft
            )
            #expect(found[0].tokens.count == 41)
            // The prompt's pass gives the first token; the last is never read.
            #expect(student.passes == passes)
            #expect(teacher.passes == 1 + 40)
            #expect(student.readTokens == 3 + 40 && teacher.readTokens == 3 + 40)
        }
    }

    /// Seconds of a round under a simple model of both models' costs.
    struct Costs: Sendable {
        var teacher: Double
        var student: Double
        var studentRow: Double
        var acceptance: Double

        func round(_ length: Int) -> Double {
            Double(length) * (teacher + studentRow) + student
        }
        var best: Int {
            DraftLength.choices.min { cost($0) < cost($1) } ?? 0
        }
        func cost(_ length: Int) -> Double {
            let a = acceptance
            let tokens = (0..<length).reduce(0.0) { sum, power in
                sum + (0..<power).reduce(1.0) { product, _ in product * a }
            }
            return round(length) / tokens
        }
    }

    @Test(arguments: [
        (Costs(teacher: 1, student: 3, studentRow: 0, acceptance: 0.99), 8),
        (Costs(teacher: 1, student: 1, studentRow: 0.1, acceptance: 0.8), 2),
        (Costs(teacher: 3, student: 1, studentRow: 0.5, acceptance: 0.6), 1),
    ])
    func theLengthOfLeastCostIsChosen(_ costs: Costs, _ expected: Int) {
        #expect(costs.best == expected)
        var lengths = DraftLength(nil)
        let stream = RandomStream(seed: 1, name: "draft length")
        var chosen: [Int: Int] = [:]
        var (run, position) = (0, 0)
        for round in 0..<2000 {
            let length = lengths.next(sequences: 16)
            if round >= 1000 { chosen[length, default: 0] += 1 }
            for _ in 0..<length {
                position += 1
                let draw = stream.uniform(item: 0, attempt: 0, position: position, draw: 0)
                run = draw < costs.acceptance ? run + 1 : 0
                lengths.count(run: run)
                if run == 0 { break }
            }
            lengths.note(length: length, seconds: costs.round(length))
        }
        #expect(chosen[expected, default: 0] > 950, "\(chosen)")
        #expect(chosen.values.reduce(0, +) == 1000)
    }

    @Test func aFixedLengthStays() {
        var lengths = DraftLength(3)
        for _ in 0..<200 {
            #expect(lengths.next(sequences: 4) == 3)
            lengths.note(length: 3, seconds: 1)
        }
    }
}
