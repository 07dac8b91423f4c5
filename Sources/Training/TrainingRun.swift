import Autograd
import Basics
import Experiments
import Foundation
import Kernels
import Models
import Records

/// Trains a model and leaves a state on disk from which the same run continues exactly.
///
/// The loop alone: examples come from a `BatchSource`, the loss from an `Objective`, and each step's
/// metrics go to `MetricsSink`s.
public final class TrainingRun {
    private let model: LanguageModel
    private let plan: TrainingPlan
    private let stage: Stage
    private let display: ProgressDisplay
    private let optimizer: AdamW<Float>
    private let state: TrainingState
    /// What the matrix products are computed with, once `run` has begun.
    public private(set) var arithmetic = ProductArithmetic.float32

    /// Prepares to train the weights of `model`, or its adapters where it has some.
    ///
    /// - Parameters:
    ///   - model: The student.
    ///   - plan: What is done.
    ///   - stage: Where the state is kept.
    ///   - display: Where progress and warnings are shown.
    public init(
        _ model: LanguageModel,
        plan: TrainingPlan,
        stage: Stage,
        display: ProgressDisplay
    ) {
        self.model = model
        self.plan = plan
        self.stage = stage
        self.display = display
        optimizer = AdamW(model.transformer.trained, configuration: plan.adamW)
        state = TrainingState(model, optimizer, plan: plan, stage: stage)
    }

    /// Trains from the latest checkpoint, or from the start, to the end.
    ///
    /// - Throws: `Failure.interrupted` after a stop on request, with a checkpoint of the last
    ///   step; `Failure.failed` when the loss is not a number; `Failure.disk`; what the batch source
    ///   and the objective throw.
    public func run() throws {
        try model.tokenizer.checkReadsBack(of: model.name)
        let first = try state.resume { display.write("\(StandardError.message(for: $0))\n") }
        try state.requireSpace(from: first)
        arithmetic = chooseArithmetic()
        state.arithmetic = arithmetic
        let metrics = try MetricsLog(
            folder: stage.folder,
            at: first,
            sinks: plan.sinks,
            warn: display.write(line:)
        )
        let stepCount = plan.batches.stepCount
        let progress = ProgressLine(
            plan.label,
            total: stepCount,
            unit: "steps",
            done: first,
            display: display
        )
        var tokens = 0
        for step in first..<max(first, stepCount) {
            let start = ContinuousClock.now
            let batch = try batch(step, from: first, progress)
            if step == first { announce(batch, from: first) }
            var result = try train(batch, step: step, progress)
            result.seconds = (ContinuousClock.now - start) / .seconds(1)
            tokens += batch.tokenCount
            try metrics.append(result)
            progress.update(
                done: step + 1,
                fields(result, tokens: tokens, progress.elapsed) + batch.fields
            )
            // Before any checkpoint of the same step, which says that they are there.
            if plan.scoredSteps.contains(step + 1) {
                try state.keepWeights(completedSteps: step + 1)
            }
            if Interrupts.isRequested {
                try state.save(completedSteps: step + 1)
                throw Interrupts.stopped()
            }
            if (step + 1) % plan.saveEvery == 0 && step + 1 < stepCount {
                try state.save(completedSteps: step + 1)
            }
        }
        try state.finish()
        progress.finish()
    }

    /// The examples of a step.
    ///
    /// A run that is stopped while its source still makes them keeps the steps before.
    private func batch(_ step: Int, from first: Int, _ progress: ProgressLine) throws -> StepBatch {
        do {
            return try plan.batches.batch(step: step) { progress.update(done: step, $0) }
        } catch let failure as Failure where failure.kind == .interrupted {
            if step > first { try state.save(completedSteps: step) }
            throw failure
        }
    }

    /// What the experiment says; where that is to be measured, what an interrupted run has used, or what is
    /// faster here.
    private func chooseArithmetic() -> ProductArithmetic {
        if let chosen = plan.products.arithmetic ?? state.arithmetic { return chosen }
        let configuration = model.configuration
        let measured = ProductComparison.Shape.linear(
            "gate",
            rows: 512,
            inputs: configuration.hiddenSize,
            outputs: configuration.intermediateSize
        ).map { ProductComparison($0, [.float32, .bfloat16]) }
        func seconds(_ arithmetic: ProductArithmetic) -> Double {
            measured.reduce(0) { $0 + ($1.seconds[arithmetic] ?? .infinity) }
        }
        let ratio = seconds(.float32) / seconds(.bfloat16)
        let chosen = ratio > 1.05 ? ProductArithmetic.bfloat16 : .float32
        let speed = String(format: "%.2f", ratio)
        display.write(
            line:
                "\(plan.label): products in \(chosen.rawValue); bfloat16 is \(speed) times as fast here"
        )
        return chosen
    }

    /// Tells what is to come, before a first step that may take minutes.
    private func announce(_ batch: StepBatch, from first: Int) {
        guard model.configuration.parameterCount > 10_000_000 else { return }
        let count = plan.batches.stepCount - first
        display.write(
            line: "\(plan.label): \(count) \(count == 1 ? "step" : "steps") to come, the first of "
                + "\(ProgressLine.grouped(batch.tokenCount)) tokens"
        )
    }

    private func fields(_ metrics: StepMetrics, tokens: Int, _ elapsed: Double)
        -> ProgressLine.Fields
    {
        [
            ("loss", String(format: "%.3f", metrics.loss)),
            ("tokens/s", ProgressLine.rate(Double(tokens) / max(elapsed, 1e-9))),
            ("lr", String(format: "%.2e", metrics.learningRate)),
            ("grad", String(format: "%.2f", metrics.gradientNorm)),
        ]
    }

    /// One optimizer step, of which all is known but its time.
    private func train(_ batch: StepBatch, step: Int, _ progress: ProgressLine) throws
        -> StepMetrics
    {
        let tokenCount = batch.tokenCount
        let start = ContinuousClock.now
        let gradients = try StepGradients(
            of: plan.objective,
            under: model.transformer,
            on: batch,
            arithmetic: arithmetic
        ) { done in
            let share = "\(ProgressLine.grouped(done))/\(ProgressLine.grouped(tokenCount)) tokens"
            progress.update(done: step, [("step \(step + 1):", share)])
        }
        let norm = optimizer.gradientNorm()
        guard gradients.loss.isFinite, norm.isFinite else {
            // Of what is not a number the sign says nothing.
            throw state.diverged(
                at: step,
                "the loss is \(gradients.loss.magnitude) and the gradient norm \(norm.magnitude)",
                ", or look at examples "
                    + batch.examples.prefix(4).map(\.id).joined(separator: ", ")
            )
        }
        let rate = plan.schedule.learningRate(at: step)
        optimizer.step(learningRate: rate, gradientNorm: norm)
        var more = gradients.metrics
        if let teacher = more.first(where: { $0.name == "teacher_seconds" })?.value {
            let all = (ContinuousClock.now - start) / .seconds(1)
            more.append(("student_seconds", all - teacher))
        }
        return StepMetrics(
            step: step,
            loss: gradients.loss,
            learningRate: rate,
            gradientNorm: norm,
            tokens: tokenCount,
            more: more + batch.metrics
        )
    }
}
