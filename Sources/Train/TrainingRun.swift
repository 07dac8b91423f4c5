import Autograd
import Checkpoints
import Records
import Experiments
import Basics
import Foundation
import Kernels
import Models

/// What one training run does: its steps, its optimizer, where it writes.
struct TrainingPlan {
    /// Number of optimizer steps.
    let stepCount: Int
    /// Number of steps in which each example is seen once; all of them where none is seen again.
    let stepsPerEpoch: Int
    /// The examples of a step, cut into micro-batches.
    let microBatches: (_ step: Int) throws -> [[TrainingExample]]
    /// Optimizer and schedule.
    let optimizer: OptimizerSettings
    /// Steps between checkpoints.
    let saveEvery: Int
    /// Checkpoints that stay when training has ended.
    let keepCheckpoints: Int
    /// What the run is called on the progress line.
    let label: String
    /// How much is trained on, for the manifest.
    var volume = JSON.null

    /// Checkpoints kept while training: never none, as training goes on from them.
    var checkpointsWhileTraining: Int {
        TrainingSettings.checkpointsWhileTraining(keeping: keepCheckpoints)
    }

    var schedule: CosineSchedule {
        CosineSchedule(
            peak: optimizer.learningRate,
            final: optimizer.finalLearningRate,
            warmupSteps: Int((optimizer.warmupFraction * Double(stepCount)).rounded(.up)),
            totalSteps: stepCount
        )
    }

    var adamW: AdamW<Float>.Configuration {
        .init(
            beta1: optimizer.beta1,
            beta2: optimizer.beta2,
            epsilon: optimizer.epsilon,
            weightDecay: optimizer.weightDecay,
            maximumGradientNorm: optimizer.clip > 0 ? optimizer.clip : .infinity,
            bfloat16Moments: optimizer.moments == .bfloat16
        )
    }
}

/// One optimizer step, as recorded in metrics and shown on the progress line.
struct StepMetrics {
    let step: Int
    /// Mean cross-entropy of the step's targets, in nats.
    let loss: Double
    let learningRate: Double
    let gradientNorm: Double
    /// Tokens passed through the model, prompts included.
    let tokens: Int
    let seconds: Double

    var json: JSON {
        [
            "step": .integer(step), "loss": .number(loss), "learning_rate": .number(learningRate),
            "gradient_norm": .number(gradientNorm), "tokens": .integer(tokens),
            "seconds": .number((seconds * 1e4).rounded() / 1e4),
        ]
    }
}

/// Trains a model and leaves a state on disk from which the same run continues exactly.
final class TrainingRun {
    private let model: LanguageModel
    private let optimizer: AdamW<Float>
    let plan: TrainingPlan
    private let stage: Stage
    private let checkpoints: CheckpointFolder
    private let identity: JSON

    /// Prepares to train the weights of `model`, or its adapters where it has some.
    init(_ model: LanguageModel, plan: TrainingPlan, stage: Stage) {
        self.model = model
        self.plan = plan
        self.stage = stage
        identity = .string(stage.hash)
        checkpoints = CheckpointFolder(
            stage.checkpoints,
            keep: plan.checkpointsWhileTraining
        )
        optimizer = AdamW(model.transformer.trained, configuration: plan.adamW)
    }

    /// Trains from the latest checkpoint, or from the start, to the end.
    ///
    /// - Throws: `Failure.interrupted` after a stop on request, with a checkpoint of the last
    ///   step; `Failure.failed` when the loss is not a number; `Failure.disk`.
    func run(display: ProgressDisplay = .standardError()) throws {
        try model.tokenizer.checkReadsBack(of: model.name)
        let first = try resume()
        try requireSpace(from: first)
        let metrics = try MetricsLog(stage: stage, keepingStepsBelow: first)
        let progress = Progress(
            plan.label,
            total: plan.stepCount,
            unit: "steps",
            done: first,
            display: display
        )
        try announce(from: first)
        var tokens = 0
        for step in first..<max(first, plan.stepCount) {
            let result = try train(step: step) { done, all in
                let share = "\(Progress.grouped(done))/\(Progress.grouped(all)) tokens"
                progress.update(done: step, [("step \(step + 1):", share)])
            }
            tokens += result.tokens
            try metrics.append(result)
            progress.update(done: step + 1, fields(result, tokens: tokens, progress.elapsed))
            if Interrupts.isRequested {
                try save(completedSteps: step + 1)
                throw Interrupts.stopped()
            }
            if (step + 1) % plan.saveEvery == 0 && step + 1 < plan.stepCount {
                try save(completedSteps: step + 1)
            }
        }
        try checkWeights(after: plan.stepCount - 1)
        try HDF5Checkpoint.write(content(state: nil, at: stage.model), to: stage.model)
        checkpoints.prune(to: plan.keepCheckpoints)
        progress.finish()
    }

