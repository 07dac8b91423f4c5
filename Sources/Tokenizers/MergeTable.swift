/// The merge rules of a byte-pair encoding: a pair of token ids, its rank, and what it becomes.
///
/// Open addressing on the two ids packed in one word, by multiplication with a random number
/// (Dietzfelbinger et al. 1997, "A reliable randomized algorithm for the closest-pair problem"),
/// on which no result depends. An entry packs rank and result likewise, the
/// rank on top, so that the smaller entry is the rule to apply first.
struct MergeTable: Sendable {
    /// A rule: rank in the upper 32 bits, resulting token id in the lower.
    typealias Entry = UInt64

    /// Stands for "no such rule"; greater than every rule.
    static let none = Entry.max
    private static let emptyKey = UInt64.max

    private var keys: [UInt64]
    private var entries: [Entry]
    private let mask: Int
    /// What takes the upper bits of a product down to a slot.
    private let shift: UInt64
    /// Odd and drawn anew for each table, so that nobody can choose ids that collide.
    private let multiplier = UInt64.random(in: .min ... .max) | 1

    /// A table that can hold `capacity` rules.
    init(capacity: Int) {
        var size = 16
        while size < capacity &* 2 { size &*= 2 }
        shift = UInt64(64 - size.trailingZeroBitCount)
        keys = Array(repeating: MergeTable.emptyKey, count: size)
        entries = Array(repeating: MergeTable.none, count: size)
        mask = size - 1
    }

    /// The rule for two neighbouring tokens, or `none`.
    @inline(__always)
    func rule(_ left: Int32, _ right: Int32) -> Entry {
        entries[slot(MergeTable.key(left, right))]
    }

    /// Adds a rule; of two for the same pair the first stays.
    mutating func add(_ left: Int32, _ right: Int32, rank: Int, result: Int32) {
        let key = MergeTable.key(left, right)
        let slot = slot(key)
        guard keys[slot] == MergeTable.emptyKey else { return }
        keys[slot] = key
        entries[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: result))
    }

    /// The token a rule results in.
    @inline(__always)
    static func result(of entry: Entry) -> Int32 { Int32(truncatingIfNeeded: entry) }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: (key &* multiplier) &>> shift)
        while keys[slot] != key && keys[slot] != MergeTable.emptyKey { slot = (slot + 1) & mask }
        return slot
    }
}
