import Basics
import Foundation
import Kernels
import Testing

@testable import Decoding

@Suite struct TokenDistributionTests {
    /// Probabilities 1/2, 1/4, 1/8, 1/16, 1/16 in the order 2, 0, 4, 1, 3.
    static let logits: [Float] = [0.25, 0.0625, 0.5, 0.0625, 0.125].map { log($0) }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var parameters: SamplingParameters
        var expected: [Double]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "all",
            parameters: SamplingParameters(),
            expected: [0.25, 0.0625, 0.5, 0.0625, 0.125]
        ),
        Case(name: "greedy", parameters: .greedy, expected: [0, 0, 1, 0, 0]),
        Case(
            name: "temperature 1/2 squares",
            parameters: SamplingParameters(temperature: 0.5),
            expected: [64, 4, 256, 4, 16].map { $0 / 344 }
        ),
        Case(
            name: "top-k 2",
            parameters: SamplingParameters(topK: 2),
            expected: [1.0 / 3, 0, 2.0 / 3, 0, 0]
        ),
        Case(
            name: "top-k 4 takes the lower id of a tie",
            parameters: SamplingParameters(topK: 4),
            expected: [4, 1, 8, 0, 2].map { $0 / 15 }
        ),
        Case(
            name: "top-k beyond the vocabulary",
            parameters: SamplingParameters(topK: 99),
            expected: [0.25, 0.0625, 0.5, 0.0625, 0.125]
        ),
        Case(
            name: "top-p 0.45 keeps one",
            parameters: SamplingParameters(topP: 0.45),
            expected: [0, 0, 1, 0, 0]
        ),
        Case(
            name: "top-p 0.7 keeps two",
            parameters: SamplingParameters(topP: 0.7),
            expected: [1.0 / 3, 0, 2.0 / 3, 0, 0]
        ),
        Case(
            name: "top-p 0.9 takes the lower id of a tie",
            parameters: SamplingParameters(topP: 0.9),
            expected: [4, 1, 8, 0, 2].map { $0 / 15 }
        ),
        Case(
            name: "top-p of what top-k left",
            // Of 2/3 and 1/3 the first alone reaches 0.6; of 1/2 and 1/4 it would not.
            parameters: SamplingParameters(topK: 2, topP: 0.6),
            expected: [0, 0, 1, 0, 0]
        ),
        Case(
            name: "min-p 0.2",
            parameters: SamplingParameters(minP: 0.2),
            expected: [2, 0, 4, 0, 1].map { $0 / 7 }
        ),
        Case(
            name: "min-p after top-p",
            parameters: SamplingParameters(topP: 0.8, minP: 0.4),
            expected: [1.0 / 3, 0, 2.0 / 3, 0, 0]
        ),
    ]

    static func distribution(_ logits: [Float], _ parameters: SamplingParameters) throws
        -> TokenDistribution
    {
        TokenDistribution(try LogitSummary(Buffer(logits), for: parameters), parameters)
    }

    @Test(arguments: cases) func filtersGiveTheDistributionOfTheirDefinition(_ c: Case) throws {
        let distribution = try Self.distribution(Self.logits, c.parameters)
        for (id, expected) in c.expected.enumerated() {
            let found = distribution.probability(of: Int32(id))
            #expect(abs(found - expected) < 1e-6, "token \(id)")
            #expect(distribution.contains(Int32(id)) == (expected > 0), "token \(id)")
        }
    }

    @Test(arguments: [3, 64, 1000, 20_000]) func filtersAgreeWithSortingEverything(
        _ count: Int
    ) throws {
        let all = [
            SamplingParameters(temperature: 0.7, topP: 0.95), SamplingParameters(topK: 20),
            SamplingParameters(temperature: 1.3, topK: 300, topP: 0.9),
            SamplingParameters(topP: 0.9999), SamplingParameters(temperature: 0.6, minP: 0.05),
            SamplingParameters(topK: 1), SamplingParameters(topK: 50, topP: 0.8, minP: 0.1),
        ]
        for (salt, spread) in [(1, 0.01), (2, 3.0), (3, 12.0)] {
            let logits = ToyModel.randomLogits(
                after: [],
                count: count,
                salt: UInt64(salt),
                spread: spread
            )
            for parameters in all {
                let found = try Self.distribution(logits, parameters)
                let expected = filtered(logits, parameters)
                let kept = expected.indices.filter { expected[$0] > 0 }
                #expect(found.tokens == kept.map(Int32.init), "\(parameters), spread \(spread)")
                for (token, weight) in zip(found.tokens, found.weights) {
                    let wanted = expected[Int(token)]
                    let difference = Double(weight) / found.total - wanted
                    guard abs(difference) > 2e-6 * wanted else { continue }
                    Issue.record("token \(token) off by \(difference)")
                }
            }
        }
    }

    @Test func greedyTakesTheLowestIdOfEquals() throws {
        let cases: [([Float], Int32)] = [
            ([1, 3, 2, 3, 3], 1), ([-5, -5], 0), ([-.infinity, -7], 1),
        ]
        for (logits, best) in cases {
            #expect(try Self.distribution(logits, .greedy).tokens == [best])
        }
    }

    @Test(arguments: [SamplingParameters.greedy, .init(), .init(topK: 1), .init(topP: 0.5)])
    func logitsThatAreNotNumbersAreRefused(_ parameters: SamplingParameters) {
        let inf = Float.infinity
        for bad: [Float] in [[1, .nan, 2], [.nan, .nan, .nan], [1, inf], [-inf, -inf]] {
            #expect(throws: Failure.self) { try Self.distribution(bad, parameters) }
        }
    }

    @Test func drawsInvertTheCumulativeDistribution() {
        let distribution = TokenDistribution(tokens: [3, 5, 9], weights: [1, 2, 1])
        let cases: [(Double, Int32)] = [
            (0, 3), (0.2499, 3), (0.25, 5), (0.7499, 5), (0.75, 9), (1 - 0x1p-53, 9),
        ]
        for (uniform, token) in cases { #expect(distribution.token(at: uniform) == token) }
    }

    @Test func restrictionRenormalises() {
        let distribution = TokenDistribution(tokens: [3, 5, 9], weights: [1, 2, 1])
        let rest = distribution.restricted { $0 != 5 }
        #expect(rest == TokenDistribution(tokens: [3, 9], weights: [1, 1]))
        #expect(rest.probability(of: 9) == 0.5)
        #expect(distribution.restricted { _ in false }.isEmpty)
    }

    @Test func parametersOutOfRangeAreRefused() {
        let bad: [SamplingParameters] = [
            .init(temperature: -1), .init(temperature: .nan), .init(temperature: .infinity),
            .init(topK: 0), .init(topP: 0), .init(topP: 1.1), .init(minP: -0.1), .init(minP: 2),
        ]
        for parameters in bad {
            #expect(throws: Failure.self) { try parameters.validate(at: "generation.teacher") }
        }
        #expect(throws: Never.self) { try SamplingParameters.greedy.validate() }
    }
}
