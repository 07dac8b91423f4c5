import Autograd
import Basics
import Experiments
import Foundation
import Models
import Records
import TestSupport
import Testing

@testable import Training

@Suite struct TrainingRunTests {
    static let experiment = """
        name: training-tests
        seeds: [1]
        models: {student: {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
          pretraining: {steps: 4, batch: 4, learningRate: 1e-2}}}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        arms: {base: {kind: base}}

        """

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A run of four steps over lessons, cut into micro-batches of `size` lessons.
    private func run(microBatch size: Int, learningRate: Double = 1e-2) throws
        -> (run: TrainingRun, stage: Stage)
    {
        let (scratch, stage) = try Self.base(runs: folder.file("\(size)"))
        let plan = try Self.plan(for: stage, microBatch: size, learningRate: learningRate)
        let model = try LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1)
        return (TrainingRun(model, plan: plan, stage: stage, display: .silent), stage)
    }

    /// The student of the experiment, and the stage that trains it.
    static func base(runs: String, width: Int = 16) throws
        -> (scratch: ScratchModel, stage: Stage)
    {
        let text = Self.experiment.replacing("hiddenSize: 16", with: "hiddenSize: \(width)")
        let experiment = try Experiment(text: text, file: "training-tests.yaml")
        let layout = RunLayout(experiment, environment: ["RSD_RUNS": runs])
        let stage = try #require(layout.baseStages().first)
        try stage.prepare()
        guard case .scratch(let scratch) = experiment.student else { throw Failure(.failed, "") }
        return (scratch, stage)
    }

    /// Steps over four lessons each, cut into micro-batches of `size` lessons.
    static func plan(for stage: Stage, microBatch size: Int, learningRate: Double = 1e-2) throws
        -> TrainingPlan
    {
        try plan(for: stage, CutBatches(lessons: lessons(), size: size), learningRate: learningRate)
    }

    /// Steps over batches of any source, with a checkpoint after every second.
    static func plan(
        for stage: Stage,
        _ batches: any BatchSource,
        objective: any Objective = CrossEntropyObjective(),
        learningRate: Double = 1e-2,
        scoredSteps: [Int] = []
    ) throws -> TrainingPlan {
        var optimizer = try student.optimizer
        optimizer.learningRate = learningRate
        optimizer.warmupFraction = 0
        return TrainingPlan(
            batches: batches,
            objective: objective,
            sinks: MetricsLog.files(in: stage.folder),
            optimizer: optimizer,
            saveEvery: 2,
            keepCheckpoints: 0,
            scoredSteps: scoredSteps,
            label: "test"
        )
    }

    /// The lessons of the experiment's student.
    static func lessons() throws -> LessonBatches {
        let experiment = try Experiment(text: Self.experiment, file: "training-tests.yaml")
        return try LessonBatches(
            of: student,
            seed: 1,
            template: experiment.template,
            tokenizer: ChainWorld.tokenizer
        )
    }

    private static var student: ScratchModel {
        get throws {
            let experiment = try Experiment(text: Self.experiment, file: "training-tests.yaml")
            guard case .scratch(let scratch) = experiment.student else {
                throw Failure(.failed, "")
            }
            return scratch
        }
    }

    @Test func cuttingAStepChangesNothing() throws {
        let values = try [4, 1].map { size in
            let (run, stage) = try run(microBatch: size)
            try run.run()
            let model = try LanguageModel(stage.model, storage: .float32)
            return model.transformer.parameters.flatMap { $0.value.elements }
        }
        // Rounding only, but AdamW divides tiny gradients by their size.
        let worst = zip(values[0], values[1]).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(values[0].count == values[1].count && worst <= 1e-4)
        let areFinite = values.allSatisfy { $0.allSatisfy(\.isFinite) }
        #expect(areFinite)
    }

    /// What `evaluation.storage: q8_0` scores with.
    @Test func aTrainedStudentIsRoundedToEightBits() throws {
        func model(width: Int, _ storage: WeightStorage) throws -> LanguageModel {
            let (scratch, stage) = try Self.base(runs: folder.file("\(width)"), width: width)
            if !stage.hasModel {
                try TrainingRun(
                    LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1),
                    plan: Self.plan(for: stage, microBatch: 4),
                    stage: stage,
                    display: .silent
                ).run()
            }
            return try LanguageModel(stage.model, storage: storage)
        }
        let logits = try [WeightStorage.float32, .q8_0].map { storage in
            try model(width: 32, storage).transformer
                .logits(TokenBatch([[3, 1, 4, 1, 5]]), wanted: [4]).elements
        }
        let size = logits[0].map(abs).max() ?? 0
        let worst = zip(logits[0], logits[1]).map { abs($0 - $1) }.max() ?? .infinity
        #expect(worst > 0 && worst < 0.03 * size && logits[1].allSatisfy(\.isFinite))
        do {
            _ = try model(width: 16, .q8_0)
            Issue.record("16 numbers are no block")
        } catch let failure as Failure {
            #expect(failure.kind == .configuration && failure.message.contains("multiple of 32"))
        }
    }

    @Test func recordsEveryStepOnce() throws {
        let (run, stage) = try run(microBatch: 2)
        try run.run()
        let steps = try JSONLines.read(stage.file("metrics.jsonl")) { try $0.integer("step") }
        #expect(steps == [0, 1, 2, 3])
        let rows = try String(decoding: TextFile.read(stage.file("metrics.csv")), as: UTF8.self)
        #expect(rows.split(separator: "\n").count == 5)
        #expect(!FileManager.default.fileExists(atPath: stage.file("checkpoints/step-000002.h5")))
    }

    /// The weights after the first and the third of four steps, the second time from a checkpoint.
    @Test func weightsOnTheWayAreKeptWhateverInterrupts() throws {
        func trained(_ name: String, dyingAt step: Int?, losing lost: Int? = nil) throws -> [Data] {
            let (scratch, stage) = try Self.base(runs: folder.file(name))
            func run(_ source: CountingBatches) throws {
                try TrainingRun(
                    LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1),
                    plan: Self.plan(for: stage, source, scoredSteps: [1, 3]),
                    stage: stage,
                    display: .silent
                ).run()
            }
            if let step {
                #expect(throws: Failure.self) {
                    try run(CountingBatches(lessons: Self.lessons(), dyingAt: step))
                }
            }
            if let lost {
                try FileManager.default.removeItem(atPath: stage.model(afterStep: lost))
            }
            try run(CountingBatches(lessons: Self.lessons()))
            return try [stage.model(afterStep: 1), stage.model(afterStep: 3), stage.model]
                .map(TextFile.read)
        }
        let whole = try trained("whole", dyingAt: nil)
        #expect(Set(whole).count == 3)
        #expect(try trained("cut", dyingAt: 3) == whole)
        // What a checkpoint is past and is not there can only be made from the start.
        #expect(try trained("lost", dyingAt: 3, losing: 1) == whole)
    }

    /// Dies in its fourth step, two steps behind a checkpoint, and goes on with its source's state.
    @Test func aSourceGoesOnWithItsState() throws {
        func trained(_ name: String, dyingAt step: Int?) throws -> Data {
            let (scratch, stage) = try Self.base(runs: folder.file(name))
            func run(_ source: CountingBatches) throws {
                try TrainingRun(
                    LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1),
                    plan: Self.plan(for: stage, source),
                    stage: stage,
                    display: .silent
                ).run()
            }
            if let step {
                let failure = #expect(throws: Failure.self) {
                    try run(CountingBatches(lessons: Self.lessons(), dyingAt: step))
                }
                #expect(failure?.message == "power cut")
            }
            try run(CountingBatches(lessons: Self.lessons()))
            return try TextFile.read(stage.model)
        }
        #expect(try trained("cut", dyingAt: 3) == trained("whole", dyingAt: nil))
    }

    /// What an objective and a source report reaches every file, summed over micro-batches.
    @Test func recordsWhatObjectiveAndSourceReport() throws {
        let (scratch, stage) = try Self.base(runs: folder.file("more"))
        let source = CountingBatches(lessons: try Self.lessons())
        try TrainingRun(
            LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1),
            plan: Self.plan(for: stage, source, objective: CountingObjective()),
            stage: stage,
            display: .silent
        ).run()
        let rows = try MetricsFile(stage.file("metrics.jsonl")).rows
        #expect(rows.map { $0.more.map(\.name) } == Array(repeating: ["rows", "seen"], count: 4))
        let lengths = try (0..<4).map { try Self.lessons().batch(step: $0).tokenCount }
        #expect(rows.map { $0.more[0].value } == lengths.map(Double.init))
        #expect(rows.map { $0.more[1].value } == [4, 8, 12, 16])
        let table = String(decoding: try TextFile.read(stage.file("metrics.csv")), as: UTF8.self)
        let lines = table.split(separator: "\n")
        #expect(lines.count == 5 && lines[0].hasSuffix(",tokens,seconds,rows,seen"))
        #expect(lines[4].hasSuffix(",\(lengths[3]).0,16.0"))
    }

    @Test func stopsWhenTheLossIsNotANumber() throws {
        let (run, stage) = try run(microBatch: 4, learningRate: 1e38)
        let failure = #expect(throws: Failure.self) { try run.run() }
        #expect(failure?.kind.exitCode == 1)
        #expect(failure?.place?.hasPrefix("step") == true)
        #expect(!FileManager.default.fileExists(atPath: stage.model))
    }

    @Test func refusesWhatMemoryCannotHold() throws {
        let configuration = try #require(ModelConfiguration.named("qwen3-0.6b"))
        let estimates = Recomputation.allCases.map {
            MemoryEstimate(configuration, recomputation: $0, rows: 512)
        }
        // 596 million parameters, four float32 numbers each.
        #expect(abs(Double(estimates[0].parameterBytes) / 596e6 / 16 - 1) < 0.01)
        let failure = #expect(throws: Failure.self) {
            try estimates[0].check(availableBytes: 1 << 30)
        }
        #expect(failure?.kind.exitCode == 78)
        #expect(throws: Never.self) { try estimates[0].check(availableBytes: 1 << 40) }
        #expect(estimates[1].activationBytes < estimates[0].activationBytes * 2 / 3)
        #expect(estimates[2].activationBytes < estimates[0].activationBytes / 5)
    }

    /// Short sequences keep everything, longer ones recompute what they must.
    @Test(arguments: [
        (512, 24, Recomputation.none), (2048, 24, .feedForward), (8192, 24, .feedForward),
        (8192, 16, .layers), (2048, 12, .layers), (512, 11.7, .feedForward),
    ]) func choosesWhatMemoryAllows(rows: Int, gigabytes: Double, expected: Recomputation) throws {
        let configuration = try #require(ModelConfiguration.named("qwen3-0.6b"))
        let chosen = MemoryEstimate.choosing(
            configuration,
            rows: rows,
            availableBytes: Int(gigabytes * 1e9)
        )
        #expect(chosen.recomputation == expected)
    }
}

