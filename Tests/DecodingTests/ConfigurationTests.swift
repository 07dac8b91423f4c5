import Basics
import Testing

@testable import Decoding

@Suite struct ConfigurationTests {
    typealias Configuration = ReverseSpeculativeDecoding.Configuration

    @Test func presetsAreThePublishedNumbers() {
        let paper = Configuration.paper
        #expect(paper.acceptanceThreshold == 0.01 && paper.proposals == 1)
        #expect(paper.teacher == SamplingParameters(temperature: 0.7, topP: 0.95))
        #expect(paper.fallback == paper.teacher && paper.acceptanceTopK == nil)
        let code = Configuration.referenceCode
        #expect(code.acceptanceThreshold == 0.01 && code.proposals == 5)
        #expect(code.teacher == SamplingParameters(topK: 20) && code.fallback == code.teacher)
        #expect(code.acceptanceTopK == 20)
        let stop = StopRules(endOfTurn: [])
        #expect(stop.maxNewTokens == 7168 && stop.maxTotalTokens == 8192)
    }

    @Test func numbersOutOfRangeAreRefused() {
        let bad: [Configuration] = [
            .init(acceptanceThreshold: -0.1), .init(acceptanceThreshold: .nan),
            .init(proposals: 0), .init(proposals: 70_000), .init(teacher: .init(topP: 2)),
            .init(fallback: .init(temperature: -1)), .init(acceptanceTopK: 0),
            .init(acceptanceThresholds: [.infinity]),
        ]
        for configuration in bad {
            let failure = #expect(throws: Failure.self) {
                try configuration.validate(at: "generation")
            }
            #expect(failure?.kind == .configuration)
            #expect(failure?.place?.hasPrefix("generation") == true)
        }
        #expect(throws: Never.self) { try Configuration.referenceCode.validate() }
    }
}
