import HeapModule

/// Byte-pair encoding of one piece of text: the bytes' tokens, merged by rank until no rule applies.
///
/// Always the rule of lowest rank is applied, at its leftmost place.
/// Source: Sennrich et al. 2016, arXiv:1508.07909; on bytes: Radford et al. 2019.
struct BytePairEncoder: Sendable {
    /// The token of each single byte; -1 where the vocabulary has none.
    let byteTokens: [Int32]
    /// The merge rules.
    let merges: MergeTable
    /// Whether a piece that is a token as a whole becomes it without merging (Llama 3).
    let ignoresMerges: Bool

    /// Pieces up to this many bytes are merged by scanning all pairs: quadratic, but fastest here.
    private static let scanLimit = 48

    /// Appends the tokens of `bytes[range]`.
    ///
    /// - Returns: The place of a byte without token, and nothing appended; nil when all went well.
    func encode(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        into tokens: inout [Int32],
        using scratch: inout BytePairScratch
    ) -> Int? {
        scratch.symbols.removeAll(keepingCapacity: true)
        for position in range {
            let token = byteTokens[Int(bytes[position])]
            guard token >= 0 else { return position }
            scratch.symbols.append(token)
        }
        if range.count <= BytePairEncoder.scanLimit {
            mergeByScanning(&scratch)
        } else {
            mergeByHeap(&scratch)
        }
        tokens.append(contentsOf: scratch.symbols)
        return nil
    }

    private func mergeByScanning(_ scratch: inout BytePairScratch) {
        var count = scratch.symbols.count
        guard count > 1 else { return }
        scratch.rules.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 {
            scratch.rules.append(merges.rule(scratch.symbols[index], scratch.symbols[index + 1]))
        }
        while true {
            // rules[i] concerns symbols i and i + 1.
            var best = MergeTable.none
            var place = 0
            for index in 0..<count - 1 where scratch.rules[index] < best {
                best = scratch.rules[index]
                place = index
            }
            guard best != MergeTable.none else { break }
            scratch.symbols[place] = MergeTable.result(of: best)
            count -= 1
            var index = place + 1
            while index < count {
                scratch.symbols[index] = scratch.symbols[index + 1]
                scratch.rules[index - 1] = scratch.rules[index]
                index += 1
            }
            if place > 0 {
                scratch.rules[place - 1] = merges.rule(
                    scratch.symbols[place - 1],
                    scratch.symbols[place]
                )
            }
            if place + 1 < count {
                scratch.rules[place] = merges.rule(
                    scratch.symbols[place],
                    scratch.symbols[place + 1]
                )
            }
            if count == 1 { break }
        }
        scratch.symbols.removeSubrange(count...)
    }

    /// n log n for any length: a doubly linked list of symbols and a heap of (rank, place).
    private func mergeByHeap(_ scratch: inout BytePairScratch) {
        var symbols = scratch.symbols
        let count = symbols.count
        var next = Array(1...count)
        var previous = Array(-1..<count - 1)
        // The rule now in force for each symbol and the one after it; a heap entry whose rank
        // differs from it is out of date.
        var rules = [MergeTable.Entry](repeating: MergeTable.none, count: count)
        var candidates: [UInt64] = []
        func update(_ place: Int, _ add: (UInt64) -> Void) {
            let after = next[place]
            rules[place] =
                after < count ? merges.rule(symbols[place], symbols[after]) : MergeTable.none
            if rules[place] != MergeTable.none {
                add(rules[place] & 0xFFFF_FFFF_0000_0000 | UInt64(place))
            }
        }
        for place in 0..<count { update(place) { candidates.append($0) } }
        var heap = Heap(candidates)
        while let candidate = heap.popMin() {
            let place = Int(candidate & 0xFFFF_FFFF)
            let rule = rules[place]
            guard rule != MergeTable.none, rule >> 32 == candidate >> 32 else { continue }
            let removed = next[place]
            symbols[place] = MergeTable.result(of: rule)
            next[place] = next[removed]
            if next[removed] < count { previous[next[removed]] = place }
            rules[removed] = MergeTable.none
            update(place) { heap.insert($0) }
            if previous[place] >= 0 { update(previous[place]) { heap.insert($0) } }
        }
        scratch.symbols.removeAll(keepingCapacity: true)
        var place = 0
        while place < count {
            scratch.symbols.append(symbols[place])
            place = next[place]
        }
    }
}

/// Buffers that outlive a piece, and the tokens of the pieces met before.
///
/// What is in here never changes a result, only the time it takes.
struct BytePairScratch: Sendable {
    var symbols: [Int32] = []
    var rules: [MergeTable.Entry] = []
    private var pieces = SpellingTable(capacity: 4096)
    private var tokens: [Int32] = []
    private var ends: [Int] = []

    private static let longestPiece = 64
    private static let mostPieces = 1 << 16

    /// The tokens of a piece met before.
    func remembered(_ bytes: [UInt8], _ range: Range<Int>) -> ArraySlice<Int32>? {
        guard range.count <= BytePairScratch.longestPiece,
            let index = pieces.find(bytes, range)
        else { return nil }
        return tokens[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Remembers the tokens of a piece, forgetting all others when there are too many.
    mutating func remember(_ bytes: [UInt8], _ range: Range<Int>, as result: ArraySlice<Int32>) {
        guard range.count <= BytePairScratch.longestPiece else { return }
        if ends.count == BytePairScratch.mostPieces {
            pieces.removeAll()
            tokens.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
        pieces.publish(pieces.append(bytes[range]))
        tokens.append(contentsOf: result)
        ends.append(tokens.count)
    }
}
