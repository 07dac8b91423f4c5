import Basics

/// Uniform numbers for resampling: number `i` of a named sequence, always the same.
public final class UniformDraws {
    private let stream = RandomStream(seed: 0, name: "statistics")
    private let item: UInt64
    private var place = -1
    private var block = SIMD4<UInt32>()

    /// The sequence of a name.
    public init(_ name: String) { item = RandomStream.itemKey(name) }

    /// Number `i`, in [0, 1), a multiple of 2^-32; cheapest in ascending order.
    public func callAsFunction(_ i: Int) -> Double {
        if i >> 2 != place {
            place = i >> 2
            block = stream.bits(item: item, attempt: 0, position: place, draw: 0)
        }
        return Double(block[i & 3]) * 0x1p-32
    }

    /// Number `i` of a named sequence, for a few numbers.
    static func shared(_ name: String, _ i: Int) -> Double { UniformDraws(name)(i) }
}
