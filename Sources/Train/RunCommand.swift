import ArgumentParser
import Datasets
import Experiments
import Files
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
        let experiment = try Experiment.read(experiment)
        let variants = try experiment.variants.filter {
            variant == nil || $0.variant?.name == variant
        }
        guard !variants.isEmpty else {
            throw Failure(
                .configuration,
                file: experiment.file,
                at: "grid",
                "has no variant '\(variant ?? "")'"
            )
        }
        for variant in variants {
            let variant = try variant.restricted(toSeed: seed)
            if dryRun {
                print(try RunLayout(variant).plan().text)
                continue
            }
            try train(variant)
        }
    }

    private func train(_ experiment: Experiment) throws {
        let layout = RunLayout(experiment)
        let selected =
            arm == "base" ? [] : try arm.map { [try experiment.arm($0)] } ?? experiment.arms
        for stage in try layout.baseStages() where stage.state != .finished {
            try run(stage, experiment) { try baseRun(stage, layout) }
        }
        for arm in selected where arm.kind != .base {
            for seed in experiment.seeds {
                guard let stage = try layout.training(arm, seed: seed), stage.state != .finished
                else { continue }
                try run(stage, experiment) { try fineTuning(stage, arm, seed, layout) }
            }
        }
    }

    /// Runs one stage under its lock and manifest.
    private func run(
        _ stage: Stage,
        _ experiment: Experiment,
        _ prepare: () throws -> TrainingRun
    ) throws {
        try stage.prepare()
        let lock = try RunLock(stage.lock)
        defer { lock.release() }
        let manifest = try Manifest(
            stage.manifest,
            configuration: experiment.merged,
            seeds: [stage.seed],
            inputs: [],
            surroundings: RunEnvironment.surroundings()
        )
        do {
            // Weights without a finished manifest: the program was killed between the two.
            if stage.hasModel {
                try? FileManager.default.removeItem(atPath: stage.checkpoints)
            } else {
                try prepare().run()
            }
            try manifest.close(.finished)
        } catch {
            let isInterrupted = (error as? Failure)?.kind == .interrupted
            try manifest.close(isInterrupted ? .interrupted : .failed)
            throw error
        }
    }

    private func baseRun(_ stage: Stage, _ layout: RunLayout) throws -> TrainingRun {
        let role = stage.label == ModelRole.teacher.rawValue ? ModelRole.teacher : .student
        guard case .scratch(let scratch) = try layout.source(role) else {
            preconditionFailure("a base stage trains a model from scratch")
        }
        let tokenizer = try ChainWorld.tokenizer
        let model = try LanguageModel(scratch, tokenizer: tokenizer, seed: stage.seed)
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
            keepCheckpoints: 1,
            label: "\(stage.label) seed \(stage.seed)"
        )
        try TrainingSettings.Recompute.none.estimate(
            model.configuration,
            rows: try plan.microBatches(0).joined().reduce(0) { $0 + $1.inputs.count },
            moments: scratch.optimizer.moments
        ).check()
        return TrainingRun(model, plan: plan, stage: stage)
    }

    private func fineTuning(_ stage: Stage, _ arm: Arm, _ seed: UInt64, _ layout: RunLayout) throws
        -> TrainingRun
    {
        guard let selection = try layout.selection(arm, seed: seed) else {
            preconditionFailure("only the base arm selects nothing")
        }
        let settings = arm.training
        let model = try layout.loadStudent(toTrain: arm, seed: seed)
        let template = layout.experiment.template
        let examples = try SelectedTrace.read(selection.selected).map { trace in
            try template.example(trace, with: model.tokenizer)
        }
        let set = try TrainingSet(
            examples,
            maxLength: settings.maxLength,
            overlong: settings.overlong
        )
        if set.truncatedCount + set.droppedCount > 0 {
            Notice.write(
                "\(arm.name): of \(examples.count) traces \(set.truncatedCount) were cut at and "
                    + "\(set.droppedCount) dropped for \(settings.maxLength) tokens"
            )
        }
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
        if memory.totalBytes > 1 << 30 { Notice.write(memory.text) }
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
            label: "\(arm.name) seed \(seed)"
        )
        return TrainingRun(model, plan: plan, stage: stage)
    }
}

/// A line of information beside the progress line.
enum Notice {
    static func write(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
