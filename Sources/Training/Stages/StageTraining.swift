import Basics
import Checkpoints
import Experiments
import Foundation
import Models
import Records

/// Trains the models of an experiment, a stage at a time.
///
/// It leaves the weights in the stage's folder. Who else may be at work there, and what is noted of
/// the run, is its caller's business: lock, manifest, and the exit code of an interruption.
public struct StageTraining {
    let layout: RunLayout
    let display: ProgressDisplay

    /// Prepares to train stages of an experiment.
    ///
    /// - Parameters:
    ///   - layout: The experiment and its stages.
    ///   - display: Where progress, warnings and estimates are shown.
    public init(_ layout: RunLayout, display: ProgressDisplay) {
        self.layout = layout
        self.display = display
    }

    /// Trains a model of the miniature world from random weights, one of `RunLayout.baseStages`.
    ///
    /// - Returns: What the manifest reports of it: nothing.
    /// - Throws: `Failure.configuration` for a model that memory cannot hold; as `TrainingRun.run`.
    public func trainBase(_ stage: Stage) throws -> JSON {
        let role = stage.label == ModelRole.teacher.rawValue ? ModelRole.teacher : .student
        guard case .scratch(let scratch) = try layout.source(role) else {
            preconditionFailure("a base stage trains a model from scratch")
        }
        guard !isTrained(stage, keeping: 0) else { return .null }
        let tokenizer = try ChainWorld.tokenizer
        let batches = try LessonBatches(
            of: scratch,
            seed: stage.seed,
            template: layout.experiment.template,
            tokenizer: tokenizer
        )
        try TrainingSettings.Recompute.none.estimate(
            scratch.shape,
            rows: try batches.batch(step: 0).tokenCount,
            moments: scratch.optimizer.moments
        ).check()
        let plan = TrainingPlan(
            batches: batches,
            sinks: MetricsLog.files(in: stage.folder),
            optimizer: scratch.optimizer,
            saveEvery: 200,
            keepCheckpoints: 0,
            label: "\(stage.label) seed \(stage.seed)"
        )
        let model = try LanguageModel(scratch, tokenizer: tokenizer, seed: stage.seed)
        try TrainingRun(model, plan: plan, stage: stage, display: display).run()
        return .null
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
