import Foundation

/// One of several processes that share a stage's problems: `2/3` is the second of three.
public struct Shard: Equatable, Sendable {
    /// Which one, from 1.
    public var index: Int
    /// How many there are.
    public var count: Int

    /// The shard of a number, from 1 to `count`.
    public init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Reads `i/N`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), count >= 1,
            (1...count).contains(index)
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Whether a problem, counted from 0, is this shard's.
    public func contains(_ problem: Int) -> Bool { problem % count == index - 1 }
}

/// What becomes of the files that shards make.
public enum ShardMerging: Sendable {
    /// The process that finds all there puts them together.
    case whenComplete
    /// They are left to a process of its own, which runs when all shards have ended.
    ///
    /// For shards on several machines: what one sees of the files of another may be old.
    case never
    /// Nothing is made: what is there is put together, and it is an error if something is missing.
    case only

    /// Counts what is missing until nothing is, or until files of other machines have had the time to
    /// show.
    ///
    /// - Parameters:
    ///   - seconds: How long; network file systems remember folders for up to a minute.
    ///   - missing: Counts.
    /// - Returns: The last count.
    /// - Throws: What counting throws, `Failure.interrupted` after a request to stop.
    public static func wait(_ seconds: Double, for missing: () throws -> Int) throws -> Int {
        let end = ContinuousClock.now + .seconds(seconds)
        var count = try missing()
        while count > 0, ContinuousClock.now < end {
            if Interrupts.isRequested { throw Interrupts.stopped() }
            usleep(1_000_000)
            count = try missing()
        }
        return count
    }
}

extension Stage {
    /// Tells apart the locks and manifests of shards: `-1-of-2`; empty for none.
    public static func part(_ shard: Shard?) -> String {
        shard.map { "-\($0.index)-of-\($0.count)" } ?? ""
    }

    /// The manifests of its shards, by name.
    public var shardManifests: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.wholeMatch(of: /manifest-\d+-of-\d+\.json/) != nil }.sorted()
            .map(file)
    }
}

extension Stage {
    /// The parts, such as `-1-of-2`, whose shards have a folder of samples here.
    private var sampledParts: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.wholeMatch(of: /shard-\d+-of-\d+/) != nil }.sorted()
            .map { String($0.dropFirst("shard".count)) }
    }

    /// Where shards may have samples on a benchmark.
    public func shardSamples(_ benchmark: String) -> [String] {
        sampledParts.map { file("shard\($0)/\(benchmark).jsonl") }
    }

    /// Removes the samples of shards, which are all in the main files by now; but not those that another
    /// process is writing to.
    ///
    /// Nobody may hold the lock of the stage for this: a shard that finds that lock taken when it ends
    /// relies on its samples being looked at afterwards.
    public func removeMergedSamples() {
        for part in sampledParts {
            guard let writer = try? RunLock(file("lock\(part)")) else { continue }
            try? FileManager.default.removeItem(atPath: file("shard\(part)"))
            writer.release()
        }
    }
}
