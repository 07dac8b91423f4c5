import Foundation
import Kernels
import Testing

@testable import Decoding

/// The gate that follows the student's own uncertainty.
@Suite struct RelativeGateTests {
    @Test func entropyIsThatOfTheSoftmax() {
        for (salt, spread) in [(1, 0.1), (2, 3.0), (3, 12), (4, 60)] as [(UInt64, Double)] {
            let row = ToyModel.randomLogits(after: [], count: 5000, salt: salt, spread: spread)
            let p = softmax(row)
            let entropy = p.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
            let summary = LogitSummary(Buffer(row))
            #expect(abs(summary.entropy - entropy) < 1e-5 * max(1, entropy))
            for token in [0, 17, 4999] {
                let ratio = summary.relativeSurprisal(of: Int32(token), entropy: summary.entropy)
                #expect(abs(ratio * (entropy + 1e-6) + log(p[token])) < 1e-3)
            }
        }
        // One possible token: no surprise, no entropy; an impossible one is refused by any gate.
        let sure = LogitSummary(Buffer([Float(0), -.infinity, -.infinity]))
        #expect(sure.entropy == 0 && sure.relativeSurprisal(of: 0, entropy: 0) == 0)
        #expect(sure.relativeSurprisal(of: 1, entropy: 0) == .infinity)
    }

    @Test func theThresholdPassesItsShare() {
        let ratios: [Float] = [5, 1, 4, 2, 3]
        for (share, expected) in [(0.01, 1), (0.2, 1), (0.21, 2), (0.6, 3), (0.99, 5), (1, 5)] {
            let threshold = RelativeGate.threshold(passing: share, of: ratios)
            #expect(threshold == Double(expected), "\(share)")
        }
    }

    /// The student's own text passes the gate as often as was asked for.
    @Test(arguments: [0.7, 0.9, 0.98], [SamplingParameters(), .paper])
    func ownTextPassesAsOftenAsAskedFor(quantile: Double, parameters: SamplingParameters) throws {
        let size = DecodingEngineTests.size
        let requests = (0..<60).map { problem in
            DecodingRequest(
                id: "p\(problem)",
                prompt: [Int32(problem % size), 3],
                attempts: [0, 1]
            )
        }
        func run(_ models: [ToyModel], _ rule: any NextTokenRule) throws -> [CompletedSequence] {
            try DecodingEngineTests.run(
                models,
                rule,
                stop: StopRules(endOfTurn: [], maxNewTokens: 60),
                requests
            )
        }
        /// The student's rows along a text.
        func rows(_ prompt: [Int32], _ tokens: [Int32]) -> [LogitSummary] {
            tokens.indices.map { place in
                LogitSummary(
                    Buffer(
                        ToyModel.randomLogits(
                            after: prompt + tokens[..<place],
                            count: size,
                            salt: 1
                        )
                    )
                )
            }
        }
        let own = try run(
            [DecodingEngineTests.student()],
            PlainSampling(parameters, vocabularySize: size, seed: 5, stream: "gate")
        )
        var ratios: [Float] = []
        for sequence in own {
            let prompt = try #require(requests.first { $0.id == sequence.id }).prompt
            for (row, token) in zip(rows(prompt, sequence.tokens), sequence.tokens) {
                ratios.append(Float(row.relativeSurprisal(of: token, entropy: row.entropy)))
            }
        }
        let threshold = RelativeGate.threshold(passing: quantile, of: ratios)

        // The student is its own teacher: what it proposes is its own text, in other random numbers.
        let gated = try run(
            [DecodingEngineTests.student(), DecodingEngineTests.student()],
            ReverseSpeculativeDecoding(
                .init(teacher: parameters, fallback: parameters, relativeThreshold: threshold),
                vocabularies: VocabularyMap(sharedVocabularySize: size),
                seed: 6
            )
        )
        let shares = gated.map { sequence in
            Double(sequence.decisions.count { $0.reason == .accepted })
                / Double(sequence.tokens.count)
        }
        let mean = shares.reduce(0, +) / Double(shares.count)
        let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count)
        // Of the samples that the threshold comes from, and of those that it is tried on.
        let error = (2 * variance / Double(shares.count)).squareRoot()
        #expect(shares.count == 120 && error < 0.01)
        #expect(abs(mean - quantile) < 4 * error, "\(mean) for \(quantile), error \(error)")
        #expect(
            gated.flatMap(\.decisions).flatMap(\.refused).allSatisfy { $0.reason == .relative }
        )
    }
}