    /// Tells what is to come, before a first step that may take minutes.
    private func announce(from first: Int) throws {
        guard plan.stepCount > first, model.configuration.parameterCount > 10_000_000 else {
            return
        }
        let count = plan.stepCount - first
        let rows = try plan.microBatches(first).joined().reduce(0) { $0 + $1.inputs.count }
        StandardError.write(
            line: "\(plan.label): \(count) \(count == 1 ? "step" : "steps") to come, the first of "
                + "\(Progress.grouped(rows)) tokens"
        )
    }

    private func fields(_ metrics: StepMetrics, tokens: Int, _ elapsed: Double)
        -> [(name: String, value: String)]
    {
        [
            ("loss", String(format: "%.3f", metrics.loss)),
            ("tokens/s", Progress.rate(Double(tokens) / max(elapsed, 1e-9))),
            ("lr", String(format: "%.2e", metrics.learningRate)),
            ("grad", String(format: "%.2f", metrics.gradientNorm)),
        ]
    }

    /// One optimizer step; `progress` hears, after each micro-batch, how many of its tokens are done.
    private func train(
        step: Int,
        _ progress: (_ done: Int, _ all: Int) -> Void
    ) throws -> StepMetrics {
        let start = ContinuousClock.now
        let microBatches = try plan.microBatches(step)
        // Divided by the targets of the whole step, so that its cutting changes nothing.
        let targetCount = microBatches.joined().reduce(0) { $0 + $1.targetCount }
        let tokenCount = microBatches.joined().reduce(0) { $0 + $1.inputs.count }
        var tokensDone = 0
        var loss = 0.0
        for examples in microBatches {
            let tape = Tape<Float>()
            let result = model.transformer.loss(
                TokenBatch(examples.map { Array($0.inputs) }),
                targets: examples.flatMap(\.targets),
                coefficients: examples.flatMap { $0.targetWeights.map { $0 / Float(targetCount) } },
                on: tape
            )
            loss += Double(result.value.item)
            result.backward()
            tokensDone += examples.reduce(0) { $0 + $1.inputs.count }
            progress(tokensDone, tokenCount)
        }
        let norm = optimizer.gradientNorm()
        guard loss.isFinite, norm.isFinite else {
            // Of what is not a number the sign says nothing.
            throw diverged(
                at: step,
                "the loss is \(loss.magnitude) and the gradient norm \(norm.magnitude)",
                ", or look at examples "
                    + microBatches.joined().prefix(4).map(\.id).joined(separator: ", ")
            )
        }
        let rate = plan.schedule.learningRate(at: step)
        optimizer.step(learningRate: rate, gradientNorm: norm)
        return StepMetrics(
            step: step,
            loss: loss,
            learningRate: rate,
            gradientNorm: norm,
            tokens: tokenCount,
            seconds: (ContinuousClock.now - start) / .seconds(1)
        )
    }

    // MARK: State on disk

    private func content(state completedSteps: Int?, at path: String) -> CheckpointContent {
        var metadata = JSONObject([("tokenizer_config", model.tokenizer.configurationJSON)])
        if let (lora, base) = model.adaptation {
            metadata["adapter_config"] = stage.reference(base, from: path).configuration(lora)
        }
        var content = CheckpointContent(
            tensors: model.checkpointTensors,
            adapters: model.adapterTensors,
            configuration: model.configuration.json,
            tokenizer: model.tokenizer.toJSON(),
            metadata: .object(metadata)
        )
        guard let completedSteps else { return content }
        func moments(_ get: @escaping @Sendable (AdamWMoments<Float>) -> Buffer<Float>)
            -> [NamedTensor]
        {
            optimizer.state.map { parameter, moments in
                NamedTensor(
                    name: parameter.name,
                    shape: parameter.value.shape,
                    storage: plan.optimizer.moments
                ) { get(moments) }
            }
        }
        content.firstMoments = moments { $0.first }
        content.secondMoments = moments { $0.second }
        content.state = [
            "step": .integer(completedSteps),
            "epoch": .integer(completedSteps / plan.stepsPerEpoch),
            "cursor": .integer(completedSteps % plan.stepsPerEpoch),
            "seed": .integer(Int(stage.seed)), "run": identity,
        ]
        return content
    }

