/// Byte strings numbered from 0 in the order they were appended, and found again by their bytes.
///
/// One flat array holds all bytes, and an open-addressing hash table holds the numbers, so that
/// 150,000 entries cost a few allocations and a look-up allocates nothing. Keys are bytes and never
/// `String`, which compares by canonical equivalence.
struct SpellingTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var slots: [Int32]
    private var usedSlots = 0

    /// An empty table with room for `capacity` entries.
    init(capacity: Int = 16) {
        var size = 32
        while size < capacity &* 2 { size &*= 2 }
        slots = Array(repeating: -1, count: size)
        ends.reserveCapacity(capacity)
    }

    /// The number of entries, those that cannot be found included.
    var count: Int { ends.count }

    /// Where an entry lies in `bytes`.
    func range(of index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    /// The bytes of an entry.
    subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(of: index)] }

    /// Appends an entry that `find` does not see yet.
    @discardableResult
    mutating func append(_ spelling: some Sequence<UInt8>) -> Int {
        bytes.append(contentsOf: spelling)
        ends.append(bytes.count)
        return ends.count - 1
    }

    /// Makes an entry findable; of two entries spelled alike the first made so stays, unless
    /// `replacing`.
    ///
    /// - Returns: The entry spelled alike that was findable before, if there was one.
    @discardableResult
    mutating func publish(_ index: Int, replacing: Bool = false) -> Int? {
        let slot = slot(of: bytes, range(of: index))
        guard slots[slot] < 0 else {
            defer { if replacing { slots[slot] = Int32(index) } }
            return Int(slots[slot])
        }
        slots[slot] = Int32(index)
        usedSlots += 1
        if usedSlots &* 2 > slots.count { grow() }
        return nil
    }

    /// The number of the entry spelled like `source[range]`, or nil.
    func find(_ source: [UInt8], _ range: Range<Int>) -> Int? {
        let index = slots[slot(of: source, range)]
        return index < 0 ? nil : Int(index)
    }

    /// The most slots taken in a row, which bounds the steps of a look-up.
    var longestRun: Int {
        slots.reduce(into: (run: 0, longest: 0)) { result, slot in
            result.run = slot < 0 ? 0 : result.run + 1
            result.longest = max(result.longest, result.run)
        }.longest
    }

    /// Forgets all entries and keeps the memory.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = -1 }
        usedSlots = 0
    }

    /// The slot that holds this spelling, or the empty one where it belongs.
    private func slot(of source: [UInt8], _ range: Range<Int>) -> Int {
        let mask = slots.count - 1
        var slot = SpellingTable.hash(source, range) & mask
        while slots[slot] >= 0 {
            if isEqual(Int(slots[slot]), source, range) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func isEqual(_ index: Int, _ source: [UInt8], _ range: Range<Int>) -> Bool {
        let own = self.range(of: index)
        guard own.count == range.count else { return false }
        var offset = 0
        while offset < range.count {
            if bytes[own.lowerBound + offset] != source[range.lowerBound + offset] { return false }
            offset += 1
        }
        return true
    }

    private mutating func grow() {
        let published = slots.filter { $0 >= 0 }
        slots = Array(repeating: -1, count: slots.count * 2)
        for index in published {
            let slot = slot(of: bytes, range(of: Int(index)))
            slots[slot] = index
        }
    }

    /// What is mixed into every hash, drawn anew in each process.
    ///
    /// So nobody can write a vocabulary whose spellings collide. Nothing depends on the order of the
    /// slots.
    private static let keys = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

    /// Eight bytes at a time are multiplied with a key, and the halves of the product joined.
    ///
    /// Source: Wang Yi 2019, wyhash.
    private static func hash(_ source: [UInt8], _ range: Range<Int>) -> Int {
        func folded(_ a: UInt64, _ b: UInt64) -> UInt64 {
            let product = a.multipliedFullWidth(by: b)
            return product.high ^ product.low
        }
        let (first, second) = keys
        // The length tells apart what the last word, with bytes of the one before, confuses.
        var hash = first ^ UInt64(range.count)
        var word: UInt64 = 0
        for index in range {
            word = word << 8 | UInt64(source[index])
            if (index - range.lowerBound) & 7 == 7 { hash = folded(hash ^ word, second | 1) }
        }
        return Int(truncatingIfNeeded: folded(hash ^ word, second | 1) ^ first)
    }
}
