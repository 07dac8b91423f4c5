/// The merge rules of a byte-pair encoding: a pair of token ids, its rank, and what it becomes.
///
/// Open addressing on the two ids packed in one word. An entry packs rank and result likewise, the
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

    /// A table that can hold `capacity` rules.
    init(capacity: Int) {
        var size = 16
        while size < capacity &* 2 { size &*= 2 }
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
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
        while keys[slot] != key && keys[slot] != MergeTable.emptyKey { slot = (slot + 1) & mask }
        return slot
    }
}
