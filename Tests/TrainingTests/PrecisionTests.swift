import Basics
import Experiments
import Kernels
import Models
import Records
import TestSupport
import Testing

@testable import Training

/// Batches that fail at one step, as an interruption would.
private struct FailingBatches: BatchSource {
    let base: any BatchSource
    let failing: Int

    var stepCount: Int { base.stepCount }
    var stepsPerEpoch: Int { base.stepsPerEpoch }

    func batch(step index: Int) throws -> StepBatch {
        guard index != failing else { throw Failure(.failed, "no batch") }
        return try base.batch(step: index)
    }
}

@Suite struct PrecisionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The weights after four steps, and what they were computed with.
    ///
    /// Where `stopping`, the third step fails, and a second run goes on from the checkpoint before it.
    private func train(_ products: ProductSettings, stopping: Bool = false, in name: String) throws
        -> (weights: [Float], arithmetic: [ProductArithmetic])
    {
        let (scratch, stage) = try TrainingRunTests.base(runs: folder.file(name))
        let lessons = try TrainingRunTests.lessons()
        var used: [ProductArithmetic] = []
        func run(failing: Int) throws {
            let plan = TrainingPlan(
                batches: FailingBatches(base: lessons, failing: failing),
                sinks: [],
                products: products,
                optimizer: scratch.optimizer,
                saveEvery: 2,
                keepCheckpoints: 0,
                label: "test"
            )
            let run = TrainingRun(
                try LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1),
                plan: plan,
                stage: stage,
                display: .silent
            )
            defer { used.append(run.arithmetic) }
            try run.run()
        }
        if stopping { #expect(throws: Failure.self) { try run(failing: 2) } }
        try run(failing: -1)
        let model = try LanguageModel(stage.model, storage: .float32)
        return (model.transformer.parameters.flatMap { $0.value.elements }, used)
    }

    private func settings(_ precision: ProductSettings.Precision) -> ProductSettings {
        var settings = ProductSettings()
        settings.precision = precision
        return settings
    }

    @Test func bfloat16RoundsProductsAndGoesOnToTheSameBytes() throws {
        let exact = try train(settings(.float32), in: "exact")
        let rounded = try train(settings(.bfloat16), in: "rounded")
        let resumed = try train(settings(.bfloat16), stopping: true, in: "resumed")
        #expect(rounded.weights == resumed.weights && rounded.weights != exact.weights)
        #expect(resumed.arithmetic == [.bfloat16, .bfloat16] && exact.arithmetic == [.float32])
        // Four steps of at most 0.01 each, of which rounding turns few around.
        let differences = zip(rounded.weights, exact.weights).map { abs($0 - $1) }
        #expect(differences.reduce(0, +) / Float(differences.count) < 2e-3)
    }

    @Test func whatWasMeasuredHoldsForTheWholeTraining() throws {
        let resumed = try train(settings(.auto), stopping: true, in: "auto")
        let chosen = try #require(resumed.arithmetic.first)
        #expect(resumed.arithmetic == [chosen, chosen])
        let fixed = try train(
            settings(chosen == .bfloat16 ? .bfloat16 : .float32),
            in: "fixed"
        )
        #expect(resumed.weights == fixed.weights)
    }

    @Test func openBLASIsThereForWhoeverWantsIt() throws {
        var settings = ProductSettings()
        settings.products = .openblas
        let (ours, theirs) = (
            try train(ProductSettings(), in: "ours"), try train(settings, in: "theirs")
        )
        #expect(theirs.arithmetic == [.openBLAS])
        let differences = zip(ours.weights, theirs.weights).map { abs($0 - $1) }
        #expect(differences.reduce(0, +) / Float(differences.count) < 1e-4)
    }

    @Test func openBLASHasNoBFloat16() {
        let text =
            TrainingRunTests.experiment
            + "training: {products: openblas, precision: bfloat16}\n"
        do {
            _ = try Experiment(text: text, file: "training-tests.yaml")
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("precision") && "\(error)".contains("OpenBLAS"))
        }
    }
}
