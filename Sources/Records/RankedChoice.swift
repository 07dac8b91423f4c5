import Basics

/// Which of its own answers to a question a model named the best.
public struct RankedChoice: Sendable, Equatable {
    /// The question's id.
    public var id: String
    /// The numbers of the samples that it was shown, in that order: one of each different answer.
    ///
    /// One, which is chosen unseen, where all agree; none where no sample has an answer.
    public var shown: [Int]
    /// The number of the sample that it named; nil where it named none.
    public var chosen: Int?
    /// What it said.
    public var text: String
    /// How many tokens that has; 0 where nothing was asked.
    public var tokenCount: Int

    /// Describes a choice.
    public init(id: String, shown: [Int], chosen: Int?, text: String, tokenCount: Int) {
        self.id = id
        self.shown = shown
        self.chosen = chosen
        self.text = text
        self.tokenCount = tokenCount
    }

    /// The record as one JSON object.
    public var json: JSON {
        [
            "id": .string(id), "shown": .integers(shown),
            "chosen": chosen.map { .integer($0) } ?? .null, "tokens": .integer(tokenCount),
            "text": .string(text),
        ]
    }

    /// Reads a record.
    ///
    /// - Throws: `Failure.badData` naming the member.
    public init(json: JSON) throws {
        self.init(
            id: try json.filledString("id"),
            shown: try json.integers("shown"),
            chosen: try json.require("chosen", "a whole number or null") { value -> Int?? in
                value.isNull ? .some(nil) : value.integer.map { .some($0) }
            },
            text: try json.string("text"),
            tokenCount: try json.naturalNumber("tokens")
        )
        guard Set(shown).count == shown.count, shown.allSatisfy({ $0 >= 0 }),
            chosen.map(shown.contains) ?? true
        else {
            throw Failure(
                .badData,
                at: "'chosen'",
                "found \(chosen.map(String.init) ?? "null"); expected one of 'shown', which are "
                    + "different numbers of samples"
            )
        }
    }
}
