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

    /// The id of the first record of each text, by a digest of what the text says.
    private var byText: [[UInt8]: String] = [:]
    /// The first record of each set of runs.
    private var index = RunIndex()

    /// Indexes a benchmark.
    ///
    /// Of records that say the same, the first stands for all.
    public init(_ benchmark: [Entry]) {
        var seen: Set<[UInt8]> = []
        index.reserve(byteCount: benchmark.reduce(0) { $0 + $1.text.utf8.count })
        for entry in benchmark {
            let form = Self.digest(ofForm: entry.text)
            guard byText[form] == nil else { continue }
            byText[form] = entry.id
            let runs = Self.runs(of: entry.text)
            guard runs.count >= Self.fewestRuns, seen.insert(Self.digest(runs)).inserted else {
                continue
            }
            index.add(entry.id, runs)
        }
        index.index()
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
            let key = Self.digest(entry.text)
            let found = known[key] ?? matches(entry.text)
            known[key] = found
            return found.map {
                Overlap(id: entry.id, benchmarkID: $0.benchmarkID, share: $0.share)
            }
        }
    }

    private typealias Match = (benchmarkID: String, share: Double?)

    private func matches(_ text: String) -> [Match] {
        if let same = byText[Self.digest(ofForm: text)] { return [(same, nil)] }
        let runs = Self.runs(of: text)
        guard runs.count >= Self.fewestRuns else { return [] }
        return index.near(runs, least: Self.nearShare, most: Self.mostNear).map {
            ($0.id, $0.share)
        }
    }

    /// The runs of a text; none of one that is too long for a problem, which only an equal one is like.
    private static func runs(of text: String) -> [UInt64] {
        text.utf8.count > ProblemText.longest
            ? [] : RunIndex.runs(of: text, length: runLength)
    }

    private static func digest(ofForm text: String) -> [UInt8] {
        var hash = SHA256()
        ProblemText.form(of: text).withUnsafeBytes { hash.update($0) }
        return hash.digest()
    }

    private static func digest(_ text: String) -> [UInt8] {
        var hash = SHA256()
        hash.update(text)
        return hash.digest()
    }

    private static func digest(_ runs: [UInt64]) -> [UInt8] {
        var hash = SHA256()
        runs.withUnsafeBytes { hash.update($0) }
        return hash.digest()
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
}
