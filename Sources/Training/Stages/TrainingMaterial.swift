import Basics
import Experiments
import Models
import Records

extension TrainingStages {
    /// The selected traces of an arm, each seen once an epoch.
    func selectedTraces(
        _ arm: Arm,
        _ seed: UInt64,
        _ model: LanguageModel,
        _ teacher: LocalTeacher?,
        _ layout: RunLayout
    ) throws -> Material {
        guard let selection = try layout.trainedTraces(arm, seed: seed) else {
            preconditionFailure("an arm with traces selects them")
        }
        let settings = arm.training
        let set = try trainingSet(selection, arm, model, teacher, layout.experiment)
        let batches = SelectedTraceBatches(
            set.examples,
            batchSize: settings.batch,
            epochs: settings.epochs,
            microBatchTokens: settings.microBatchTokens,
            seed: seed
        )
        return Material(
            batches: batches,
            largestMicroBatch: batches.schedule.largestMicroBatch,
            results: JSONObject([
                ("traces", .integer(set.examples.count)),
                ("truncated", .integer(set.truncatedCount)),
                ("dropped", .integer(set.droppedCount)),
                ("target_tokens", .integer(set.examples.reduce(0) { $0 + $1.targetCount })),
            ])
        )
    }

    /// The rollouts of an arm's student, and the traces that it mixes with them.
    func rollouts(
        _ arm: Arm,
        _ seed: UInt64,
        _ stage: Stage,
        _ model: LanguageModel,
        _ teacher: LocalTeacher?,
        _ layout: RunLayout
    ) throws -> Material {
        let (settings, template) = (arm.training, layout.experiment.template)
        var traces: [TrainingExample] = []
        if let selection = try layout.trainedTraces(arm, seed: seed) {
            do {
                traces = try trainingSet(selection, arm, model, teacher, layout.experiment)
                    .examples
            } catch let nothing as NothingToTrainOn {
                display.write(line: "\(arm.name): every problem gets a rollout: \(nothing.reason)")
            }
        }
        let problems = try layout.problems(seed: layout.problemSeed(arm, seed: seed)).problems
        let batches = try OnPolicyBatches(
            OnPolicyBatches.Plan(
                settings: arm.onPolicy,
                training: settings,
                seed: seed,
                template: template,
                answerStyle: layout.experiment.traceStyle,
                folder: stage.folder
            ),
            problems: problems,
            student: model,
            teacher: teacher,
            traces: traces,
            warn: display.write(line:)
        )
        model.warnOfSpelledMarks(template)
        try model.checkContext(batches.longestExample, "lower onPolicy.maxNewTokens")
        let longest = max(batches.longestExample, traces.map(\.ids.count).max() ?? 0)
        return Material(
            batches: batches,
            largestMicroBatch: min(
                max(settings.microBatchTokens, longest),
                min(settings.batch, problems.count) * longest
            ),
            rolloutBytes: MemoryEstimate.rolloutBytes(
                model.configuration,
                isRounded: arm.onPolicy.storage == .q8_0,
                batch: min(arm.onPolicy.batch, settings.batch * arm.onPolicy.refreshEvery),
                tokens: batches.longestExample
            ),
            results: JSONObject([("problems", .integer(problems.count))])
        )
    }

    /// Selected traces as the student's tokens, those that fit; with prompts for a teacher that has
    /// others, and with answers at once where those are trained too.
    private func trainingSet(
        _ selection: Stage,
        _ arm: Arm,
        _ model: LanguageModel,
        _ teacher: LocalTeacher?,
        _ experiment: Experiment
    ) throws -> TrainingSet {
        let (settings, template) = (arm.training, experiment.template)
        try selection.checkOutput("selected.jsonl")
        func example(_ trace: SelectedTrace) throws -> TrainingExample {
            var example = try template.example(trace, with: model.tokenizer)
            try model.check(example.ids)
            example.teacherPrompt = try teacher?.prompt(
                for: trace.problem,
                after: trace.context,
                template
            )
            return example
        }
        let examples = try SelectedTrace.read(selection.selected).flatMap { trace in
            try settings.multiTask?.examples(of: trace, in: experiment, example) ?? [example(trace)]
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
        try model.checkContext(
            set.examples.map(\.ids.count).max() ?? 0,
            "lower training.maxLength"
        )
        return set
    }
}
