import Datasets
import Experiments
import Files
import Foundation

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

    /// Writes tries to the main file in their one order: problem by problem, try by try.
    ///
    /// The file then does not depend on batch sizes, shards or interruptions. With `isComplete` the
    /// shards' files, whose tries are all in it, are removed.
    /// - Throws: `Failure.disk`.
    func write(_ tries: [TryKey: Trace], problems: ProblemSet, attempts: Int, isComplete: Bool)
        throws
    {
        let keys = problems.problems.lazy.flatMap { problem in
            (0..<attempts).lazy.map { TryKey(problem.id, $0) }
        }
        try JSONLines.write(keys.compactMap { tries[$0]?.json }, to: stage.traces())
        guard isComplete else { return }
        for file in files where file != stage.traces() { unlink(file) }
    }
}
