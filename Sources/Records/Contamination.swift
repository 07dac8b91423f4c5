import Basics

/// Problems of one file that another one also has, word for word or nearly.
///
/// Texts are the same where they say the same (`ProblemText`): numbers, signs and operators count,
/// case, spacing, punctuation and the spelling of LaTeX do not. They are near where they share
/// `nearShare` of the runs of eight words of the shorter one, the measure of Brown et al. 2020,
/// arXiv:2005.14165, appendix C, with a share instead of a single run.
public struct Contamination: Sendable {
    /// Words in a run.
    public static let runLength = 8
    /// The share of the shorter text's runs that makes two texts near.
    public static let nearShare = 0.8
    /// Fewest runs of a text that can be near another; a shorter one shares them too easily.
    static let fewestRuns = 8

    /// A pair of problems.
    public struct Overlap: Sendable, Equatable {
        /// The id in the file that is checked.
        public var id: String
        /// The id in the benchmark.
        public var benchmarkID: String
        /// The share of runs in common; nil for the same text.
        public var share: Double?
        /// Whether the texts are the same.
        public var isExact: Bool { share == nil }
    }

    /// A text with its id.
    public typealias Entry = (id: String, text: String)

    /// The most texts that one text is reported near to, the most alike first.
    public static let mostNear = 20

    /// The id of the first record of each text, by what the text says.
    private var byText: [[UInt8]: String] = [:]
    /// The id of the first record of each set of runs, and how many runs there are.
    private var runSets: [(id: String, count: Int)] = []
    private var byRun: [UInt64: [Int32]] = [:]

    /// Indexes a benchmark.
    ///
    /// Of records that say the same, the first stands for all.
    public init(_ benchmark: [Entry]) {
        var seen: Set<Set<UInt64>> = []
        for entry in benchmark {
            let form = ProblemText.form(of: entry.text)
            guard byText[form] == nil else { continue }
            byText[form] = entry.id
            let runs = Self.runs(of: entry.text)
            guard runs.count >= Self.fewestRuns, seen.insert(runs).inserted else { continue }
            for run in runs { byRun[run, default: []].append(Int32(runSets.count)) }
            runSets.append((entry.id, runs.count))
        }
    }

    /// The overlaps of a text, most alike first; the same text excludes near ones.
    public func overlaps(of entry: Entry) -> [Overlap] {
        matches(entry.text).map {
            Overlap(id: entry.id, benchmarkID: $0.benchmarkID, share: $0.share)
        }
    }

    /// The overlaps of each of many texts; texts that are repeated are looked for once.
    public func overlaps(of entries: [Entry]) -> [[Overlap]] {
        var known: [[UInt8]: [Match]] = [:]
        return entries.map { entry in
            let bytes = Array(entry.text.utf8)
            let found = known[bytes] ?? matches(entry.text)
            known[bytes] = found
            return found.map {
                Overlap(id: entry.id, benchmarkID: $0.benchmarkID, share: $0.share)
            }
        }
    }

    private typealias Match = (benchmarkID: String, share: Double?)

    private func matches(_ text: String) -> [Match] {
        if let same = byText[ProblemText.form(of: text)] { return [(same, nil)] }
        let runs = Self.runs(of: text)
        guard runs.count >= Self.fewestRuns else { return [] }
        // Counted in an array: texts that differ in a word each share runs with all the others.
        var common = [Int32](repeating: 0, count: runSets.count)
        for run in runs { for index in byRun[run] ?? [] { common[Int(index)] += 1 } }
        let near = zip(runSets, common).compactMap { other, count -> Match? in
            guard count > 0 else { return nil }
            let share = Double(count) / Double(min(runs.count, other.count))
            return share >= Self.nearShare ? (other.id, share) : nil
        }
        let sorted = near.sorted {
            ($0.share ?? 1, $1.benchmarkID) > ($1.share ?? 1, $0.benchmarkID)
        }
        return Array(sorted.prefix(Self.mostNear))
    }

    /// Reads the ids and problems of a file, which may be one of problems or of traces.
    ///
    /// - Throws: `Failure` naming file and line of a record without a problem.
    public static func entries(_ path: String) throws -> [Entry] {
        if path.lowercased().hasSuffix(".csv") {
            return try ProblemSet.read(path).problems.map { ($0.id, $0.problem) }
        }
        var number = 0
        return try JSONLines.read(path) { json in
            number += 1
            let (id, problem) = try Problem.named(json, number: number)
            return (id, problem)
        }
    }

    /// Hashes of all runs of eight words; a shorter text is one run.
    private static func runs(of text: String) -> Set<UInt64> {
        var words: [UInt64] = []
        var hash: UInt64 = 0
        for byte in Array(text.utf8) + [0x20] {
            let small: UInt8 = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            let isWord =
                (0x30...0x39).contains(small) || (0x61...0x7A).contains(small) || byte > 0x7F
            if isWord {
                hash =
                    ((hash == 0 ? 0xcbf2_9ce4_8422_2325 : hash) ^ UInt64(small))
                    &* 0x100_0000_01b3  // FNV-1a
            } else if hash != 0 {
                words.append(hash)
                hash = 0
            }
        }
        guard words.count > runLength else { return [words.reduce(17) { $0 &* 31 &+ $1 }] }
        return Set(
            (0...(words.count - runLength)).map { start in
                words[start..<start + runLength].reduce(17) { $0 &* 0x9E37_79B9_7F4A_7C15 &+ $1 }
            }
        )
    }
}
