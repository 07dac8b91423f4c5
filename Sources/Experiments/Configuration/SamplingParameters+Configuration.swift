import Decoding
import Basics

extension SamplingParameters {
    init(_ reader: ConfigurationReader, default standard: SamplingParameters) {
        let temperature = reader.optional("temperature", "0 or a number from 0.0001 to 100") {
            value in
            value.number.flatMap { $0 == 0 || (1e-4...100).contains($0) ? $0 : nil }
        }
        // 0 is the usual way of saying "all" where a default has to be undone.
        let topK = reader.integer("topK", default: standard.topK ?? 0, in: 0...Int.max)
        self.init(
            temperature: temperature ?? standard.temperature,
            topK: topK == 0 ? nil : topK,
            topP: reader.number("topP", default: standard.topP, in: 1e-6...1),
            minP: reader.number("minP", default: standard.minP, in: 0...1)
        )
    }

    /// The members as they enter keys and manifests.
    var json: JSON {
        [
            "temperature": .number(temperature), "topK": .integer(topK ?? 0),
            "topP": .number(topP), "minP": .number(minP),
        ]
    }
}
