import Basics
import Experiments
import Foundation
import Records

/// The ranks of the tokens of a stage's tries under the student, in a file beside the tries.
///
/// They take a pass of the student, so each try is ranked once, when it is first asked about.
final class RankStore {
    private let path: String
    private let lockPath: String
    private var known: [TryKey: [Int]]?
    private var lock: RunLock?
    private var file: JSONLines.Appender?

    init(stage: Stage) {
        path = stage.file("ranks.jsonl")
        lockPath = stage.file("lock-ranks")
    }

    /// The ranks of a try: those that are stored, or what `compute` gives, which is then stored.
    ///
    /// - Throws: `Failure.badData` for a file that is malformed or of other tries, `Failure.busy`
    ///   while another process adds to it, `Failure.disk`; what `compute` throws.
    func ranks(of trace: Trace, compute: () throws -> [Int]) throws -> [Int] {
        if let found = try stored(trace) { return found }
        if file == nil {
            lock = try RunLock.waiting(10, for: lockPath)
            // Another process may have added some meanwhile.
            known = nil
            file = try JSONLines.Appender(path)
            if let found = try stored(trace) { return found }
        }
        let new = try compute()
        try file?.append(TokenRanks(id: trace.id, attempt: trace.attempt, ranks: new).json)
        known?[TryKey(trace)] = new
        return new
    }

    private func stored(_ trace: Trace) throws -> [Int]? {
        let all = try known ?? read()
        known = all
        guard let found = all[TryKey(trace)] else { return nil }
        guard found.count == trace.ids.count else {
            throw Failure(
                .badData,
                file: path,
                at: "try \(trace.attempt) of '\(trace.id)'",
                "holds \(found.count) ranks; expected \(trace.ids.count), one a token of the try",
                remedy: "Remove the file; the ranks are then computed again."
            )
        }
        return found
    }

    private func read() throws -> [TryKey: [Int]] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        let records = try JSONLines.read(path, tornTail: .drop) { try TokenRanks(json: $0) }
        return Dictionary(
            records.map { (TryKey($0.id, $0.attempt), $0.ranks) },
            uniquingKeysWith: { first, _ in first }
        )
    }
}
