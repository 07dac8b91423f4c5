import Files

/// Problems of one file that another one also has, word for word or nearly.
///
/// Texts are the same where their letters and digits are, whatever stands between. They are near
/// where they share `nearShare` of the runs of eight words of the shorter one, the measure of
/// Brown et al. 2020, arXiv:2005.14165, appendix C, with a share instead of a single run.
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

    private let benchmark: [Entry]
    private var byText: [[UInt8]: [Int]] = [:]
    private var byRun: [UInt64: [Int32]] = [:]
    private var runCounts: [Int] = []

    /// Indexes a benchmark.
    public init(_ benchmark: [Entry]) {
        self.benchmark = benchmark
        for (index, entry) in benchmark.enumerated() {
            byText[Self.plain(entry.text), default: []].append(index)
            let runs = Self.runs(of: entry.text)
            runCounts.append(runs.count)
            for run in runs { byRun[run, default: []].append(Int32(index)) }
        }
    }

    /// The overlaps of a text, most alike first; same texts exclude near ones.
    public func overlaps(of entry: Entry) -> [Overlap] {
        if let same = byText[Self.plain(entry.text)] {
            return same.map { Overlap(id: entry.id, benchmarkID: benchmark[$0].id) }
        }
        let runs = Self.runs(of: entry.text)
        guard runs.count >= Self.fewestRuns else { return [] }
        var common: [Int32: Int] = [:]
        for run in runs { for index in byRun[run] ?? [] { common[index, default: 0] += 1 } }
        return common.compactMap { index, count -> Overlap? in
            let shorter = min(runs.count, runCounts[Int(index)])
            let share = Double(count) / Double(shorter)
            guard shorter >= Self.fewestRuns, share >= Self.nearShare else { return nil }
            return Overlap(id: entry.id, benchmarkID: benchmark[Int(index)].id, share: share)
        }.sorted { ($0.share ?? 1, $1.benchmarkID) > ($1.share ?? 1, $0.benchmarkID) }
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

    /// Small letters and digits alone.
    private static func plain(_ text: String) -> [UInt8] {
        text.utf8.compactMap { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7A: byte
            case 0x41...0x5A: byte | 0x20
            case 0x80...: byte
            default: nil
            }
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
