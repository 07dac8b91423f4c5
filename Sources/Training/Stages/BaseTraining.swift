import Basics
import Checkpoints
import Experiments
import Models
import Records

extension TrainingStages {
    /// The work of a stage that trains a model of the miniature world from random weights.
    ///
    /// - Returns: What the manifest reports of it: nothing.
    /// - Throws: `Failure.configuration` for a model that memory cannot hold; as `TrainingRun.run`.
    func trainBase(_ stage: Stage, in layout: RunLayout) throws -> JSON {
        guard let role = ModelRole(rawValue: stage.label),
            case .scratch(let scratch) = try layout.source(role)
        else {
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
}
