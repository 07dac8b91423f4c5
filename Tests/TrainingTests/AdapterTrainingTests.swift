import Basics
import Checkpoints
import Experiments
import Foundation
import Models
import Records
import TestSupport
import Testing

@testable import Training

/// Training adapters on a frozen model, and what can be done with them afterwards.
@Suite struct AdapterTrainingTests {
    let folder: TemporaryFolder
    let lora = LoRA(rank: 4, alpha: 8, targets: ["q_proj", "o_proj", "up_proj", "down_proj"])

    init() throws { folder = try TemporaryFolder() }

    /// A trained base model, and an empty stage beside it.
    private func stages(_ runs: String = "runs") throws -> (base: String, arm: Stage) {
        let (scratch, stage) = try TrainingRunTests.base(runs: folder.file("\(runs)"))
        let model = try LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1)
        let plan = try TrainingRunTests.plan(for: stage, microBatch: 4)
        try TrainingRun(model, plan: plan, stage: stage, display: .silent).run()
        let layout = RunLayout(
            try Experiment(text: TrainingRunTests.experiment, file: "training-tests.yaml"),
            environment: ["RSD_RUNS": folder.file("\(runs)")]
        )
        let arm = try layout.evaluation(layout.experiment.arm("base"), seed: 1)
        try arm.prepare()
        return (stage.model, arm)
    }

    /// Trains adapters for four steps.
    private func train(_ base: String, _ stage: Stage) throws {
        let model = try LanguageModel(adapting: base, lora, seed: 5)
        let plan = try TrainingRunTests.plan(for: stage, microBatch: 2)
        try TrainingRun(model, plan: plan, stage: stage, display: .silent).run()
    }

    private func logits(_ path: String, _ storage: WeightStorage) throws -> [Float] {
        let model = try LanguageModel(path, storage: storage)
        return model.transformer.logits(TokenBatch([[3, 1, 4, 1, 5]]), wanted: [0, 4]).elements
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count && (a + b).allSatisfy(\.isFinite)
            ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    private func failure(_ body: () throws -> Void) -> Failure? {
        do { try body() } catch { return error as? Failure }
        return nil
    }

    @Test func freshAdaptersChangeNothing() throws {
        let (base, _) = try stages()
        let adapted = try LanguageModel(adapting: base, lora, seed: 5)
        let fresh = adapted.transformer.logits(TokenBatch([[3, 1, 4, 1, 5]]), wanted: [0, 4])
        #expect(try fresh.elements == logits(base, .stored))
        // Kaiming's bound of A is 1 / sqrt(16) here, and the draws fill the interval.
        let a = try #require(adapted.transformer.adapters.first { $0.name.contains("lora_A") })
        let largest = a.value.elements.reduce(0) { max($0, abs($1)) }
        #expect(a.value.shape == [4, 16] && largest <= 0.25 && largest > 0.2)
    }

    @Test func trainsMergesAndExports() throws {
        let (base, stage) = try stages()
        let before = try Data(contentsOf: URL(filePath: base))
        try train(base, stage)
        #expect(try Data(contentsOf: URL(filePath: base)) == before)
        let checkpoint = try HDF5Checkpoint.verify(stage.model)
        #expect(checkpoint.tensors.isEmpty && checkpoint.adapters.count == 8)
        #expect(!checkpoint.hasOptimizer)

        let beside = try logits(stage.model, .stored)
        #expect(try difference(beside, logits(base, .stored)) > 1e-2)
        #expect(try difference(beside, logits(stage.model, .float32)) <= 1e-5)
        let export = try HuggingFaceExport(of: ModelFiles.open(stage.model))
        try export.write(to: folder.file("export"))
        #expect(export.tensors.allSatisfy { !$0.name.contains("lora") })
        #expect(try difference(beside, logits(folder.file("export"), .float32)) <= 1e-5)
    }

    @Test func goesOnWhereItStopped() throws {
        let (base, stage) = try stages("whole")
        try train(base, stage)
        let (otherBase, other) = try stages("cut")
        // A run that dies in its fourth step: the checkpoint of the second stays.
        let dying = CutBatches(lessons: try TrainingRunTests.lessons(), size: 2, dyingAt: 3)
        let model = try LanguageModel(adapting: otherBase, lora, seed: 5)
        let run = TrainingRun(
            model,
            plan: try TrainingRunTests.plan(for: other, dying),
            stage: other,
            display: .silent
        )
        #expect(failure { try run.run() }?.message == "power cut")
        #expect(FileManager.default.fileExists(atPath: other.file("checkpoints/step-000002.h5")))
        try train(otherBase, other)
        let (one, two) = (URL(filePath: stage.model), URL(filePath: other.model))
        #expect(try Data(contentsOf: one) == Data(contentsOf: two))
        // All runs can move together: the base is named relative to the adapters.
        try FileManager.default.moveItem(atPath: folder.file("cut"), toPath: folder.file("moved"))
        let moved = other.model.replacing("/cut/", with: "/moved/")
        #expect(try logits(moved, .stored) == logits(stage.model, .stored))
    }

    @Test func refusesAnotherBase() throws {
        let (base, stage) = try stages()
        try train(base, stage)
        #expect(
            failure { _ = try LanguageModel(adapting: stage.model, self.lora, seed: 1) }?
                .message.contains("holds adapters") == true
        )
        var other = try HDF5Checkpoint(base)
        let tensors = try other.tensors.keys.map { name in
            var tensor = try other.named(name)
            let values = try other.values(name).array
            tensor.load = { .init(values.map { $0 * 1.001 }) }
            return tensor
        }
        let content = CheckpointContent(
            tensors: tensors,
            configuration: other.configuration,
            tokenizer: other.tokenizer,
            metadata: other.metadata
        )
        try HDF5Checkpoint.write(content, to: base)
        other = try HDF5Checkpoint(base)
        let changed = try #require(failure { _ = try ModelFiles.open(stage.model) })
        #expect(changed.kind == .badData && changed.message.contains("of another model"))
        try FileManager.default.removeItem(atPath: base)
        #expect(failure { _ = try ModelFiles.open(stage.model) }?.kind == .missingInput)
    }

    @Test func refusesAdaptersThatDoNotFit() throws {
        let (base, stage) = try stages()
        try train(base, stage)
        let checkpoint = try HDF5Checkpoint(stage.model)
        func damaged(_ change: (inout CheckpointContent) -> Void) throws -> Failure? {
            let adapters = try checkpoint.adapters.map { name, info in
                NamedTensor(name: name, shape: info.shape, values: try checkpoint.adapter(name))
            }
            var content = CheckpointContent(
                tensors: [],
                adapters: adapters,
                configuration: checkpoint.configuration,
                metadata: checkpoint.metadata
            )
            change(&content)
            let path = stage.file("damaged.h5")
            try HDF5Checkpoint.write(content, to: path)
            return failure { _ = try ModelFiles.open(path) }
        }
        #expect(try damaged { _ in } == nil)
        let lost = try damaged { $0.adapters.removeFirst() }
        #expect(lost?.kind == .badData && lost?.message.contains("found nothing") == true)
        let stray = try damaged { $0.adapters[0].name = "model.norm.lora_A.weight" }
        #expect(stray?.kind == .badData)
        let nameless = try damaged { $0.metadata = [:] }
        #expect(nameless?.kind == .badData && nameless?.file == stage.file("damaged.h5"))
        // A base of itself: refused instead of opened for ever.
        let itself = try damaged {
            $0.metadata = [
                "adapter_config": AdapterBase(path: "damaged.h5", digest: "0").configuration(
                    self.lora
                )
            ]
        }
        #expect(itself?.kind == .badData)
    }
}
