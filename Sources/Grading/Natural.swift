/// A whole number >= 0 of any size, enough of one for exact comparison of answers.
///
/// Base 2^32, least significant limb first, no leading zero limbs. Schoolbook multiplication:
/// sizes are bounded by `WorkBudget.maximumBits`, which the callers check. There is no division;
/// fractions are compared by cross-multiplication.
struct Natural: Equatable, Sendable {
    private var limbs: [UInt32]

    static let zero = Natural(0)
    static let one = Natural(1)
    static let ten = Natural(10)

    init(_ value: UInt64) {
        limbs = [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)]
        trim()
    }

    /// Reads ASCII digits; every other byte is skipped.
    init(digits: some Sequence<UInt8>) {
        limbs = []
        // Nine digits at a time: 10^9 is the largest power of ten in a limb.
        var (chunk, scale): (UInt64, UInt64) = (0, 1)
        for digit in digits where digit.isDigit {
            chunk = chunk * 10 + UInt64(digit - 0x30)
            scale *= 10
            if scale == 1_000_000_000 {
                append(chunk, scale: scale)
                (chunk, scale) = (0, 1)
            }
        }
        append(chunk, scale: scale)
        trim()
    }

    /// `self = self * scale + chunk`.
    private mutating func append(_ chunk: UInt64, scale: UInt64) {
        var carry = chunk
        for index in limbs.indices {
            carry += UInt64(limbs[index]) * scale
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    var isZero: Bool { limbs.isEmpty }

    /// The number of bits up to the highest one that is set; 0 for zero.
    var bitWidth: Int {
        guard let top = limbs.last else { return 0 }
        return limbs.count * 32 - top.leadingZeroBitCount
    }

    /// What multiplying or adding costs, in limbs.
    var size: Int { max(1, limbs.count) }

    /// The value where it fits an `Int`.
    var integer: Int? {
        guard bitWidth <= 62 else { return nil }
        return limbs.reversed().reduce(0) { $0 << 32 | Int($1) }
    }

    /// `mantissa * 2^exponent`, correct to about one unit in the last place of a `Double`.
    var scaled: (mantissa: Double, exponent: Int) {
        let top = limbs.suffix(3)
        let mantissa = top.reversed().reduce(0.0) { $0 * 0x1p32 + Double($1) }
        return (mantissa, 32 * (limbs.count - top.count))
    }

    private mutating func trim() {
        while limbs.last == 0 { limbs.removeLast() }
    }

    static func < (a: Natural, b: Natural) -> Bool {
        if a.limbs.count != b.limbs.count { return a.limbs.count < b.limbs.count }
        return a.limbs.reversed().lexicographicallyPrecedes(b.limbs.reversed())
    }

    static func + (a: Natural, b: Natural) -> Natural {
        var result = a
        result.limbs += Array(repeating: 0, count: max(0, b.limbs.count - a.limbs.count))
        var carry: UInt64 = 0
        for index in result.limbs.indices {
            carry += UInt64(result.limbs[index])
            if index < b.limbs.count { carry += UInt64(b.limbs[index]) }
            result.limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { result.limbs.append(UInt32(carry)) }
        return result
    }

    /// - Precondition: `b <= a`.
    static func - (a: Natural, b: Natural) -> Natural {
        precondition(!(a < b), "Natural: difference below zero")
        var result = a
        var borrow: Int64 = 0
        for index in result.limbs.indices {
            var limb = Int64(result.limbs[index]) - borrow
            if index < b.limbs.count { limb -= Int64(b.limbs[index]) }
            borrow = limb < 0 ? 1 : 0
            result.limbs[index] = UInt32(truncatingIfNeeded: limb)
        }
        result.trim()
        return result
    }

    static func * (a: Natural, b: Natural) -> Natural {
        var result = Natural.zero
        result.limbs = Array(repeating: 0, count: a.limbs.count + b.limbs.count)
        for (i, x) in a.limbs.enumerated() {
            var carry: UInt64 = 0
            for (j, y) in b.limbs.enumerated() {
                carry += UInt64(x) * UInt64(y) + UInt64(result.limbs[i + j])
                result.limbs[i + j] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            result.limbs[i + b.limbs.count] = UInt32(carry)
        }
        result.trim()
        return result
    }

    /// `self` to the power `exponent`, or `nil` where it would pass the bound on exact numbers.
    func power(_ exponent: Int, budget: WorkBudget) -> Natural? {
        if self == .one || isZero { return exponent == 0 ? .one : self }
        guard exponent <= WorkBudget.maximumBits / max(1, bitWidth - 1) else { return nil }
        var (result, base, rest) = (Natural.one, self, exponent)
        while rest > 0 {
            guard budget.spend(result.size * base.size + base.size * base.size) else { return nil }
            if rest & 1 == 1 { result = result * base }
            rest >>= 1
            if rest > 0 { base = base * base }
        }
        return result.bitWidth <= WorkBudget.maximumBits ? result : nil
    }
}
