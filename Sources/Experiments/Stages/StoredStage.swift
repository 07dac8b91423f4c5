import Basics
import Foundation

extension RunLayout {
    /// A stage of evaluation that is in the runs folder, found by its digest.
    ///
    /// What it depends on, models above all, need not be there: its `key.json` says what that was.
    ///
    /// - Returns: Nil where there is no such stage.
    /// - Throws: `Failure.badData` where the key is not the one that the digest names.
    public func storedEvaluation(_ arm: Arm, seed: UInt64, step: Int? = nil, hash: String) throws
        -> Stage?
    {
        let kind = Stage.Kind.evaluation
        let label = Self.label(arm, step: step)
        let folder = "\(runsFolder)/\(kind.rawValue)/\(label)-seed\(seed)-\(hash.prefix(12))"
        let key = "\(folder)/key.json"
        guard FileManager.default.fileExists(atPath: key) else { return nil }
        let inputs = try TextFile.readJSON(key)
        let stage = Stage(kind, label: label, seed: seed, inputs: inputs, in: runsFolder)
        guard stage.hash == hash else {
            throw Failure(
                .badData,
                file: key,
                "has another digest than the folder it is in",
                remedy: "Unpack the stage again"
            )
        }
        return stage
    }
}
