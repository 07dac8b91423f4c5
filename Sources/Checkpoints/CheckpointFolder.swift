import Basics
import Foundation

/// A folder of checkpoints named after their step, `step-000123.h5`, of which the newest are kept.
public struct CheckpointFolder: Sendable {
    /// Where the folder is.
    public let path: String
    /// How many checkpoints stay.
    public let keep: Int

    /// Describes a folder, which need not be there yet.
    ///
    /// - Precondition: `keep` is at least 1.
    public init(_ path: String, keep: Int = 2) {
        precondition(keep >= 1, "CheckpointFolder: keep \(keep); expected at least 1")
        self.path = path
        self.keep = keep
    }

    /// The checkpoints in the folder, oldest first, unopened.
    public func list() -> [(step: Int, path: String)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { name in
            CheckpointFolder.step(name).map { (step: $0, path: "\(path)/\(name)") }
        }
        .sorted { $0.step < $1.step }
    }

    /// The path of a step's checkpoint.
    public func path(step: Int) -> String {
        let digits = String(step)
        return "\(path)/step-\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).h5"
    }

    private static func step(_ name: String) -> Int? {
        guard name.hasPrefix("step-"), name.hasSuffix(".h5") else { return nil }
        let digits = name.dropFirst(5).dropLast(3)
        guard digits.count >= 6, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(digits)
    }

    /// Writes a step's checkpoint, then deletes the oldest beyond `keep` and what dead writers left.
    ///
    /// - Returns: The path written.
    /// - Throws: As `HDF5Checkpoint.write`; nothing is deleted then.
    @discardableResult
    public func write(_ content: CheckpointContent, step: Int) throws -> String {
        let target = path(step: step)
        try HDF5Checkpoint.write(content, to: target)
        // Another step of an abandoned run may be newer; what has just been written stays.
        for old in list().dropLast(keep) where old.path != target { unlink(old.path) }
        sweep()
        return target
    }

    /// Deletes all but so many of the newest checkpoints; with none left the folder goes too.
    public func prune(to count: Int) {
        for old in list().dropLast(count) { unlink(old.path) }
        if count == 0 { rmdir(path) }
    }

    /// Removes what writers left that no longer run.
    public func sweep() { AtomicFile.sweep(path) { CheckpointFolder.step($0) != nil } }

    /// The newest checkpoint that is whole, and what was wrong with newer ones.
    ///
    /// - Returns: nil when the folder holds none at all.
    /// - Throws: `Failure.badData` when there are checkpoints and every one is damaged.
    public func latest() throws -> (checkpoint: HDF5Checkpoint, step: Int, damaged: [Failure])? {
        var damaged: [Failure] = []
        for (step, path) in list().reversed() {
            do { return (try HDF5Checkpoint(path), step, damaged) } catch let failure as Failure {
                damaged.append(failure)
            }
        }
        guard var failure = damaged.first else { return nil }
        failure.message += "; and none of the \(damaged.count - 1) older checkpoints can be read"
        failure.remedy = "Delete the folder to begin again, or put a whole checkpoint there."
        throw failure
    }
}
