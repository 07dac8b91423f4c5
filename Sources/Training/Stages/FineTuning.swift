import Autograd
import Basics
import Checkpoints
import Experiments
import Models
import Records

extension TrainingStages {
    /// The work of a stage that fine-tunes the student of an arm on its selected traces.
    ///
    /// - Parameters:
    ///   - arm: Any but a base arm.
    ///   - seed: The seed of the run.
    ///   - stage: What `RunLayout.training` gives for the two.
    ///   - layout: The experiment and its stages.
    /// - Returns: What the manifest reports of it: traces, target tokens, steps; nothing where the
    ///   weights were there already.
    /// - Throws: `NothingToTrainOn` when none of the traces can be trained on; `Failure` for traces
    ///   that are malformed or too long, for a student that is missing or that memory cannot hold,
    ///   and as `TrainingRun.run`.
    func fineTune(_ arm: Arm, seed: UInt64, _ stage: Stage, in layout: RunLayout) throws -> JSON {
        guard let selection = try layout.selection(arm, seed: seed) else {
            preconditionFailure("only the base arm selects nothing")
        }
        let settings = arm.training
        guard !isTrained(stage, keeping: settings.keepCheckpoints) else { return .null }
        try checkWeights(of: arm, seed, layout)
        let model = try layout.loadStudent(toTrain: arm, seed: seed)
        let teacher =
            try settings.objective.asksTeacher
            ? LocalTeacher(layout.loadModel(.teacher, seed: seed, storage: .stored), of: model)
            : nil
        if let difference = teacher?.difference { display.write(line: difference) }
        let set = try trainingSet(selection, arm, model, teacher, layout.experiment.template)
        let batches = SelectedTraceBatches(
            set.examples,
            batchSize: settings.batch,
            epochs: settings.epochs,
            microBatchTokens: settings.microBatchTokens,
            seed: seed
        )
        let memory = settings.recompute.estimate(
            model.configuration,
            rows: batches.schedule.largestMicroBatch,
            moments: settings.optimizer.moments,
            adapting: settings.lora.map { ($0, model.transformer.storedBytes) },
            teacherBytes: teacher?.byteCount(rows: batches.schedule.largestMicroBatch) ?? 0
        )
        if memory.totalBytes > 1 << 30 { display.write(line: memory.text) }
        try memory.check()
        model.transformer.recomputation = memory.recomputation
        let plan = TrainingPlan(
            batches: batches,
            objective: try objective(of: settings.objective, model, teacher),
            sinks: MetricsLog.files(in: stage.folder),
            products: settings.products,
            optimizer: settings.optimizer,
            saveEvery: settings.saveEvery > 0 ? settings.saveEvery : batches.stepsPerEpoch,
            keepCheckpoints: settings.keepCheckpoints,
            label: "\(arm.name) seed \(seed)"
        )
        let run = TrainingRun(model, plan: plan, stage: stage, display: display)
        try run.run()
        return [
            "products": .string(run.arithmetic.rawValue),
            "traces": .integer(set.examples.count), "truncated": .integer(set.truncatedCount),
            "dropped": .integer(set.droppedCount),
            "target_tokens": .integer(set.examples.reduce(0) { $0 + $1.targetCount }),
            "steps": .integer(batches.stepCount),
        ]
    }

    /// What is minimised.
    private func objective(
        of settings: ObjectiveSettings,
        _ student: LanguageModel,
        _ teacher: LocalTeacher?
    ) throws -> any Objective {
        guard let divergence = settings.divergence else { return CrossEntropyObjective() }
        let loss = DistributionLoss(
            divergence,
            temperature: settings.temperature,
            weight: settings.weight
        )
        if let path = settings.usedTargets {
            return DivergenceObjective(loss, from: try StoredTeacher(path, of: student))
        }
        guard let teacher else { preconditionFailure("a divergence has a teacher or targets") }
        return DivergenceObjective(loss, from: teacher)
    }

    /// Refuses a student whose weights, gradients and moments alone are too much, before it is loaded.
    private func checkWeights(of arm: Arm, _ seed: UInt64, _ layout: RunLayout) throws {
        guard arm.training.lora == nil,
            let files = try? ModelFiles.open(layout.studentPath(arm, seed: seed))
        else { return }
        try arm.training.recompute.estimate(
            ModelConfiguration(files.configuration),
            rows: 1,
            moments: arm.training.optimizer.moments
        ).check()
    }

    /// The selected traces of an arm as its student's tokens, those that fit; with prompts for a
    /// teacher that has others.
    private func trainingSet(
        _ selection: Stage,
        _ arm: Arm,
        _ model: LanguageModel,
        _ teacher: LocalTeacher?,
        _ template: PromptSettings
    ) throws -> TrainingSet {
        let settings = arm.training
        try selection.checkOutput("selected.jsonl")
        let examples = try SelectedTrace.read(selection.selected).map { trace in
            var example = try template.example(trace, with: model.tokenizer)
            try model.check(example.ids)
            example.teacherPrompt = try teacher?.prompt(for: trace, template)
            return example
        }
        let set: TrainingSet
        do {
            set = try TrainingSet(
                examples,
                maxLength: settings.maxLength,
                overlong: settings.overlong
            )
        } catch let failure as Failure {
            throw failure.at("arm \(arm.name)").inFile(selection.selected)
        }
        if set.truncatedCount + set.droppedCount > 0 {
            display.write(
                line: "\(arm.name): of \(examples.count) traces \(set.truncatedCount) cut at "
                    + "\(settings.maxLength) tokens, \(set.droppedCount) left out: longer, or "
                    + "nothing to train on"
            )
        }
        model.warnOfSpelledMarks(template)
        model.warnBeyondContext(
            set.examples.map(\.ids.count).max() ?? 0,
            "lower training.maxLength"
        )
        return set
    }
}
