import Basics
import Foundation
import Records

/// The rollouts of an on-policy training on disk, as tries whose number is the step that trains them.
///
/// `rollouts.jsonl` has those of every step that was handed to training, step by step in the order of
/// its problems. `rollouts-under-way.jsonl` has each of the next ones as it is finished, so that a run
/// that is killed while it writes them goes on from there; it goes when training ends.
final class RolloutFiles {
    static let name = "rollouts.jsonl"
    private let finishedPath: String
    private let underWayPath: String
    private var finished: JSONLines.Appender?
    private var underWay: JSONLines.Appender?

    init(folder: String) {
        finishedPath = "\(folder)/\(Self.name)"
        underWayPath = "\(folder)/rollouts-under-way.jsonl"
    }

    /// Opens the files at the step that a run begins or goes on with.
    ///
    /// - Parameters:
    ///   - step: The step.
    ///   - warn: Hears what is lost of earlier steps.
    /// - Returns: The rollouts of that step and later ones, which an interrupted run has left: the same
    ///   weights would write them again.
    /// - Throws: `Failure.disk`; `Failure.missingInput` when a file is there and cannot be read.
    func open(at step: Int, warn: (String) -> Void) throws -> [Trace] {
        var (kept, later): ([Trace], [Trace]) = ([], [])
        var seen: Set<String> = []
        for path in [finishedPath, underWayPath] where FileManager.default.fileExists(atPath: path)
        {
            let damaged = try JSONLines.salvage(path, Trace.init(json:)) { placed in
                let trace = placed.record
                guard seen.insert("\(trace.attempt) \(trace.id)").inserted else { return }
                if trace.attempt >= step { later.append(trace) }
                if trace.attempt < step, path == finishedPath { kept.append(trace) }
            }
            guard !damaged.isEmpty else { continue }
            let lines = JSONLines.list(damaged.map(\.line))
            warn("warning: \(path): damaged lines are left out (\(lines))")
        }
        try JSONLines.write(later.map(\.json), to: underWayPath)
        try JSONLines.write(kept.map(\.json), to: finishedPath)
        finished = try JSONLines.Appender(finishedPath)
        return later
    }

    /// Begins to write rollouts, of which some are there already.
    ///
    /// - Throws: `Failure.disk`.
    func begin(with found: [Trace]) throws {
        underWay = nil
        try JSONLines.write(found.map(\.json), to: underWayPath)
        underWay = try JSONLines.Appender(underWayPath)
    }

    /// Adds a rollout that has just been finished.
    ///
    /// - Throws: `Failure.disk`.
    func add(_ rollout: Trace) throws { try underWay?.append(rollout.json) }

    /// Adds the rollouts of a step that is about to be trained.
    ///
    /// - Throws: `Failure.disk`.
    func finish(_ rollouts: [Trace], isLast: Bool) throws {
        for rollout in rollouts { try finished?.append(rollout.json) }
        guard isLast else { return }
        underWay = nil
        try? FileManager.default.removeItem(atPath: underWayPath)
    }
}
