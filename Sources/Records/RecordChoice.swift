import Basics

/// Which records of a JSON Lines file are used.
///
/// Conditions come first, then what is passed over, then the number: the first ones that are left, or
/// ones drawn by a seed. The order of the file is kept.
public struct RecordChoice: Sendable, Equatable {
    /// A member of a record and the values it may have.
    public struct Condition: Sendable, Equatable {
        /// The member's name.
        public var key: String
        /// The values as compact JSON text.
        public var values: [String]

        /// Describes a condition.
        public init(key: String, values: [String]) {
            self.key = key
            self.values = values
        }
    }

    /// How many records at the start are passed over.
    public var skip = 0
    /// How many records are used; nil for all.
    public var limit: Int?
    /// Draws `limit` records at random instead of the first ones; nil for the first ones.
    public var seed: UInt64?
    /// What every record must satisfy.
    public var conditions: [Condition]

    /// Describes a choice; by default all records.
    public init(limit: Int? = nil, seed: UInt64? = nil, conditions: [Condition] = []) {
        self.limit = limit
        self.seed = seed
        self.conditions = conditions
    }

    /// Whether a record satisfies the conditions.
    public func accepts(_ record: JSON) -> Bool {
        conditions.allSatisfy { condition in
            record[condition.key].map { condition.values.contains($0.compact) } ?? false
        }
    }

    /// Takes `limit` of the records that satisfy the conditions, in their order.
    public func take<T>(_ all: [T]) -> [T] {
        let records = Array(all.dropFirst(skip))
        guard let limit, limit < records.count else { return records }
        guard let seed else { return Array(records.prefix(limit)) }
        let order = RandomStream(seed: seed, name: "records")
            .permutation(count: records.count, item: 0)
        return order.prefix(limit).sorted().map { records[$0] }
    }

    /// What to say where a file holds nothing that satisfies the conditions, or no more than is passed
    /// over.
    func nothing(in path: String, of accepted: Int) -> Failure {
        if accepted > 0 {
            return Failure(
                .badData,
                file: path,
                "holds \(accepted) records that satisfy the conditions, and skip passes over \(skip)",
                remedy: "Lower skip."
            )
        }
        let wanted = conditions.map { "\($0.key) \($0.values.joined(separator: " or "))" }
        return Failure(
            .badData,
            file: path,
            "holds no record with \(wanted.joined(separator: " and "))",
            remedy: "Check the names and values under where."
        )
    }
}
