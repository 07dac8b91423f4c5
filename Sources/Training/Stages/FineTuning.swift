import Autograd
import Basics
import Checkpoints
import Experiments
import Models
import Records

extension TrainingStages {
    /// What a training takes its steps from, and what is known of it beforehand.
    struct Material {
        /// The steps.
        var batches: any BatchSource
        /// Most tokens of a micro-batch.
        var largestMicroBatch: Int
        /// What writing rollouts takes, in bytes.
        var rolloutBytes = 0
        /// What the manifest reports of it.
        var results: JSONObject
    }

    /// The work of a stage that trains the student of an arm, on its selected traces or on its own
    /// rollouts.
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
        let settings = arm.training
        try restart(arm, seed: seed, stage, in: layout)
        guard !isTrained(stage, keeping: settings.keepCheckpoints) else { return .null }
        try checkWeights(of: arm, seed, layout)
        let model = try layout.loadStudent(toTrain: arm, seed: seed)
        let teacher =
            try settings.objective.asksTeacher
            ? LocalTeacher(layout.loadTeacher(of: arm, seed: seed, storage: .stored), of: model)
            : nil
        if let difference = teacher?.difference { display.write(line: difference) }
        let material =
            try arm.kind == .onPolicy
            ? rollouts(arm, seed, stage, model, teacher, layout)
            : selectedTraces(arm, seed, model, teacher, layout)
        let batches = material.batches
        var memory = settings.recompute.estimate(
            model.configuration,
            rows: material.largestMicroBatch,
            moments: settings.optimizer.moments,
            adapting: settings.lora.map { ($0, model.transformer.storedBytes) },
            teacherBytes: teacher?.byteCount(rows: material.largestMicroBatch) ?? 0
        )
        memory.rolloutBytes = material.rolloutBytes
        if memory.totalBytes > 1 << 30 { display.write(line: memory.text) }
        try memory.check()
        model.transformer.recomputation = memory.recomputation
        let plan = TrainingPlan(
            batches: batches,
            objective: try objective(of: arm, model, teacher),
            sinks: MetricsLog.files(in: stage.folder),
            products: settings.products,
            optimizer: settings.optimizer,
            saveEvery: settings.saveEvery > 0 ? settings.saveEvery : batches.stepsPerEpoch,
            keepCheckpoints: settings.keepCheckpoints,
            scoredSteps: scoredSteps(arm, seed: seed, before: batches.stepCount, in: layout),
            label: "\(arm.name) seed \(seed)"
        )
        let run = TrainingRun(model, plan: plan, stage: stage, display: display)
        try run.run()
        var results = JSONObject([("products", .string(run.arithmetic.rawValue))])
        for (key, value) in material.results.members { results[key] = value }
        results["steps"] = .integer(batches.stepCount)
        return .object(results)
    }

    /// The steps after which an arm's weights are kept; tells of those that never come.
    private func scoredSteps(
        _ arm: Arm,
        seed: UInt64,
        before end: Int,
        in layout: RunLayout
    ) -> [Int] {
        guard let scored = layout.experiment.scoredSteps(of: arm) else { return [] }
        let steps = scored.steps(before: end)
        if case .listed(let all) = scored, let first = all.first(where: { $0 >= end }) {
            display.write(
                line: "\(arm.name) seed \(seed): atSteps has \(first), and training ends after "
                    + "\(end) steps: from there on the trained student is scored"
            )
        }
        return steps
    }

    /// What is minimised.
    private func objective(
        of arm: Arm,
        _ student: LanguageModel,
        _ teacher: LocalTeacher?
    ) throws -> any Objective {
        let settings = arm.training.objective
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
        return DivergenceObjective(
            loss,
            from: teacher,
            observesRollouts: arm.kind == .onPolicy
        )
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
}
