import Foundation
import Kernels
import Testing

@testable import Decoding

/// The frequencies of tokens against the closed form of the method.
@Suite struct ReverseSpeculativeLawTests {
    /// A million draws a case take seconds optimised and minutes otherwise.
    static let draws: Int = {
        var optimised = true
        assert(
            {
                optimised = false; return true
            }()
        )
        return optimised ? 1_000_000 : 20_000
    }()

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var configuration: ReverseSpeculativeDecoding.Configuration
        var vocabularySize = 12
        /// How far logits lie apart; more makes more tokens unlikely.
        var spread = 3.0
        var testDescription: String { name }
    }

    static let raw = SamplingParameters()
    static func configuration(
        _ threshold: Double,
        proposals: Int
    ) -> ReverseSpeculativeDecoding.Configuration {
        .init(acceptanceThreshold: threshold, proposals: proposals, teacher: raw, fallback: raw)
    }

    static let cases: [Case] = [
        Case(name: "R = 1", configuration: configuration(0.01, proposals: 1)),
        Case(name: "R = 5", configuration: configuration(0.01, proposals: 5)),
        Case(name: "R = 1, half refused", configuration: configuration(0.1, proposals: 1)),
        Case(name: "R = 5, half refused", configuration: configuration(0.1, proposals: 5)),
        Case(
            name: "relative gate",
            configuration: .init(teacher: raw, fallback: raw, relativeThreshold: 1.3)
        ),
        Case(name: "preset paper", configuration: .paper, vocabularySize: 30),
        Case(name: "preset reference-code", configuration: .referenceCode, vocabularySize: 40),
    ]

    /// Rows of logits that make the case interesting: some proposals refused, some not.
    static func logits(_ c: Case) -> (student: [Float], teacher: [Float]) {
        func row(_ salt: UInt64) -> [Float] {
            ToyModel.randomLogits(after: [], count: c.vocabularySize, salt: salt, spread: c.spread)
        }
        return (row(11), row(12))
    }

    /// The closed form.
    ///
    ///     q(v) = P_T(v)·1[v in A]·(1 - (1 - a)^R)/a + (1 - a)^R·P_S(v)
    static func law(_ c: Case, proposals: Int? = nil) -> (q: [Double], a: Double) {
        let (student, teacher) = logits(c)
        let raw = softmax(student)
        let top = c.configuration.acceptanceTopK.map {
            filtered(student, SamplingParameters(topK: $0))
        }
        let entropy = raw.reduce(0) { $0 - $1 * log($1) }
        let accepted = raw.indices.map { v in
            if let threshold = c.configuration.relativeThreshold {
                return -log(raw[v]) / (entropy + 1e-6) <= threshold
            }
            return raw[v] >= c.configuration.acceptanceThreshold && top?[v] != 0
        }
        let proposal = filtered(teacher, c.configuration.teacher)
        let fallback = filtered(student, c.configuration.fallback)
        let a = proposal.indices.reduce(0) { $0 + (accepted[$1] ? proposal[$1] : 0) }
        let refused = pow(1 - a, Double(proposals ?? c.configuration.proposals))
        let q = raw.indices.map { v in
            (accepted[v] && a > 0 ? proposal[v] * (1 - refused) / a : 0) + refused * fallback[v]
        }
        return (q, a)
    }

    static func counts(_ c: Case, seed: UInt64, draws: Int) throws -> [Int] {
        let (student, teacher) = logits(c)
        let rule = ReverseSpeculativeDecoding(
            c.configuration,
            vocabularies: VocabularyMap(sharedVocabularySize: c.vocabularySize),
            seed: seed
        )
        func distribution(_ logits: [Float], _ parameters: SamplingParameters) throws
            -> TokenDistribution
        {
            TokenDistribution(try LogitSummary(Buffer(logits), for: parameters), parameters)
        }
        let (studentRaw, teacherRaw) = (
            LogitSummary(Buffer(student)), LogitSummary(Buffer(teacher))
        )
        let proposal = try distribution(teacher, c.configuration.teacher)
        let fallback = try distribution(student, c.configuration.fallback)
        let top = try c.configuration.acceptanceTopK.map {
            try distribution(student, SamplingParameters(topK: $0))
        }
        let position = ReverseSpeculativeDecoding.Position(
            proposal: proposal,
            studentProbability: { studentRaw.probability(of: Int($0)) },
            relativeSurprisal: {
                studentRaw.relativeSurprisal(of: $0, entropy: studentRaw.entropy)
            },
            teacherProbability: { teacherRaw.probability(of: Int($0)) },
            acceptanceTop: top,
            fallback: { fallback }
        )
        var counts = [Int](repeating: 0, count: c.vocabularySize)
        for draw in 0..<draws {
            let key = PositionKey(item: 42, attempt: draw & 15, position: draw >> 4)
            let decision = try rule.decide(position, key: key)
            counts[Int(decision.token)] += 1
        }
        return counts
    }

    @Test(arguments: cases, 1...20)
    func frequenciesFollowTheClosedForm(_ c: Case, seed: Int) throws {
        let counts = try Self.counts(c, seed: UInt64(seed), draws: Self.draws)
        let p = chiSquareP(counts: counts, probabilities: Self.law(c).q)
        #expect(p > 1e-3, "seed \(seed), counts \(counts)")
    }

    @Test func casesRefuseSomeProposalsAndKeepSome() {
        for c in Self.cases {
            let (q, a) = Self.law(c)
            #expect(abs(q.reduce(0, +) - 1) < 1e-12)
            #expect(a > 0.05 && a < 0.95, "\(c.name): \(a)")
        }
    }

    @Test func anotherLawIsNotMistakenForThis() throws {
        let c = Self.cases[2]
        let counts = try Self.counts(c, seed: 1, draws: 20_000)
        #expect(chiSquareP(counts: counts, probabilities: Self.law(c, proposals: 2).q) < 1e-6)
        #expect(chiSquareP(counts: counts, probabilities: softmax(Self.logits(c).student)) < 1e-6)
    }

    @Test func decisionsFromLogitsAreThoseOfTheirDistributions() throws {
        for c in Self.cases {
            let (student, teacher) = Self.logits(c)
            let rule = ReverseSpeculativeDecoding(
                c.configuration,
                vocabularies: VocabularyMap(sharedVocabularySize: c.vocabularySize),
                seed: 3
            )
            var counts = [Int](repeating: 0, count: c.vocabularySize)
            for draw in 0..<4000 {
                let key = PositionKey(item: 42, attempt: draw & 15, position: draw >> 4)
                let decision = try rule.decide(
                    logits: Buffer(student),
                    proposal: rule.proposal(.logits(Buffer(teacher)), key: key),
                    key: key
                )
                counts[Int(decision.token)] += 1
            }
            #expect(try counts == Self.counts(c, seed: 3, draws: 4000), "\(c.name)")
        }
    }

    /// Table values: the 95 % and 99.9 % points of the chi-square distribution.
    @Test func chiSquareTailAgreesWithTables() {
        let cases: [(Double, Int, Double)] = [
            (3.841459, 1, 0.05), (10.827566, 1, 0.001), (18.307038, 10, 0.05),
            (29.588298, 10, 0.001), (55.758479, 40, 0.05), (0, 3, 1), (2, 2, exp(-1)),
        ]
        for (statistic, degrees, tail) in cases {
            #expect(abs(chiSquareTail(statistic, degrees: degrees) - tail) < 1e-8)
        }
    }
}
