import Basics
import Checkpoints
import Experiments
import Foundation
import Records

/// What Train's stages do: the workers that a `StageRunner` takes, each with its stage's lock and
/// manifest.
public struct TrainingStages {
    let display: ProgressDisplay

    /// Prepares to train.
    ///
    /// - Parameter display: Where progress, warnings and estimates are shown.
    public init(display: ProgressDisplay) { self.display = display }

    /// Trains a model from random weights, where that is not done.
    ///
    /// - Returns: True: what it makes can be used.
    /// - Throws: `Failure.configuration` for a model that memory cannot hold; as `TrainingRun.run`
    ///   and `Stage.run`.
    public func trainBase(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        try run(node, stage) { try trainBase(stage, in: node.layout) }
    }

    /// Fine-tunes the student of an arm, where that is not done.
    ///
    /// - Returns: Whether there was something to train on; if not, the manifest says why.
    /// - Throws: `Failure` for traces that are malformed or too long, for a student that is missing or
    ///   that memory cannot hold; as `TrainingRun.run` and `Stage.run`.
    public func fineTune(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        guard let arm = node.arm else { preconditionFailure("a training stage has an arm") }
        return try run(node, stage) {
            try fineTune(arm, seed: node.seed, stage, in: node.layout)
        }
    }

    private func run(_ node: StageGraph.Node, _ stage: Stage, _ work: () throws -> JSON) throws
        -> Bool
    {
        guard try node.state(of: stage) != .finished else { return true }
        return try stage.run(of: node.layout.experiment) { run in
            try run.begin()
            do {
                let results = try work()
                let metrics = ["metrics.jsonl"].filter {
                    FileManager.default.fileExists(atPath: stage.file($0))
                }
                try run.close(.finished, results: results, outputs: metrics)
                return true
            } catch let nothing as NothingToTrainOn {
                display.write(line: "\(stage.label) seed \(stage.seed): \(nothing.reason)")
                try run.close(.failed, results: nothing.results)
                return false
            }
        }
    }

    /// Clears away a training that came to its end without keeping the weights on the way that are to
    /// be scored now: it is done again, to the same bytes.
    func restart(_ arm: Arm, seed: UInt64, _ stage: Stage, in layout: RunLayout) throws {
        guard stage.hasModel else { return }
        let missing = try layout.missingWeights(arm, seed: seed, stage)
        guard !missing.isEmpty else { return }
        display.write(
            line: "\(arm.name) seed \(seed): trains again, for the weights after step "
                + missing.map(String.init).joined(separator: ", ")
        )
        CheckpointFolder(stage.checkpoints).prune(to: 0)
        guard unlink(stage.model) == 0 else {
            throw Failure(
                .disk,
                file: stage.model,
                "cannot be removed, to be trained again",
                remedy: "Check the permissions of the folder."
            )
        }
    }

    /// Whether the weights are there already: the program was killed before it could say so.
    ///
    /// Checkpoints that it would have deleted then go now.
    func isTrained(_ stage: Stage, keeping checkpoints: Int) -> Bool {
        guard stage.hasModel else { return false }
        CheckpointFolder(stage.checkpoints).prune(to: checkpoints)
        return true
    }
}
