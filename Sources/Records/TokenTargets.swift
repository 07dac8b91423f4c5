import Basics

/// A teacher's distributions along one trace, as far as they are kept: its most likely tokens at each
/// position, and the rest's probability.
///
/// On disk one JSON object a line. What `rsd-generate targets` writes and a student learns a
/// divergence from when the teacher itself is not there any more.
public struct TokenTargets: Sendable, Equatable {
    /// The problem's id.
    public var id: String
    /// The digest of the student's vocabulary, in which all ids are; see
    /// `Tokenizer.vocabularyDigest`.
    public var vocabulary: String
    /// The completion's tokens.
    public var ids: [Int32]
    /// The teacher's most likely tokens at each position, `[ids.count][at most n]`.
    public var top: [[Int32]]
    /// The natural logarithms of their probabilities, as many.
    public var logProbabilities: [[Float]]
    /// The natural logarithm of all other tokens' probability together, `[ids.count]`; NaN where
    /// there are no others.
    public var rest: [Float]

    /// Describes a trace.
    ///
    /// - Precondition: One entry a token everywhere.
    public init(
        id: String,
        vocabulary: String,
        ids: [Int32],
        top: [[Int32]],
        logProbabilities: [[Float]],
        rest: [Float]
    ) {
        precondition(
            top.count == ids.count && rest.count == ids.count
                && logProbabilities.map(\.count) == top.map(\.count),
            "TokenTargets: \(top.count) positions for \(ids.count) tokens"
        )
        self.id = id
        self.vocabulary = vocabulary
        self.ids = ids
        self.top = top
        self.logProbabilities = logProbabilities
        self.rest = rest
    }

    /// The record as one JSON object.
    public var json: JSON {
        [
            "id": .string(id), "vocabulary": .string(vocabulary), "ids": .integers(ids),
            "top": .array(top.map { .integers($0) }),
            "logprobs": .array(logProbabilities.map { .numbers($0) }),
            "rest": .numbers(rest),
        ]
    }

    /// Reads a record and checks that it holds distributions.
    ///
    /// - Throws: `Failure.badData` naming the member: lists of different lengths, a token twice,
    ///   logarithms that are not those of probabilities, or probabilities that do not add up to 1.
    public init(json: JSON) throws {
        let ids = try json.tokens("ids")
        let top = try json.array("top").map { list in
            let position: JSON = ["top": list]
            return try position.tokens("top")
        }
        let logarithms = try json.array("logprobs").map { list in
            let position: JSON = ["logprobs": list]
            return try position.numbers("logprobs").map { Float($0) }
        }
        let rest = try json.numbers("rest").map { Float($0) }
        for (name, count) in [
            ("top", top.count), ("logprobs", logarithms.count), ("rest", rest.count),
        ] where count != ids.count {
            throw Failure(
                .badData,
                at: "'\(name)'",
                "found \(count) entries; expected \(ids.count), as many as 'ids'"
            )
        }
        for position in ids.indices {
            let (tokens, values) = (top[position], logarithms[position])
            guard tokens.count == values.count, Set(tokens).count == tokens.count else {
                throw Failure(
                    .badData,
                    at: "'top'[\(position)]",
                    "found \(tokens.count) tokens, \(Set(tokens).count) different ones, and "
                        + "\(values.count) logarithms; expected as many"
                )
            }
            let all = rest[position].isNaN ? values : values + [rest[position]]
            let total = all.reduce(0) { $0 + Elementary.exp(Double($1)) }
            guard all.allSatisfy({ $0.isFinite }), abs(total - 1) <= 1e-3 else {
                throw Failure(
                    .badData,
                    at: "'logprobs'[\(position)]",
                    "probabilities add up to \(total) with the rest; expected 1"
                )
            }
        }
        self.init(
            id: try json.filledString("id"),
            vocabulary: try json.filledString("vocabulary"),
            ids: ids,
            top: top,
            logProbabilities: logarithms,
            rest: rest
        )
    }
}
