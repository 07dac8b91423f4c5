import Basics

/// How surprising a sample of the student is to the student itself, token by token.
///
/// On disk one JSON object a line, in a file beside the tries whose relative gate it calibrates.
public struct OwnSurprisals: Sendable, Equatable {
    /// The problem's id.
    public var id: String
    /// The relative surprisal of each token of the sample.
    public var ratios: [Float]

    /// Describes a sample.
    public init(id: String, ratios: [Float]) {
        self.id = id
        self.ratios = ratios
    }

    /// The record as one JSON object.
    public var json: JSON { ["id": .string(id), "ratios": .numbers(ratios)] }

    /// Reads a record.
    ///
    /// - Throws: `Failure.badData` naming the member: no ratios, or one below 0.
    public init(json: JSON) throws {
        let ratios = try json.numbers("ratios").map { Float($0) }
        guard !ratios.isEmpty, ratios.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw Failure(.badData, at: "'ratios'", "expected numbers of at least 0, one or more")
        }
        self.init(id: try json.filledString("id"), ratios: ratios)
    }
}
