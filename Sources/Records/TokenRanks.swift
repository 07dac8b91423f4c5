import Basics

/// The rank of each token of one try under the student: 1 for its most likely token.
///
/// On disk one JSON object a line, in a file beside the tries.
public struct TokenRanks: Sendable, Equatable {
    /// The highest rank that is told apart: larger ones are stored as this.
    public static let highest = 100

    /// The problem's id.
    public var id: String
    /// Which try at the problem, from 0.
    public var attempt: Int
    /// At most `highest`, one a token.
    public var ranks: [Int]

    /// Describes a try.
    public init(id: String, attempt: Int, ranks: [Int]) {
        self.id = id
        self.attempt = attempt
        self.ranks = ranks
    }

    /// The record as one JSON object.
    public var json: JSON {
        ["id": .string(id), "try": .integer(attempt), "ranks": .integers(ranks)]
    }

    /// Reads a record.
    ///
    /// - Throws: `Failure.badData` naming the member: a rank below 1 or above `highest`.
    public init(json: JSON) throws {
        let ranks = try json.integers("ranks")
        guard let odd = ranks.first(where: { !(1...Self.highest).contains($0) }) else {
            self.init(
                id: try json.filledString("id"),
                attempt: try json.naturalNumber("try"),
                ranks: ranks
            )
            return
        }
        throw Failure(.badData, at: "'ranks'", "found \(odd); expected 1 to \(Self.highest)")
    }
}

extension Trace {
    /// Σ -ln P_S over its tokens, in nats; ∞ where the student was not asked about one.
    public var surprisal: Double {
        studentProbability.reduce(0) { sum, probability in
            // What a float cannot hold is as unlikely as what it can.
            let held = max(probability, .leastNonzeroMagnitude)
            return sum + (probability.isNaN ? .infinity : -Elementary.log(Double(held)))
        }
    }

    /// The mean of -ln P_S over its tokens, whose exponential is the student's perplexity.
    var meanSurprisal: Double { ids.isEmpty ? .infinity : surprisal / Double(ids.count) }

    /// Σ rank / Σ -ln P_S: low where tokens are unlikely and still among the student's first ones
    /// (arXiv:2601.14249).
    func rankSurprisal(_ ranks: [Int]) -> Double {
        let surprisal = surprisal
        return surprisal > 0 && surprisal.isFinite
            ? Double(ranks.reduce(0, +)) / surprisal : .infinity
    }
}
