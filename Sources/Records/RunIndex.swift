/// Finds, among many texts, those that share most runs of words with another one.
///
/// Runs that many texts have would make every search a walk over all of them. So the texts are put
/// into families: texts of equally many runs that have the same common runs. Common runs are counted
/// once a family, and only rare ones lead to texts one by one.
struct RunIndex: Sendable {
    /// A run that more texts have than this is common.
    static let mostRare = 32

    /// Texts that common runs cannot tell apart.
    private struct Family {
        /// How many runs each has.
        var runCount: Int
        /// The texts, in the order of their ids.
        var texts: [Int] = []
    }

    /// The ids of the texts.
    private var ids: [String] = []
    /// The runs of all texts, one text after the other, and where each text's begin.
    private var runs: [UInt64] = []
    private var starts: [Int] = [0]
    /// Places in `runs`, by the run there.
    private var order: [UInt32] = []
    /// Each text's place in the order of ids.
    private var ranks: [Int] = []
    private var families: [Family] = []
    /// The family of each text.
    private var familyOf: [Int] = []
    /// The families whose texts have a common run.
    private var commonRuns: [UInt64: [Int]] = [:]

    /// Makes room for the runs of so many bytes of text.
    mutating func reserve(byteCount: Int) { runs.reserveCapacity(byteCount / 2) }

    /// Adds a text; `index` comes after the last one.
    mutating func add(_ id: String, _ runs: [UInt64]) {
        ids.append(id)
        self.runs += runs
        starts.append(self.runs.count)
    }

    /// Makes the texts that were added ready to be searched.
    mutating func index() {
        let byID = ids.indices.sorted { (ids[$0], $0) < (ids[$1], $1) }
        ranks = [Int](repeating: 0, count: ids.count)
        for (rank, text) in byID.enumerated() { ranks[text] = rank }
        order = Array(0..<UInt32(runs.count))
        let all = runs
        order.sort { (all[Int($0)], $0) < (all[Int($1)], $1) }

        // The common runs of each text, as numbers.
        var common: [UInt64] = []
        var commonOf = [[Int32]](repeating: [], count: ids.count)
        var start = 0
        while start < order.count {
            let places = places(of: runs[Int(order[start])], from: start)
            if places.count > Self.mostRare {
                for place in places { commonOf[text(at: place)].append(Int32(common.count)) }
                common.append(runs[Int(order[start])])
            }
            start = places.upperBound
        }
        var numbers: [[Int32]: Int] = [:]
        familyOf = [Int](repeating: 0, count: ids.count)
        for text in byID {
            let runCount = starts[text + 1] - starts[text]
            let key = commonOf[text] + [Int32(truncatingIfNeeded: runCount)]
            if numbers[key] == nil {
                numbers[key] = families.count
                for number in commonOf[text] {
                    commonRuns[common[Int(number)], default: []].append(families.count)
                }
                families.append(Family(runCount: runCount))
            }
            let family = numbers[key] ?? 0
            familyOf[text] = family
            families[family].texts.append(text)
        }
    }

    /// The texts that share at least a share of the runs of the shorter one of the two.
    ///
    /// - Parameters:
    ///   - runs: What `runs(of:)` gives.
    ///   - least: The smallest share, above 0.
    ///   - most: So many texts at most.
    /// - Returns: Ids and shares, the largest share first, of equal shares the smaller id.
    func near(_ runs: [UInt64], least: Double, most: Int) -> [(id: String, share: Double)] {
        var shared = [Int](repeating: 0, count: families.count)
        var rare: [Int: Int] = [:]
        for run in runs {
            if let families = commonRuns[run] {
                for family in families { shared[family] += 1 }
            } else {
                for place in places(of: run) { rare[text(at: place), default: 0] += 1 }
            }
        }
        var best = Best(least: least, most: most)
        for (text, count) in rare {
            let family = familyOf[text]
            let shorter = min(runs.count, families[family].runCount)
            _ = best.take(text, ranks[text], Double(shared[family] + count) / Double(shorter))
        }
        for (family, count) in zip(families, shared) where count > 0 {
            let share = Double(count) / Double(min(runs.count, family.runCount))
            // All have this share but for those that were seen: where one is too far behind, so are
            // those after it.
            for text in family.texts where rare[text] == nil {
                guard best.take(text, ranks[text], share) else { break }
            }
        }
        return best.found.map { (ids[$0.text], $0.share) }
    }

    /// The places in `order` of a run.
    private func places(of run: UInt64, from first: Int? = nil) -> Range<Int> {
        var (low, high) = (first ?? 0, first ?? order.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[Int(order[middle])] < run { low = middle + 1 } else { high = middle }
        }
        while high < order.count, runs[Int(order[high])] == run { high += 1 }
        return low..<high
    }

    /// The text that a place in `order` belongs to.
    private func text(at place: Int) -> Int {
        let position = Int(order[place])
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle + 1] <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The best texts so far.
    private struct Best {
        var least: Double
        var most: Int
        var found: [(text: Int, rank: Int, share: Double)] = []

        /// Takes a text, if it is good enough; says whether it was.
        mutating func take(_ text: Int, _ rank: Int, _ share: Double) -> Bool {
            guard share >= least else { return false }
            if found.count == most {
                guard let last = found.last, (-share, rank) < (-last.share, last.rank) else {
                    return false
                }
                found.removeLast()
            }
            let place = found.firstIndex { (-share, rank) < (-$0.share, $0.rank) } ?? found.count
            found.insert((text, rank, share), at: place)
            return true
        }
    }

    /// Hashes of all runs of so many words of a text, each once, in order; none of a text that is no
    /// longer than a run.
    static func runs(of text: String, length: Int) -> [UInt64] {
        var runs: [UInt64] = []
        // A word and what parts it from the next take two bytes at least.
        runs.reserveCapacity(text.utf8.count / 2)
        // The last words, the oldest at `count % length`.
        var words = [UInt64](repeating: 0, count: length)
        var count = 0
        var hash: UInt64 = 0
        func end() {
            guard hash != 0 else { return }
            words[count % length] = hash
            hash = 0
            count += 1
            guard count >= length else { return }
            var run: UInt64 = 17
            for word in 0..<length {
                run = run &* 0x9E37_79B9_7F4A_7C15 &+ words[(count + word) % length]
            }
            runs.append(run)
        }
        for byte in text.utf8 {
            let small: UInt8 = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            let isWord =
                (0x30...0x39).contains(small) || (0x61...0x7A).contains(small) || byte > 0x7F
            guard isWord else {
                end()
                continue
            }
            // FNV-1a
            hash =
                ((hash == 0 ? 0xcbf2_9ce4_8422_2325 : hash) ^ UInt64(small)) &* 0x100_0000_01b3
        }
        end()
        guard runs.count > 1 else { return [] }
        runs.sort()
        var kept = 1
        for index in 1..<runs.count where runs[index] != runs[kept - 1] {
            runs[kept] = runs[index]
            kept += 1
        }
        runs.removeLast(runs.count - kept)
        return runs
    }
}
