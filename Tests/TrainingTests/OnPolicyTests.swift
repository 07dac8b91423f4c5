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

/// Training on what the student writes while it is trained.
@Suite struct OnPolicyTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// What a run is made of, all of it kept small.
    private struct Settings {
        var onPolicy = OnPolicySettings()
        var lora: LoRA?
        var microBatchTokens = 64
        var traces: [TrainingExample] = []
        var padding = 3

        init(_ change: (inout OnPolicySettings) -> Void = { _ in }) {
            onPolicy.maxNewTokens = 12
            onPolicy.storage = .float32
            onPolicy.batch = 4
            onPolicy.steps = 6
            change(&onPolicy)
        }
    }

    private static var experiment: Experiment {
        get throws {
            try Experiment(text: TrainingRunTests.experiment, file: "training-tests.yaml")
        }
    }

    private static func problems() throws -> [Problem] {
        try ChainWorld.benchmark(name: "rollouts", count: 7, operations: [2]).problems
    }

    /// Trains in a folder of its own, or goes on there; `stopping` ends the run in the middle of a step's
    /// rollouts, after so many passes.
    private func train(
        _ name: String,
        _ settings: Settings,
        stopping: (step: Int, passes: Int)? = nil
    ) throws -> Stage {
        let (_, stage) = try TrainingRunTests.base(runs: folder.file(name))
        let student: LanguageModel
        if let lora = settings.lora {
            let path = folder.file("base.h5")
            if !FileManager.default.fileExists(atPath: path) {
                let base = try DivergenceObjectiveTests.model(seed: 1)
                try HDF5Checkpoint.write(
                    CheckpointContent(
                        tensors: base.checkpointTensors,
                        configuration: base.configuration.json,
                        tokenizer: base.tokenizer.toJSON(),
                        metadata: ["tokenizer_config": base.tokenizer.configurationJSON]
                    ),
                    to: path
                )
            }
            student = try LanguageModel(adapting: path, lora, seed: 1)
        } else {
            student = try DivergenceObjectiveTests.model(seed: 1, padding: settings.padding)
        }
        let teacher = try LocalTeacher(DivergenceObjectiveTests.model(seed: 2), of: student)
        var training = TrainingSettings()
        training.batch = 3
        training.maxLength = 40
        training.microBatchTokens = settings.microBatchTokens
        let batches = try OnPolicyBatches(
            OnPolicyBatches.Plan(
                settings: settings.onPolicy,
                training: training,
                seed: 1,
                template: Self.experiment.template,
                answerStyle: Self.experiment.traceStyle,
                folder: stage.folder
            ),
            problems: Self.problems(),
            student: student,
            teacher: teacher,
            traces: settings.traces
        )
        let stopped = StoppingBatches(batches, at: stopping)
        let plan = try TrainingRunTests.plan(
            for: stage,
            stopped,
            objective: DivergenceObjective(
                DistributionLoss(.reverseKL),
                from: teacher,
                observesRollouts: true
            )
        )
        try TrainingRun(student, plan: plan, stage: stage, display: .silent).run()
        return stage
    }

    private func digest(_ path: String) throws -> String {
        var hash = Basics.SHA256()
        hash.update(try TextFile.read(path))
        return hash.hex()
    }

    /// The trained weights, the rollouts, and of the metrics all but seconds.
    private func results(_ stage: Stage) throws -> [String] {
        let digest = try digest(stage.model)
        let rollouts = try TextFile.read(stage.file("rollouts.jsonl"))
        let metrics = try MetricsFile(stage.file("metrics.jsonl")).rows.map { row in
            row.more.filter { !$0.name.hasSuffix("_seconds") }
                .map { "\($0.name) \($0.value)" }.joined(separator: ", ") + ", loss \(row.loss)"
        }
        return [digest, String(decoding: rollouts, as: UTF8.self)] + metrics
    }

    @Test func tellsWhatItDoes() throws {
        var settings = Settings()
        settings.padding = 0
        let stage = try train("plain", settings)
        let rows = try MetricsFile(stage.file("metrics.jsonl")).rows
        #expect(rows.count == 6)
        let names = [
            "divergence", "entropy", "sampler_kl", "teacher_tokens", "teacher_seconds",
            "student_seconds", "rollouts", "rollout_tokens", "finished_share", "right_share",
            "sampled_tokens", "sampling_seconds", "target_tokens",
        ]
        #expect(rows.allSatisfy { $0.more.map(\.name) == names })
        for row in rows {
            let more = Dictionary(row.more.map { ($0.name, $0.value) }) { first, _ in first }
            // In float32 the sampler is the student; seven problems make steps of 3, 3 and 1.
            #expect(abs(more["sampler_kl"] ?? 1) < 1e-6)
            #expect(more["rollouts"] == [3, 3, 1][row.step % 3])
            #expect(abs((more["divergence"] ?? 0) - row.loss) < 1e-5 && row.loss > 0)
            #expect((more["entropy"] ?? 9) < 3.9 && (more["entropy"] ?? 0) > 0.1)
        }
        let rollouts = try Trace.read(stage.file("rollouts.jsonl"))
        #expect(rollouts.map(\.attempt) == [0, 0, 0, 1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 5])
        #expect(Set(rollouts.prefix(7).map(\.id)).count == 7)
        #expect(rollouts.contains { $0.stop == .length } && rollouts[0].ids != rollouts[7].ids)
        #expect(!FileManager.default.fileExists(atPath: stage.file("rollouts-under-way.jsonl")))
    }

    /// What is learned is what the teacher says: the divergence falls.
    @Test func learns() throws {
        let stage = try train("long", Settings { $0.steps = 60 })
        let losses = try MetricsFile(stage.file("metrics.jsonl")).rows.map(\.loss)
        let (first, last) = (losses.prefix(6).reduce(0, +), losses.suffix(6).reduce(0, +))
        #expect(last < 0.5 * first)
    }

    /// Stopped before the first step, in the middle of rollouts, and between steps of one refresh.
    @Test(arguments: [1, 2, 4]) func goesOnInTheMiddleOfRollouts(refreshEvery: Int) throws {
        let settings = Settings { $0.refreshEvery = refreshEvery }
        let whole = try results(train("whole \(refreshEvery)", settings))
        for (step, passes) in [(0, 3), (4, 5)] {
            let name = "cut \(refreshEvery) \(step)"
            let failure = #expect(throws: Failure.self) {
                try train(name, settings, stopping: (step, passes))
            }
            #expect(failure?.kind == .interrupted)
            #expect(try results(train(name, settings)) == whole)
        }
    }

    /// A process that dies after some steps has lost what it did behind the last checkpoint.
    @Test func goesOnAfterADeath() throws {
        let settings = Settings { $0.refreshEvery = 3 }
        let whole = try results(train("whole", settings))
        #expect(throws: Failure.self) { try train("dead", settings, stopping: (3, -1)) }
        #expect(try results(train("dead", settings)) == whole)
    }

    @Test func batchSizesChangeNothing() throws {
        let one = try results(train("one", Settings { $0.batch = 1 }))
        let many = try results(train("many", Settings { $0.batch = 16 }))
        #expect(one == many)
    }

    @Test func mixesRolloutsAndTraces() throws {
        var settings = Settings {
            $0.share = 0.5
            $0.traces = "rsd"
        }
        let tokenizer = try ChainWorld.tokenizer
        settings.traces = try Self.problems().prefix(5).map { problem in
            TrainingExample(
                id: problem.id,
                prompt: try Self.experiment.template.encode(
                    problem: problem.problem,
                    with: tokenizer
                ),
                completion: [1, 2, 3],
                endOfTurn: 18
            )
        }
        let stage = try train("mixed", settings)
        let rollouts = try Trace.read(stage.file("rollouts.jsonl"))
        // Of 14 places four belong to problems without trace, and about half of the others.
        #expect(rollouts.count > 4 && rollouts.count < 14)
        let counts = try MetricsFile(stage.file("metrics.jsonl")).rows.compactMap { row in
            row.more.first { $0.name == "rollouts" }?.value
        }
        #expect(counts.reduce(0, +) == Double(rollouts.count))
    }

    /// The student proposes, and the teacher writes where a proposal is not among its two most likely.
    @Test func theTeacherMayWriteToo() throws {
        let settings = Settings { $0.topK = 2 }
        let stage = try train("skd", settings)
        let rollouts = try Trace.read(stage.file("rollouts.jsonl"))
        let sources = rollouts.flatMap(\.source)
        #expect(sources.contains(.teacher) && sources.contains(.student))
        #expect(rollouts.allSatisfy { $0.policy == .skd })
        for (step, passes) in [(0, 3), (4, 5)] {
            #expect(throws: Failure.self) {
                try train("skd \(step)", settings, stopping: (step, passes))
            }
            #expect(try results(train("skd \(step)", settings)) == results(stage))
        }
    }

    /// The sampler in eight bits is what a checkpoint of the student loaded in eight bits is.
    @Test(arguments: [false, true]) func theSamplerIsTheRoundedStudent(isAdapted: Bool) throws {
        var scratch = try TrainingRunTests.base(runs: folder.file("scratch"), width: 32).scratch
        scratch.shape.intermediateSize = 32
        let path = folder.file("model.h5")
        func write(_ model: LanguageModel, _ adapters: [NamedTensor], to path: String) throws {
            var metadata = JSONObject([("tokenizer_config", model.tokenizer.configurationJSON)])
            if let (lora, base) = model.adaptation {
                metadata["adapter_config"] = base.configuration(lora)
            }
            try HDF5Checkpoint.write(
                CheckpointContent(
                    tensors: model.checkpointTensors,
                    adapters: adapters,
                    configuration: model.configuration.json,
                    tokenizer: model.tokenizer.toJSON(),
                    metadata: .object(metadata)
                ),
                to: path
            )
        }
        var student = try LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1)
        try write(student, [], to: path)
        if isAdapted {
            let lora = LoRA(rank: 2, alpha: 4, targets: ["q_proj", "down_proj"])
            student = try LanguageModel(adapting: path, lora, seed: 3)
            for parameter in student.transformer.adapters {
                for index in 0..<parameter.value.count {
                    parameter.value.buffer[index] += Float(index % 5) * 0.03
                }
            }
        }
        let stored = isAdapted ? folder.file("adapted.h5") : path
        if isAdapted { try write(student, student.adapterTensors, to: stored) }
        func logits(_ model: LanguageModel) -> [Float] {
            model.transformer.logits(TokenBatch([[3, 1, 4, 1, 5]]), wanted: [0, 4]).elements
        }
        let sampler = try student.roundedToEightBits()
        #expect(try logits(sampler) == logits(LanguageModel(stored, storage: .q8_0)))
        #expect(logits(sampler) != logits(student))
        // The student itself is as it was.
        #expect(try logits(student) == logits(LanguageModel(stored, storage: .stored)))
    }

    @Test func adaptersAreTrainedToo() throws {
        var settings = Settings { $0.steps = 3 }
        settings.lora = LoRA(rank: 2, alpha: 4, targets: ["q_proj", "down_proj"])
        let stage = try train("lora", settings)
        #expect(try HDF5Checkpoint.verify(stage.model).adapters.count == 4)
    }

    @Test func refusesPromptsThatLeaveNoRoom() throws {
        let student = try DivergenceObjectiveTests.model(seed: 1)
        var training = TrainingSettings()
        training.maxLength = 3
        let failure = #expect(throws: Failure.self) {
            _ = try OnPolicyBatches(
                OnPolicyBatches.Plan(
                    settings: OnPolicySettings(),
                    training: training,
                    seed: 1,
                    template: Self.experiment.template,
                    answerStyle: Self.experiment.traceStyle,
                    folder: folder.file("none")
                ),
                problems: Self.problems(),
                student: student,
                teacher: nil
            )
        }
        #expect(failure?.kind == .configuration && failure?.place == "training.maxLength")
    }
}

/// On-policy batches that are stopped while rollouts are written, or that die.
private final class StoppingBatches: BatchSource {
    private let batches: OnPolicyBatches
    private let stop: (step: Int, passes: Int)?

    init(_ batches: OnPolicyBatches, at stop: (step: Int, passes: Int)?) {
        self.batches = batches
        self.stop = stop
    }

    var stepCount: Int { batches.stepCount }
    var stepsPerEpoch: Int { batches.stepsPerEpoch }
    var state: JSON { batches.state }
    func restore(_ state: JSON) throws { try batches.restore(state) }
    func batch(step index: Int) throws -> StepBatch { try batches.batch(step: index) }

    func batch(step index: Int, progress: @escaping (ProgressLine.Fields) -> Void) throws
        -> StepBatch
    {
        if let stop, stop.step == index, stop.passes < 0 { throw Failure(.failed, "power cut") }
        if let stop, stop.step <= index {
            var passes = 0
            batches.isInterrupted = {
                passes += 1
                return passes >= stop.passes
            }
        }
        return try batches.batch(step: index, progress: progress)
    }
}
