import TestSupport

/// Bytes with the places of the numbers among them, so that damage can be aimed.
struct MarkedBytes: Sendable {
    /// A little-endian number, or the border of a part where the width is 0.
    struct Mark: Sendable {
        var offset: Int
        var width: Int
    }

    private(set) var bytes: [UInt8] = []
    private(set) var marks: [Mark] = []

    init() {}

    init(_ bytes: [UInt8], marks: [Mark] = []) {
        self.bytes = bytes
        self.marks = marks
    }

    /// Appends a number.
    mutating func append<T: FixedWidthInteger>(_ value: T) {
        marks.append(Mark(offset: bytes.count, width: MemoryLayout<T>.size))
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes in which there is no number.
    mutating func append(_ other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

    /// Notes that a part ends here and another begins.
    mutating func endPart() { marks.append(Mark(offset: bytes.count, width: 0)) }
}

/// Damages files made of numbers and bytes.
struct ByteMutator: Sendable {
    let seeds: [MarkedBytes]

    /// A damaged copy of one of the seeds; one in thirty is whole.
    func next(_ random: inout SplitMix) -> [UInt8] {
        let seed = random.pick(seeds)
        var bytes = seed.bytes
        if random.isOne(in: 30) { return bytes }
        for _ in 0..<random.below(4) { Self.overwrite(&bytes, seed.marks, &random) }
        if random.isOne(in: 3) { resize(&bytes, seed.marks, &random) }
        return bytes
    }

    /// Changes bytes in place.
    static func overwrite(
        _ bytes: inout [UInt8],
        _ marks: [MarkedBytes.Mark],
        _ random: inout SplitMix
    ) {
        guard !bytes.isEmpty else { return }
        let numbers = marks.filter { $0.width > 0 }
        switch random.below(numbers.isEmpty ? 4 : 10) {
        case 0: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        case 1: bytes[random.below(bytes.count)] = random.pick([0, 1, 0x7F, 0x80, 0xFF, 0x20])
        case 2:
            let start = random.below(bytes.count)
            let end = min(bytes.count, start + 1 + random.below(64))
            let filler: UInt8? = random.pick([0, 0xFF, nil])
            for place in start..<end { bytes[place] = filler ?? UInt8(random.below(256)) }
        case 3:
            put(
                Array(random.pick(TextMutator.oddTexts).utf8),
                at: random.below(bytes.count),
                &bytes
            )
        case 4:
            let (from, to) = (random.pick(numbers), random.pick(numbers))
            put(Array(bytes[from.offset..<from.offset + from.width]), at: to.offset, &bytes)
        default:
            let mark = random.pick(numbers)
            let range = mark.offset..<mark.offset + mark.width
            let old = bytes[range].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let new = number(old, size: bytes.count, &random)
            put(
                (0..<mark.width).map { UInt8(truncatingIfNeeded: new >> (8 * UInt64($0))) },
                at: mark.offset,
                &bytes
            )
        }
    }

    /// A number that readers trip over, in the place of another.
    private static func number(_ old: UInt64, size: Int, _ random: inout SplitMix) -> UInt64 {
        switch random.below(6) {
        case 0: old &+ 1
        case 1: old &- 1
        case 2: UInt64(random.below(16))
        case 3: 1 << UInt64(random.below(64))
        case 4: UInt64(size) &+ UInt64(random.below(9)) &- 4
        default:
            random.pick([
                .max, 1 << 63 - 1, UInt64(UInt32.max), UInt64(Int32.max), 1 << 61 + 1, 0,
                0x7FC0_0000, 0x7F80_0000, 0xFF80_0000, 0x8000_0000, 1, 0x3F80_0000, 0xBF80_0000,
                0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0000,
            ])
        }
    }

    private static func put(_ new: [UInt8], at place: Int, _ bytes: inout [UInt8]) {
        for (index, byte) in new.enumerated() where place + index < bytes.count {
            bytes[place + index] = byte
        }
    }

    /// Cuts, doubles, inserts, or goes on with another seed.
    private func resize(
        _ bytes: inout [UInt8],
        _ marks: [MarkedBytes.Mark],
        _ random: inout SplitMix
    ) {
        func place(_ marks: [MarkedBytes.Mark], _ count: Int, _ random: inout SplitMix) -> Int {
            marks.isEmpty || random.isOne(in: 3)
                ? random.below(count + 1) : min(count, random.pick(marks).offset)
        }
        let start = place(marks, bytes.count, &random)
        let other = place(marks, bytes.count, &random)
        let range = min(start, other)..<max(start, other)
        switch random.below(6) {
        case 0: bytes.removeSubrange(start...)
        case 1: bytes.removeSubrange(range)
        case 2: bytes.insert(contentsOf: Array(bytes[range].prefix(4096)), at: start)
        case 3:
            let new = (0..<1 + random.below(40)).map { _ in UInt8(random.below(256)) }
            bytes.insert(contentsOf: new, at: start)
        case 4: bytes += (0..<random.below(64)).map { _ in UInt8(random.below(256)) }
        default:
            let seed = random.pick(seeds)
            let rest = seed.bytes[place(seed.marks, seed.bytes.count, &random)...]
            bytes = Array(bytes[..<start]) + rest
        }
    }
}

extension SplitMix {
    /// A number from 0 to below `bound`.
    mutating func below(_ bound: Int) -> Int {
        Int.random(in: 0..<Swift.max(1, bound), using: &self)
    }

    /// One of some things.
    ///
    /// - Precondition: There is one.
    mutating func pick<T>(_ things: [T]) -> T { things[below(things.count)] }

    /// Whether a chance of one in so many has come.
    mutating func isOne(in count: Int) -> Bool { below(count) == 0 }
}