    /// Keeps a blow-up of the last update out of what is written.
    private func checkWeights(after step: Int) throws {
        for parameter in model.transformer.trained {
            let isFinite = parameter.value.buffer.withSpan { values in
                values.indices.allSatisfy { values[$0].isFinite }
            }
            guard !isFinite else { continue }
            throw diverged(at: step, "'\(parameter.name)' holds numbers that are not finite", ".")
        }
    }

    private func diverged(at step: Int, _ found: String, _ more: String) -> Failure {
        Failure(
            .failed,
            file: stage.folder,
            at: "step \(step)",
            "\(found); training has diverged",
            remedy: (checkpoints.list().isEmpty ? "" : "The last checkpoint is sound. ")
                + "Lower training.learningRate\(more)"
        )
    }

    private func save(completedSteps: Int) throws {
        try checkWeights(after: completedSteps - 1)
        let path = checkpoints.path(step: completedSteps)
        func write() throws {
            try checkpoints.write(content(state: completedSteps, at: path), step: completedSteps)
        }
        do {
            do { try write() } catch let failure as Failure
                where failure.kind == .disk && checkpoints.list().count > 1
            {
                // What was trained since is worth more than the second newest checkpoint.
                checkpoints.prune(to: 1)
                try write()
            }
        } catch var failure as Failure where failure.kind == .disk {
            let last = checkpoints.list().last?.step
            failure.message += last.map { "; the checkpoint of step \($0) is whole" } ?? ""
            failure.remedy =
                "Free some space and run the same command again: it goes on from "
                + (last.map { "step \($0)." } ?? "the start, as nothing was saved before.")
            throw failure
        }
    }

    /// Refuses to begin what could not be saved: checkpoints on the way, one of them beside those
    /// that are kept, and the weights at the end.
    private func requireSpace(from first: Int) throws {
        let steps = first..<max(first, plan.stepCount)
        let saves = steps.count { ($0 + 1) % plan.saveEvery == 0 && $0 + 1 < plan.stepCount }
        let there = checkpoints.list().count
        let checkpoint = content(state: first, at: checkpoints.path(step: first))
            .estimatedByteCount
        let model = content(state: nil, at: stage.model).estimatedByteCount
        let onTheWay = min(saves, max(0, checkpoints.keep + 1 - there))
        let atTheEnd = max(0, min(there + saves, checkpoints.keep) - there)
        let needed = max(onTheWay * checkpoint, atTheEnd * checkpoint + model)
        guard let free = AtomicFile.freeBytes(in: stage.folder), free < needed + needed / 10
        else { return }
        throw Failure(
            .disk,
            file: stage.folder,
            "training needs \(needed + needed / 10) bytes for checkpoints and weights; \(free) are "
                + "free",
            remedy: "Free some space and run the same command again, or lower "
                + "training.keepCheckpoints."
        )
    }

    /// Restores weights and moments from the latest whole checkpoint.
    ///
    /// - Returns: The step to go on with.
    private func resume() throws -> Int {
        checkpoints.sweep()
        guard let (checkpoint, step, damaged) = try checkpoints.latest() else { return 0 }
        for failure in damaged { StandardError.report(failure) }
        guard checkpoint.state["run"]?.string == identity.string,
            checkpoint.state["step"]?.integer == step
        else {
            throw Failure(
                .badData,
                file: checkpoint.path,
                "belongs to another run, or to another step than its name says",
                remedy: "Delete the folder \(checkpoints.path)."
            )
        }
        for parameter in model.transformer.trained {
            parameter.value.buffer.copy(from: try checkpoint.trained(parameter.name))
        }
        for (parameter, moments) in optimizer.state {
            moments.restore(
                first: try checkpoint.firstMoment(parameter.name),
                second: try checkpoint.secondMoment(parameter.name)
            )
        }
        optimizer.resume(atStep: step)
        return step
    }
}

extension Stage {
    /// How a checkpoint of adapters names its base: relative to itself when that is a model of the
    /// same experiment, so that its folder can be moved; otherwise as the experiment file does.
    func reference(_ base: AdapterBase, from path: String) -> AdapterBase {
        let runs = folder.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        let prefix = runs.joined(separator: "/") + "/"
        guard base.path.hasPrefix(prefix), path.hasPrefix(prefix) else { return base }
        let depth = path.dropFirst(prefix.count).count { $0 == "/" }
        var reference = base
        reference.path = String(repeating: "../", count: depth) + base.path.dropFirst(prefix.count)
        return reference
    }
}
