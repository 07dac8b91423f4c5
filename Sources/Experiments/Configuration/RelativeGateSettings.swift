/// A token gate that follows the student's own uncertainty.
public struct RelativeGateSettings: Sendable, Equatable {
    /// The share of the student's own tokens that the gate lets through.
    public var quantile = 0.98
    /// At how many problems, the first ones, the student is sampled to find the threshold.
    public var samples = 64
}

extension RelativeGateSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "quantile",
            \.quantile,
            .number(0.01...1),
            "The share of the student's own tokens that the gate lets through."
        ),
        Key(
            "samples",
            \.samples,
            .whole(1...65535),
            "How many problems, the first ones, the student tries once to find the threshold."
        ),
    ]
}
