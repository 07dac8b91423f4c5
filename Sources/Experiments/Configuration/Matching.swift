import Basics

/// How an arm's data are made as much as those of other arms.
public struct Matching: Sendable, Equatable {
    /// The arms to be compared with.
    public var arms: [String] = []
    /// Whether only problems count for which this arm and all of those have a trace.
    public var problems = false
    /// Whether only as many target tokens count as the smallest of them has.
    public var targetTokens = true
}

extension Matching: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "arms",
            \.arms,
            .list("arms", of: .filled()),
            isRequired: true,
            "The arms to be compared with."
        ),
        Key(
            "problems",
            \.problems,
            .truth,
            "Keeps only problems for which this arm and all of those have a trace."
        ),
        Key(
            "targetTokens",
            \.targetTokens,
            .truth,
            "Keeps only as many target tokens as the smallest of them has."
        ),
    ]

    func check(_ reader: ConfigurationReader) {
        if !problems && !targetTokens {
            reader.report.add(reader.place, "matches neither problems nor targetTokens")
        }
    }
}
