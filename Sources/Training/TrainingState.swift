import Autograd
import Basics
import Checkpoints
import Experiments
import Foundation
import Kernels
import Models

/// What a training run has on disk: checkpoints on the way, and the trained weights at the end.
final class TrainingState {
    private let model: LanguageModel
    private let optimizer: AdamW<Float>
    private let plan: TrainingPlan
    private let stage: Stage
    private let checkpoints: CheckpointFolder
    /// What the matrix products are computed with, as the checkpoint says that was gone on from.
    var arithmetic: ProductArithmetic?
    private var batches: any BatchSource { plan.batches }

    init(_ model: LanguageModel, _ optimizer: AdamW<Float>, plan: TrainingPlan, stage: Stage) {
        self.model = model
        self.optimizer = optimizer
        self.plan = plan
        self.stage = stage
        checkpoints = CheckpointFolder(stage.checkpoints, keep: plan.checkpointsWhileTraining)
    }

    /// Writes the trained weights, and keeps as many checkpoints as are to stay.
    func finish() throws {
        try checkWeights(after: batches.stepCount - 1)
        try HDF5Checkpoint.write(content(state: nil, at: stage.model), to: stage.model)
        checkpoints.prune(to: plan.keepCheckpoints)
    }

    /// Writes the weights after so many steps, to be scored.
    func keepWeights(completedSteps: Int) throws {
        try checkWeights(after: completedSteps - 1)
        let path = stage.model(afterStep: completedSteps)
        try HDF5Checkpoint.write(content(state: nil, at: path), to: path)
    }

    /// The steps up to some step whose weights are to be scored and are not there.
    private func lostWeights(upTo step: Int) -> [Int] {
        plan.scoredSteps.sorted().filter {
            $0 <= step && !FileManager.default.fileExists(atPath: stage.model(afterStep: $0))
        }
    }

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
        var state = JSONObject([
            ("step", .integer(completedSteps)),
            ("epoch", .integer(completedSteps / batches.stepsPerEpoch)),
            ("cursor", .integer(completedSteps % batches.stepsPerEpoch)),
            ("seed", .integer(Int(stage.seed))), ("run", .string(stage.hash)),
        ])
        if plan.products.arithmetic == nil, let arithmetic {
            state["products"] = .string(arithmetic.rawValue)
        }
        if !batches.state.isNull { state["batches"] = batches.state }
        content.state = .object(state)
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

    /// The failure of a run whose numbers are no longer any.
    func diverged(at step: Int, _ found: String, _ more: String) -> Failure {
        Failure(
            .failed,
            file: stage.folder,
            at: "step \(step)",
            "\(found); training has diverged",
            remedy: (checkpoints.list().isEmpty ? "" : "The last checkpoint is sound. ")
                + "Lower training.learningRate\(more)"
        )
    }

    /// Writes a checkpoint after so many steps.
    func save(completedSteps: Int) throws {
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
    func requireSpace(from first: Int) throws {
        let steps = first..<max(first, batches.stepCount)
        let saves = steps.count { ($0 + 1) % plan.saveEvery == 0 && $0 + 1 < batches.stepCount }
        let there = checkpoints.list().count
        let checkpoint = content(state: first, at: checkpoints.path(step: first))
            .estimatedByteCount
        let model = content(state: nil, at: stage.model).estimatedByteCount
        let onTheWay = min(saves, max(0, checkpoints.keep + 1 - there))
        let atTheEnd = max(0, min(there + saves, checkpoints.keep) - there)
        let kept = plan.scoredSteps.count { $0 > first } * model
        let needed = max(onTheWay * checkpoint, atTheEnd * checkpoint + model) + kept
        guard let free = AtomicFile.freeBytes(in: stage.folder), free < needed + needed / 10
        else { return }
        throw Failure(
            .disk,
            file: stage.folder,
            "training needs \(needed + needed / 10) bytes for checkpoints and weights; \(free) are "
                + "free",
            remedy: "Free some space and run the same command again, or lower "
                + "training.keepCheckpoints"
                + (kept > 0 ? ", or score at fewer steps (evaluation.atSteps)." : ".")
        )
    }

    /// Restores weights and moments from the latest whole checkpoint.
    ///
    /// - Parameter report: Hears what is wrong with newer checkpoints.
    /// - Returns: The step to go on with.
    /// - Throws: `Failure.badData` for a checkpoint of another run, and where all are damaged.
    func resume(_ report: (Failure) -> Void) throws -> Int {
        checkpoints.sweep()
        guard let (checkpoint, step, damaged) = try checkpoints.latest() else { return 0 }
        for failure in damaged { report(failure) }
        let lost = lostWeights(upTo: step)
        guard lost.isEmpty else {
            report(
                Failure(
                    .missingInput,
                    file: stage.model(afterStep: lost[0]),
                    "is not there and is to be scored; training starts anew"
                )
            )
            checkpoints.prune(to: 0)
            return 0
        }
        guard checkpoint.state["run"]?.string == stage.hash,
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
        arithmetic = checkpoint.state["products"]?.string.flatMap(ProductArithmetic.init)
        do { try batches.restore(checkpoint.state["batches"] ?? .null) } catch let failure
            as Failure
        {
            throw failure.inFile(checkpoint.path)
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
