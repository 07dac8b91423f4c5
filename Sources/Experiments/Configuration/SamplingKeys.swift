import Basics
import Decoding

extension SamplingParameters: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "temperature",
            \.temperature,
            .temperature,
            "Divides the logits; 0 always takes the most likely token."
        ),
        // 0 is the usual way of saying "all" where a default has to be undone.
        Key(
            "topK",
            \.topK,
            .some(.whole(0...Int.max), orNilAs: 0),
            "Keeps this many of the most likely tokens; 0 keeps all."
        ),
        Key(
            "topP",
            \.topP,
            .number(1e-6...1),
            "Keeps the smallest set of tokens with this share of the probability; 1 keeps all."
        ),
        Key(
            "minP",
            \.minP,
            .number(0...1),
            "Drops tokens less likely than this times the most likely one; 0 drops none."
        ),
    ]
}

extension ValueKind where Value == Double {
    fileprivate static var temperature: Self {
        ValueKind(
            "0 or a number from 0.0001 to 100",
            parse: { json in
                json.number.flatMap { $0 == 0 || (1e-4...100).contains($0) ? $0 : nil }
            },
            json: { .number($0) }
        )
    }
}
