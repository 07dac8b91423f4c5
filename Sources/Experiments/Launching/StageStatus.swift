import Basics
import Foundation

/// How far a stage has come and who is at work on it, as its files tell from any machine.
public struct StageStatus: Sendable {
    /// The stage in words.
    public var label: String
    /// How far it has come; nil while an earlier stage, which its folder depends on, is not there.
    public var state: Stage.State?
    /// How many shards have done their part, of how many; nil where none has begun.
    public var shards: (done: Int, count: Int)?
    /// The processes that hold its locks: those of other machines as they have written themselves down,
    /// also where they have ended without notice.
    public var holders: [ProcessIdentity] = []

    /// Looks at the files of a stage.
    ///
    /// - Throws: `Failure` for an input that is malformed.
    public init(_ node: StageGraph.Node) throws {
        let variant = node.layout.experiment.variant.map { " \($0.name)" } ?? ""
        label = "\(node.kind.rawValue) \(node.label) seed \(node.seed)\(variant)"
        guard let stage = try node.stageIfKnown() else { return }
        let state = try node.state(of: stage)
        self.state = state
        holders = Self.holders(in: stage.folder)
        if state != .finished { shards = Self.shards(of: stage) }
    }

    /// `absent`, `running`, `started`, `finished`, or `waits` for an earlier stage.
    public var text: String {
        guard let state else { return "waits" }
        return state != .finished && !holders.isEmpty ? "running" : state.rawValue
    }

    /// One row a stage.
    public static func table(_ rows: [StageStatus]) -> MarkdownTable {
        MarkdownTable(
            header: ["stage", "state", "shards", "at work"],
            rows: rows.map { row in
                [
                    row.label.printable, row.text,
                    row.shards.map { "\($0.done) of \($0.count)" } ?? "–",
                    row.holders.isEmpty
                        ? "–"
                        : row.holders.map { "\($0.host) \($0.process)".printable }
                            .joined(separator: ", "),
                ]
            }
        )
    }

    private static func holders(in folder: String) -> [ProcessIdentity] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var found: [ProcessIdentity] = []
        for name in names.sorted()
        where name.wholeMatch(of: /lock(-\d+-of-\d+)?(\.held)?/) != nil {
            guard let holder = RunLock.owner("\(folder)/\(name)"), !holder.isCertainlyDead,
                !found.contains(holder)
            else { continue }
            found.append(holder)
        }
        return found
    }

    /// Those of the largest number of shards, where several have been tried.
    private static func shards(of stage: Stage) -> (done: Int, count: Int)? {
        var done: [Int: Int] = [:]
        for path in stage.shardManifests {
            guard let match = path.firstMatch(of: /-of-(\d+)\.json$/), let count = Int(match.1)
            else { continue }
            let status = (try? TextFile.readJSON(path))?["status"]?.string
            done[count, default: 0] += status == Manifest.Status.finished.rawValue ? 1 : 0
        }
        return done.max { $0.key < $1.key }.map { ($0.value, $0.key) }
    }
}
