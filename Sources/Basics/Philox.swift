/// Counter-based random bits: Philox 4x32 with ten rounds.
///
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
public struct Philox4x32: Sendable {
    /// 128 random bits, a function of the key and the counter alone.
    public static func block(key: SIMD2<UInt32>, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (key, c) = (key, counter)
        for _ in 0..<10 {
            let first = UInt64(c.x) * 0xD251_1F53
            let second = UInt64(c.z) * 0xCD9E_8D57
            c = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ c.y ^ key.x,
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ c.w ^ key.y,
                UInt32(truncatingIfNeeded: first)
            )
            key &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return c
    }
}
