import Basics
import Experiments
import Foundation
import Kernels
import Records

/// Names a try: which problem, which number.
struct TryKey: Hashable {
    /// The bytes of the problem's id; `String` would take different spellings of one letter as equal.
    var id: [UInt8]
    /// The number of the try, from 0.
    var attempt: Int

    init(_ id: String, _ attempt: Int) {
        self.id = Array(id.utf8)
        self.attempt = attempt
    }

    init(_ trace: Trace) { self.init(trace.id, trace.attempt) }
}

/// The files of a stage that hold its tries: the main one, and those of shards until they are merged.
struct TraceStore {
    /// The stage.
    let stage: Stage

    /// The files that are there, the main one first.
    var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: stage.folder)) ?? []
        let shards = names.filter { $0.hasPrefix("traces-") && $0.hasSuffix(".jsonl") }.sorted()
        let main = stage.traces()
        let isThere = FileManager.default.fileExists(atPath: main)
        return (isThere ? [main] : []) + shards.map(stage.file)
    }

    /// All finished tries, each once, without the line that an interrupted write left behind.
    ///
    /// - Throws: `Failure` naming file and line of a malformed record.
    func read() throws -> [TryKey: Trace] {
        var tries: [TryKey: Trace] = [:]
        do {
            for file in files {
                for trace in try Trace.read(file) { tries[TryKey(trace)] = trace }
            }
        } catch let failure as Failure
            where failure.kind == .missingInput && !files.contains(failure.file ?? "")
        {
            // Another shard's process has merged the files since they were listed.
            return try read()
        }
        return tries
    }

    /// Where all finished tries are, without holding their contents.
    ///
    /// - Parameter passes: Asked of every try; its answer is kept.
    /// - Returns: The places of the tries, each once.
    /// - Throws: `Failure` naming file and line of a malformed record.
    func index(passes: (Trace) -> Bool = { _ in false }) throws -> TraceIndex {
        let files = files
        do {
            var index = TraceIndex()
            for file in files { try index.add(file, passes: passes) }
            return index
        } catch let failure as Failure
            where failure.kind == .missingInput && !self.files.contains(failure.file ?? "")
        {
            return try self.index(passes: passes)
        }
    }

    /// Writes tries to the main file in their one order: problem by problem, try by try.
    ///
    /// The file then does not depend on batch sizes, shards or interruptions.
    /// - Parameters:
    ///   - index: The tries.
    ///   - problems: The problems in their order.
    ///   - attempts: How many tries each has.
    ///   - digest: The SHA-256 that the main file must come to; nil for any.
    /// - Returns: What the tries amount to.
    /// - Throws: `Failure.disk`, `Failure.badData` for another digest, and what reading throws.
    func write(
        _ index: TraceIndex,
        problems: ProblemSet,
        attempts: Int,
        digest: String? = nil
    ) throws -> GenerationCounts {
        var counts = GenerationCounts()
        var hash = SHA256()
        try JSONLines.write(to: stage.traces()) { add in
            for problem in problems.problems {
                for attempt in 0..<attempts {
                    guard let trace = try index.trace(TryKey(problem.id, attempt)) else { continue }
                    counts.add(trace)
                    let json = trace.json
                    if digest != nil { hash.update(json.compact + "\n") }
                    try add(json)
                }
            }
            if let digest, hash.hex() != digest { throw stage.changed("traces.jsonl") }
        }
        return counts
    }

    /// Removes the shards' files of a finished stage, whose tries are all in the main one; but not
    /// those that another process is writing to.
    ///
    /// Nobody may hold the lock of the stage for this: a process that gives its own file free and
    /// then finds that lock taken relies on its file being looked at afterwards.
    func removeMerged() {
        for file in files where file != stage.traces() {
            guard let writer = try? RunLock(stage.lock(ofShardFile: file)) else { continue }
            unlink(file)
            writer.release()
        }
    }
}

extension Stage {
    /// The lock of the process that writes a shard's tries: `lock-1-of-2` for `traces-1-of-2.jsonl`.
    fileprivate func lock(ofShardFile path: String) -> String {
        let name = URL(filePath: path).lastPathComponent
        return file("lock" + name.dropFirst("traces".count).dropLast(".jsonl".count))
    }
}

/// Where tries are in the files of a stage.
///
/// The files stay open: another process may put the merged one in their place meanwhile.
struct TraceIndex {
    private struct Place {
        var file: Int
        var range: Range<Int>
        var passes: Bool
    }

    private var files: [(path: String, handle: FileHandle)] = []
    private var places: [TryKey: Place] = [:]

    /// Whether a try is there.
    func contains(_ key: TryKey) -> Bool { places[key] != nil }

    /// Whether a try is there and passes what was asked of it.
    func passes(_ key: TryKey) -> Bool { places[key]?.passes ?? false }

    /// Adds the tries of a file; one that is there already is now this file's.
    fileprivate mutating func add(_ path: String, passes: (Trace) -> Bool) throws {
        let number = files.count
        let handle = try InputFile.open(path)
        files.append((path, handle))
        try Trace.forEach(in: path, file: handle) { placed in
            places[TryKey(placed.record)] = Place(
                file: number,
                range: placed.range,
                passes: passes(placed.record)
            )
        }
    }

    /// Reads a try; nil where it is not there.
    ///
    /// - Throws: `Failure` when the file has changed since.
    func trace(_ key: TryKey) throws -> Trace? {
        guard let place = places[key] else { return nil }
        let (path, handle) = files[place.file]
        let json = try InputFile.read(handle, place.range, path)
        return try Trace(json: JSON(parsing: json))
    }
}
