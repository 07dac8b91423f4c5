import ArgumentParser
import Checkpoints
import Records
import Experiments
import Basics
import Foundation
import Models
import Tokenizers

/// `rsd-train run`: trains base models from scratch and students on selected traces.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train the students of an experiment; goes on where it stopped.",
        discussion: """
            Models that the experiment trains from scratch come first (arm 'base'). Everything that \
            is finished already, for the same settings and inputs, is left as it is.

            While it trains, the stage's folder has metrics.jsonl, metrics.csv and event files for \
            TensorBoard: tensorboard --logdir runs/NAME/training. training.keepCheckpoints says how \
            many checkpoints stay at the end.

            Exit code 1 after all else was done: an arm has nothing to train on, and the last line \
            says which and why.
            """
    )

    @Argument(help: "Experiment file, YAML.") var experiment: String
    @Option(help: "Train this arm only; 'base' trains the models that start from scratch.")
    var arm: String?
    @Option(help: "Train with this seed only.") var seed: UInt64?
    @Option(help: "Train this variant of a sweep only.") var variant: String?
    @Flag(help: "Print what would be done, what is missing and what it takes, and stop.")
    var dryRun = false

    func run() throws {
        Interrupts.install()
        Interrupts.promise("stopping after this step, with a checkpoint of it")
        let experiment = try Experiment.read(experiment)
        let variants = try experiment.variants.filter {
            variant == nil || $0.variant?.name == variant
        }.map { try $0.restricted(toSeed: seed) }
        guard !variants.isEmpty else {
            throw Failure(
                .configuration,
                file: experiment.file,
                at: "grid",
                "has no variant '\(variant ?? "")'"
            )
        }
        if dryRun {
            let plans = try variants.map {
                try StageGraph(RunLayout($0), arms: selected($0)).plan()
            }
            try Plan.show(plans, of: self.experiment)
            return
        }
        var empty: [EmptyArm] = []
        for variant in variants {
            empty += try train(variant)
        }
        if let failure = empty.failure(in: self.experiment) { throw failure }
    }

    /// The arms to train.
    private func selected(_ experiment: Experiment) throws -> [Arm] {
        arm == "base" ? [] : try arm.map { [try experiment.arm($0)] } ?? experiment.arms
    }

    /// Trains what is not trained yet.
    ///
    /// - Returns: The arms that have nothing to train on.
    private func train(_ experiment: Experiment) throws -> [EmptyArm] {
        let layout = RunLayout(experiment)
        var empty: [EmptyArm] = []
        for stage in try layout.baseStages() where stage.state != .finished {
            try run(stage, experiment) { try baseRun(stage, layout) }
        }
        for arm in try selected(experiment) where arm.kind != .base {
            for seed in experiment.seeds {
                if let found = try layout.emptiness(of: arm, seed: seed) {
                    empty.append(found)
                    continue
                }
                guard let stage = try layout.training(arm, seed: seed), stage.state != .finished
                else { continue }
                do {
                    try run(stage, experiment, keepCheckpoints: arm.training.keepCheckpoints) {
                        try fineTuning(stage, arm, seed, layout)
                    }
                } catch let nothing as NothingToTrainOn {
                    StandardError.write(line: "\(arm.name) seed \(seed): \(nothing.reason)")
                    empty += try [layout.emptiness(of: arm, seed: seed)].compactMap(\.self)
                }
            }
        }
        return empty
    }

    /// Runs one stage under its lock and manifest.
    private func run(
        _ stage: Stage,
        _ experiment: Experiment,
        keepCheckpoints: Int = 0,
        _ prepare: () throws -> TrainingRun
    ) throws {
        try stage.prepare()
        let lock = try RunLock(stage.lock)
        defer { lock.release() }
        let manifest = try Manifest(
            stage.manifest,
            configuration: experiment.merged,
            seeds: [stage.seed],
            inputs: stage.inputDigests,
            surroundings: RunEnvironment.surroundings()
        )
        do {
            var volume = JSON.null
            // Weights without a finished manifest: the program was killed between the two.
            if stage.hasModel {
                CheckpointFolder(stage.checkpoints).prune(to: keepCheckpoints)
            } else {
                let training = try prepare()
                try training.run()
                volume = training.plan.volume
            }
            try manifest.close(.finished, results: volume)
        } catch {
            let isInterrupted = (error as? Failure)?.kind == .interrupted
            let results = (error as? NothingToTrainOn).map { JSON.object($0.results) } ?? .null
            try manifest.close(isInterrupted ? .interrupted : .failed, results: results)
            throw error
        }
    }

    private func baseRun(_ stage: Stage, _ layout: RunLayout) throws -> TrainingRun {
        let role = stage.label == ModelRole.teacher.rawValue ? ModelRole.teacher : .student
        guard case .scratch(let scratch) = try layout.source(role) else {
            preconditionFailure("a base stage trains a model from scratch")
        }
        let tokenizer = try ChainWorld.tokenizer
        let curriculum = scratch.curriculum(run: stage.seed)
        let template = layout.experiment.template
        let endOfTurn = try template.endOfTurnID(in: tokenizer)
        let plan = TrainingPlan(
            stepCount: scratch.steps,
            stepsPerEpoch: scratch.steps,
            microBatches: { step in
                let examples = try (0..<scratch.batch).map { index in
                    let lesson = curriculum.lesson(step: step, index: index)
                    return TrainingExample(
                        id: "lesson \(step).\(index)",
                        prompt: try template.encode(problem: lesson.problem, with: tokenizer),
                        completion: try tokenizer.encode(lesson.solution, specialTokens: .asText),
                        endOfTurn: endOfTurn
                    )
                }
                return [examples]
            },
            optimizer: scratch.optimizer,
            saveEvery: 200,
            keepCheckpoints: 0,
            label: "\(stage.label) seed \(stage.seed)"
        )
        try TrainingSettings.Recompute.none.estimate(
            scratch.shape,
            rows: try plan.microBatches(0).joined().reduce(0) { $0 + $1.inputs.count },
            moments: scratch.optimizer.moments
        ).check()
        let model = try LanguageModel(scratch, tokenizer: tokenizer, seed: stage.seed)
        return TrainingRun(model, plan: plan, stage: stage)
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

    private func fineTuning(_ stage: Stage, _ arm: Arm, _ seed: UInt64, _ layout: RunLayout) throws
        -> TrainingRun
    {
        guard let selection = try layout.selection(arm, seed: seed) else {
            preconditionFailure("only the base arm selects nothing")
        }
        let settings = arm.training
        try checkWeights(of: arm, seed, layout)
        let model = try layout.loadStudent(toTrain: arm, seed: seed)
        let template = layout.experiment.template
        try selection.checkOutput("selected.jsonl")
        let examples = try SelectedTrace.read(selection.selected).map { trace in
            let example = try template.example(trace, with: model.tokenizer)
            try model.check(example.ids)
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
            // Without a place it is about no single trace: nothing is left.
            if failure.place == nil {
                throw NothingToTrainOn(examples, maxLength: settings.maxLength)
            }
            throw failure.at("arm \(arm.name)").inFile(selection.selected)
        }
        if set.truncatedCount + set.droppedCount > 0 {
            StandardError.write(
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
        let schedule = BatchSchedule(
            lengths: set.examples.map(\.ids.count),
            batchSize: settings.batch,
            epochs: settings.epochs,
            microBatchTokens: settings.microBatchTokens,
            seed: seed
        )
        let memory = settings.recompute.estimate(
            model.configuration,
            rows: schedule.largestMicroBatch,
            moments: settings.optimizer.moments,
            adapting: settings.lora.map { ($0, model.transformer.storedBytes) }
        )
        if memory.totalBytes > 1 << 30 { StandardError.write(line: memory.text) }
        try memory.check()
        model.transformer.recomputation = memory.recomputation
        let plan = TrainingPlan(
            stepCount: schedule.stepCount,
            stepsPerEpoch: schedule.stepsPerEpoch,
            microBatches: { step in
                schedule.step(step).microBatches.map { $0.map { set.examples[$0] } }
            },
            optimizer: settings.optimizer,
            saveEvery: settings.saveEvery > 0 ? settings.saveEvery : schedule.stepsPerEpoch,
            keepCheckpoints: settings.keepCheckpoints,
            label: "\(arm.name) seed \(seed)",
            volume: [
                "traces": .integer(set.examples.count), "truncated": .integer(set.truncatedCount),
                "dropped": .integer(set.droppedCount),
                "target_tokens": .integer(set.examples.reduce(0) { $0 + $1.targetCount }),
                "steps": .integer(schedule.stepCount),
            ]
        )
        return TrainingRun(model, plan: plan, stage: stage)
    }
}

/// The traces of an arm are there, and none of them can be trained on.
private struct NothingToTrainOn: Error {
    /// Why, in words.
    let reason: String

    /// Counts what was wrong with the traces; too long goes before without a target.
    init(_ examples: [TrainingExample], maxLength: Int) {
        let long = examples.count { $0.ids.count > maxLength }
        let limit = "longer than training.maxLength (\(maxLength) tokens)"
        let silent = "no token that is trained on"
        reason =
            switch (long, examples.count - long) {
            case (_, 0): "all of its traces (\(long)) are \(limit)"
            case (0, let rest): "all of its traces (\(rest)) have \(silent)"
            case (_, let rest): "\(long) of its traces are \(limit), \(rest) have \(silent)"
            }
    }

    /// What the manifest says of it.
    var results: JSONObject { JSONObject([(EmptyArm.key, .string(reason))]) }
}
