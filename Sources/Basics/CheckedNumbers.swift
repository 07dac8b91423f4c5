/// Numbers from files, each within the range that its meaning has, so that none of them can be
/// senseless further down.
extension JSON {
    /// The largest count that a file may hold: sums of a few thousand such fit 64 bits.
    public static let mostCounted = 1 << 48

    /// A required count.
    ///
    /// - Throws: `Failure.badData` naming the member, what it holds and what it may.
    public func count(_ key: String) throws -> Int {
        try integer(key, in: 0...Self.mostCounted)
    }

    /// A required whole number within a range.
    ///
    /// - Throws: `Failure.badData`.
    public func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int {
        let value = try integer(key)
        guard range.contains(value) else {
            throw Self.outside(key, "\(value)", "\(range.lowerBound)", "\(range.upperBound)")
        }
        return value
    }

    /// A required number within a range.
    ///
    /// - Throws: `Failure.badData`.
    public func number(_ key: String, in range: ClosedRange<Double>) throws -> Double {
        try Self.checked(try number(key), key, range)
    }

    /// A number within a range; nil where the member is missing or null.
    ///
    /// - Throws: `Failure.badData` for another kind of value too.
    public func optionalNumber(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        guard let value = self[key], !value.isNull else { return nil }
        return try number(key, in: range)
    }

    /// A list of numbers within a range; empty where the member is missing.
    ///
    /// - Throws: `Failure.badData` naming the first element that is outside.
    public func optionalNumbers(_ key: String, in range: ClosedRange<Double>) throws -> [Double] {
        guard self[key] != nil else { return [] }
        return try numbers(key).enumerated().map {
            try Self.checked($1, "\(key)[\($0)]", range)
        }
    }

    private static func checked(
        _ value: Double,
        _ key: String,
        _ range: ClosedRange<Double>
    ) throws -> Double {
        guard range.contains(value) else {
            throw outside(key, "\(value)", "\(range.lowerBound)", "\(range.upperBound)")
        }
        return value
    }

    private static func outside(_ key: String, _ found: String, _ low: String, _ high: String)
        -> Failure
    {
        Failure(.badData, at: "'\(key)'", "found \(found); expected \(low) to \(high)")
    }
}
