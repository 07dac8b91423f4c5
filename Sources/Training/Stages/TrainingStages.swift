import Basics
import Experiments
import Foundation
import Records

/// What Train's stages do: models are trained from random weights, and students on selected traces.
public struct TrainingStages {
    private let display: ProgressDisplay

    /// Stages that show their progress somewhere.
    public init(display: ProgressDisplay = .standardError()) { self.display = display }

    /// Trains a model from random weights, where that is not done.
    ///
    /// - Returns: Whether stages that need the model can go on: always.
    /// - Throws: As `StageTraining.trainBase` and `Stage.run`.
    public func trainBase(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        guard stage.state != .finished else { return true }
        try run(node, stage) { try $0.trainBase(stage) }
        return true
    }

    /// Trains an arm's student, where that is not done.
    ///
    /// - Returns: Whether stages that need the student can go on: not where the arm has nothing to
    ///   train on.
    /// - Throws: As `StageTraining.fineTune` and `Stage.run`.
    public func fineTune(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        guard let arm = node.arm, stage.state != .finished else { return true }
        do {
            try run(node, stage) { try $0.fineTune(arm, seed: node.seed, stage) }
            return true
        } catch let nothing as NothingToTrainOn {
            display.write(line: "\(arm.name) seed \(node.seed): \(nothing.reason)")
            return false
        }
    }

    private func run(
        _ node: StageGraph.Node,
        _ stage: Stage,
        _ train: (StageTraining) throws -> JSON
    ) throws {
        try stage.run(of: node.layout.experiment) { run in
            try run.begin()
            do {
                let results = try train(StageTraining(node.layout, display: display))
                let metrics = ["metrics.jsonl"].filter {
                    FileManager.default.fileExists(atPath: stage.file($0))
                }
                try run.close(.finished, results: results, outputs: metrics)
            } catch let nothing as NothingToTrainOn {
                run.resultsSoFar = { nothing.results }
                throw nothing
            }
        }
    }
}
