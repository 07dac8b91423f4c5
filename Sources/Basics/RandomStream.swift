/// A named stream of random numbers, each a function of where it is used.
///
/// There is no state: the number of an item, an attempt, a position and a draw is always the same,
/// whatever was drawn before and in which order. The key is hashed from the root seed and the
/// stream's name; the counter is (item: 64 bits, attempt: 16 | draw: 16, position: 32).
public struct RandomStream: Sendable {
    private let key: SIMD2<UInt32>

    /// The stream of a name under a root seed.
    public init(seed: UInt64, name: String) {
        var digest = SHA256()
        digest.update("\(seed):")
        digest.update(name)
        let bits = digest.leadingBits()
        key = SIMD2(UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
    }

    /// A stable hash of an identifier's UTF-8 bytes: the first 64 bits of its SHA-256.
    public static func itemKey(_ id: String) -> UInt64 {
        var digest = SHA256()
        digest.update(id)
        return digest.leadingBits()
    }

    /// 128 random bits of a place in the stream.
    ///
    /// - Precondition: `attempt` and `draw` fit 16 bits, `position` 32.
    public func bits(item: UInt64, attempt: Int, position: Int, draw: Int) -> SIMD4<UInt32> {
        precondition(
            0...0xFFFF ~= attempt && 0...0xFFFF ~= draw && 0...0xFFFF_FFFF ~= position,
            "RandomStream: attempt \(attempt), position \(position), draw \(draw)"
        )
        return Philox4x32.block(
            key: key,
            counter: SIMD4(
                UInt32(truncatingIfNeeded: item),
                UInt32(truncatingIfNeeded: item >> 32),
                UInt32(attempt) << 16 | UInt32(draw),
                UInt32(position)
            )
        )
    }

    /// A number in [0, 1), a multiple of 2^-53.
    public func uniform(item: UInt64, attempt: Int, position: Int, draw: Int) -> Double {
        let b = bits(item: item, attempt: attempt, position: position, draw: draw)
        return Self.unit(b.x, b.y)
    }

    /// A number of the standard normal distribution (Box and Muller's formula).
    public func normal(item: UInt64, attempt: Int, position: Int, draw: Int) -> Double {
        let b = bits(item: item, attempt: attempt, position: position, draw: draw)
        let radius = (-2 * Elementary.log(1 - Self.unit(b.x, b.y))).squareRoot()
        return radius * Elementary.cos(2 * .pi * Self.unit(b.z, b.w))
    }

    /// The numbers 0..<count in a random order, every order equally likely.
    ///
    /// Draws attempt 0xFFFF of the item, one position an element.
    public func permutation(count: Int, item: UInt64) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, below(last + 1, item: item, position: last))
        }
        return order
    }

    /// A number in 0..<bound without bias: Lemire's multiplication, drawn again in the short zone.
    private func below(_ bound: Int, item: UInt64, position: Int) -> Int {
        let bound = UInt64(bound)
        for draw in 0...0xFFFF {
            let b = bits(item: item, attempt: 0xFFFF, position: position, draw: draw)
            let product = (UInt64(b.y) << 32 | UInt64(b.x)).multipliedFullWidth(by: bound)
            if product.low >= bound || product.low >= (0 &- bound) % bound {
                return Int(product.high)
            }
        }
        preconditionFailure("RandomStream: 65536 draws in a zone of chance 2^-32")
    }

    private static func unit(_ low: UInt32, _ high: UInt32) -> Double {
        Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
    }
}
