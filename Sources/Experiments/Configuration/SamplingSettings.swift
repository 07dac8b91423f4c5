import Files

/// How a token is drawn from a model's distribution.
public struct SamplingSettings: Sendable, Equatable {
    /// Divides the logits; 0 takes the most likely token.
    public var temperature: Double
    /// Keeps this many of the most likely tokens; nil keeps all.
    public var topK: Int?
    /// Keeps the most likely tokens up to this share of the probability; 1 keeps all.
    public var topP: Double
    /// Drops tokens less likely than this times the most likely one; 0 drops none.
    public var minP: Double

    /// Describes a way of drawing; by default from the model's own distribution.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double = 1, minP: Double = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
    }

    init(_ reader: ConfigurationReader, default standard: SamplingSettings) {
        temperature = reader.number("temperature", default: standard.temperature, in: 0...100)
        // 0 is the usual way of saying "all" where a default has to be undone.
        let topK = reader.integer("topK", default: standard.topK ?? 0, in: 0...Int.max)
        self.topK = topK == 0 ? nil : topK
        topP = reader.number("topP", default: standard.topP, in: 1e-6...1)
        minP = reader.number("minP", default: standard.minP, in: 0...1)
    }

    /// The members as they enter keys and manifests.
    var json: JSON {
        [
            "temperature": .number(temperature), "topK": .integer(topK ?? 0),
            "topP": .number(topP), "minP": .number(minP),
        ]
    }
}
