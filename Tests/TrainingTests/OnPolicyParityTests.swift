import Autograd
import Basics
import Checkpoints
import Foundation
import Kernels
import Models
import Records
import TestSupport
import Testing

@testable import Experiments
@testable import Training

/// Ten steps of reverse KL along recorded rollouts against PyTorch; see Tools/on_policy_fixtures.py.
@Suite struct OnPolicyParityTests {
    /// The weights of one of the fixture's models.
    private struct StoredWeights: WeightProvider {
        let source: Safetensors
        let prefix: String

        func matrix(_ name: String, rows: Int, columns: Int) throws -> Matrix<Float> {
            let values = try source.values("\(prefix).\(name)")
            return .parameter(Parameter(name, Tensor(values, shape: [rows, columns])))
        }

        func vector(_ name: String, count: Int) throws -> Parameter<Float> {
            Parameter(name, Tensor(try source.values("\(prefix).\(name)"), shape: [count]))
        }
    }

    /// The fixture's rollouts, step by step, every example a micro-batch of its own.
    private struct RecordedRollouts: BatchSource {
        let steps: [JSON]
        var stepCount: Int { steps.count }
        var stepsPerEpoch: Int { steps.count }

        func batch(step index: Int) throws -> StepBatch {
            StepBatch(
                try steps[index].array("rollouts").map { rollout in
                    func ids(_ key: String) throws -> [Int32] {
                        try rollout.array(key).compactMap { $0.integer.map(Int32.init) }
                    }
                    var example = TrainingExample(
                        id: "step \(index)",
                        prompt: try ids("prompt"),
                        completion: try ids("ids"),
                        isComplete: false,
                        endOfTurn: 0
                    )
                    example.drawnProbabilities = try rollout.array("drawn")
                        .compactMap { $0.number.map(Float.init) }
                    return [example]
                }
            )
        }
    }

    @Test func tenStepsAgree() throws {
        let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
        let path = try #require(folder).path(percentEncoded: false)
        let fixture = try TextFile.readJSON("\(path)/on-policy.json")
        let source = try Safetensors("\(path)/on-policy.safetensors")
        var config = try #require(fixture["config"]?.object)
        config["model_type"] = "qwen3"
        let configuration = try ModelConfiguration(.object(config))
        let tokenizer = try ChainWorld.tokenizer
        #expect(tokenizer.vocabularySize == configuration.vocabularySize)
        func model(_ prefix: String) throws -> LanguageModel {
            LanguageModel(
                name: prefix,
                transformer: try Transformer(
                    configuration,
                    weights: StoredWeights(source: source, prefix: prefix)
                ),
                tokenizer: tokenizer
            )
        }
        let (student, teacher) = (try model("student"), try model("teacher"))
        let runs = try TemporaryFolder()
        let (_, stage) = try TrainingRunTests.base(runs: runs.file("runs"))
        var optimizer = OptimizerSettings(learningRate: 1e-2)
        optimizer.finalLearningRate = 1e-2
        optimizer.warmupFraction = 0
        optimizer.weightDecay = 0.1
        let steps = try fixture.array("steps")
        try TrainingRun(
            student,
            plan: TrainingPlan(
                batches: RecordedRollouts(steps: steps),
                objective: DivergenceObjective(
                    DistributionLoss(.reverseKL),
                    from: LocalTeacher(teacher, of: student),
                    observesRollouts: true
                ),
                sinks: MetricsLog.files(in: stage.folder),
                optimizer: optimizer,
                saveEvery: 100,
                keepCheckpoints: 0,
                label: "test"
            ),
            stage: stage,
            display: .silent
        ).run()
        let rows = try MetricsFile(stage.file("metrics.jsonl")).rows
        #expect(rows.count == 10)
        for (row, step) in zip(rows, steps) {
            let more = Dictionary(row.more.map { ($0.name, $0.value) }) { first, _ in first }
            for (found, key) in [
                (row.loss, "loss"), (more["divergence"], "loss"), (more["entropy"], "entropy"),
                (more["sampler_kl"], "sampler_kl"),
            ] {
                let expected = try step.number(key)
                #expect(abs((found ?? .nan) - expected) <= 1e-4, "step \(row.step): \(key)")
            }
        }
    }
}
