import Basics
import Foundation
import Records

extension Stage {
    /// The weights of a fine-tuned student as they were after so many steps.
    public func model(afterStep step: Int) -> String { file("model-step\(step).h5") }

    /// How many optimizer steps a training had; nil while it is not at its end.
    public var stepCount: Int? {
        let json = try? TextFile.readJSON(manifest)
        if json?["status"]?.string == Manifest.Status.finished.rawValue,
            let steps = json?["results"]?["steps"]?.integer
        {
            return steps
        }
        // Of a program that was killed before it could say so, the metrics are there.
        guard hasModel else { return nil }
        return (try? MetricsFile(file("metrics.jsonl")))?.rows.last.map { $0.step + 1 }
    }
}

extension RunLayout {
    /// The steps after which an arm's student is to be scored: those before the end of its training as
    /// far as that is known, before it is trained those that a trace a problem would make.
    ///
    /// - Throws: `Failure` for an input that is malformed.
    public func scoredSteps(_ arm: Arm, seed: UInt64) throws -> [Int] {
        guard let scored = experiment.scoredSteps(of: arm) else { return [] }
        return scored.steps(before: try stepLimit(of: arm, seed: seed) ?? 0)
    }

    /// How many steps an arm's training has, or may have.
    private func stepLimit(of arm: Arm, seed: UInt64) throws -> Int? {
        if let stage = try ifPresent({ try training(arm, seed: seed) }), let count = stage.stepCount
        {
            return count
        }
        return try mostSteps(of: arm)
    }

    /// The wanted weights of a training that are not there and have not been scored yet.
    ///
    /// - Throws: `Failure` for an input that is missing or malformed.
    public func missingWeights(_ arm: Arm, seed: UInt64, _ stage: Stage) throws -> [Int] {
        guard let scored = experiment.scoredSteps(of: arm), let end = stage.stepCount else {
            return []
        }
        // One training may be scored under all seeds.
        let seeds = arm.training.seed == nil ? [seed] : experiment.seeds
        return try scored.steps(before: end).filter { step in
            let isThere = FileManager.default.fileExists(atPath: stage.model(afterStep: step))
            return try !isThere
                && seeds.contains {
                    try evaluation(arm, seed: $0, step: step).state != .finished
                }
        }
    }
}

extension StageGraph.Node {
    /// How far its stage has come.
    ///
    /// A training has come to its end, and all the same has to be done again, where weights on the way
    /// are to be scored that it did not keep.
    ///
    /// - Throws: `Failure` for an input that is missing or malformed.
    public func state(of stage: Stage) throws -> Stage.State {
        guard case .training(let arm) = work, stage.state == .finished else { return stage.state }
        return try layout.missingWeights(arm, seed: seed, stage).isEmpty ? .finished : .started
    }
}
