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
    }
}
