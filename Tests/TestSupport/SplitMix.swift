/// SplitMix64, a small generator of repeatable random numbers.
///
/// Source: Steele, Lea and Flood 2014.
public struct SplitMix: RandomNumberGenerator, Sendable {
    /// All that the next numbers depend on.
    public var state: UInt64

    /// A generator that starts from a seed.
    public init(state: UInt64) { self.state = state }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