/// Lessons in micro-batches of a few.
struct CutBatches: BatchSource {
    let lessons: LessonBatches
    let size: Int
    var dyingAt: Int?

    var stepCount: Int { lessons.stepCount }
    var stepsPerEpoch: Int { lessons.stepsPerEpoch }

    func batch(step index: Int) throws -> StepBatch {
        if index == dyingAt { throw Failure(.failed, "power cut") }
        let examples = try lessons.batch(step: index).examples
        return StepBatch(
            stride(from: 0, to: examples.count, by: size).map {
                Array(examples[$0..<min($0 + size, examples.count)])
            }
        )
    }
}

/// Lessons that depend on how many were given before, which a checkpoint has to tell.
final class CountingBatches: BatchSource {
    private let lessons: LessonBatches
    private let dyingAt: Int?
    private var seen = 0

    init(lessons: LessonBatches, dyingAt: Int? = nil) {
        self.lessons = lessons
        self.dyingAt = dyingAt
    }

    var stepCount: Int { lessons.stepCount }
    var stepsPerEpoch: Int { lessons.stepsPerEpoch }
    var state: JSON { ["seen": .integer(seen)] }

    func restore(_ state: JSON) throws {
        seen = try state.require("seen", "a count", \.integer)
    }

    func batch(step index: Int) throws -> StepBatch {
        if index == dyingAt { throw Failure(.failed, "power cut") }
        var examples = try lessons.batch(step: seen / 4).examples
        examples.swapAt(0, seen / 4 % 4)
        seen += examples.count
        return StepBatch(examples.map { [$0] }, metrics: [("seen", Double(seen))])
    }
}

/// Cross-entropy that counts rows.
private struct CountingObjective: Objective {
    func loss(
        of batch: MicroBatch,
        under model: Transformer<Float>,
        on tape: Tape<Float>
    ) -> ObjectiveLoss {
        ObjectiveLoss(
            CrossEntropyObjective().loss(of: batch, under: model, on: tape).loss,
            metrics: [("rows", Double(batch.targets.count))]
        )
    }
}

extension ProgressDisplay {
    /// Shows nothing.
    static let silent = ProgressDisplay(isLive: false, now: { 0 }, write: { _ in })
}
