import Autograd
import Records
import Experiments
import Basics
import Foundation
import Models
import Testing

@testable import Train

@Suite struct TrainTests {
    static let experiment = """
        name: train-tests
        seeds: [1]
        models: {student: {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
          pretraining: {steps: 4, batch: 4, learningRate: 1e-2}}}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        arms: {base: {kind: base}}

        """

    let folder = FileManager.default.temporaryDirectory.appending(path: "rsd-\(UUID().uuidString)")
        .path(percentEncoded: false)

    /// A run of four steps over lessons, cut into micro-batches of `size` lessons.
    private func run(microBatch size: Int, learningRate: Double = 1e-2, steps: Int = 4) throws
        -> (run: TrainingRun, stage: Stage)
    {
        let (scratch, stage) = try Self.base(runs: "\(folder)/\(size)")
        let model = try LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1)
        let plan = try Self.plan(microBatch: size, learningRate: learningRate, steps: steps)
        return (TrainingRun(model, plan: plan, stage: stage), stage)
    }

    /// The student of the experiment, and the stage that trains it.
    static func base(runs: String, width: Int = 16) throws
        -> (scratch: ScratchModel, stage: Stage)
    {
        let text = Self.experiment.replacing("hiddenSize: 16", with: "hiddenSize: \(width)")
        let experiment = try Experiment(text: text, file: "train-tests.yaml")
        let layout = RunLayout(experiment, environment: ["RSD_RUNS": runs])
        let stage = try #require(layout.baseStages().first)
        try stage.prepare()
        guard case .scratch(let scratch) = experiment.student else { throw Failure(.failed, "") }
        return (scratch, stage)
    }

    /// Steps over four lessons each, cut into micro-batches of `size` lessons.
    static func plan(microBatch size: Int, learningRate: Double = 1e-2, steps: Int = 4) throws
        -> TrainingPlan
    {
        let experiment = try Experiment(text: Self.experiment, file: "train-tests.yaml")
        guard case .scratch(let scratch) = experiment.student else { throw Failure(.failed, "") }
        let tokenizer = try ChainWorld.tokenizer
        let endOfTurn = try experiment.template.endOfTurnID(in: tokenizer)
        let curriculum = scratch.curriculum(run: 1)
        var optimizer = scratch.optimizer
        optimizer.learningRate = learningRate
        optimizer.warmupFraction = 0
        return TrainingPlan(
            stepCount: steps,
            stepsPerEpoch: steps,
            microBatches: { step in
                let examples = try (0..<4).map { index in
                    let lesson = curriculum.lesson(step: step, index: index)
                    return TrainingExample(
                        id: "\(index)",
                        prompt: try experiment.template.encode(
                            problem: lesson.problem,
                            with: tokenizer
                        ),
                        completion: try tokenizer.encode(lesson.solution, specialTokens: .asText),
                        endOfTurn: endOfTurn
                    )
                }
                return stride(from: 0, to: 4, by: size).map { Array(examples[$0..<$0 + size]) }
            },
            optimizer: optimizer,
            saveEvery: 2,
            keepCheckpoints: 0,
            label: "test"
        )
    }

    @Test func cuttingAStepChangesNothing() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let values = try [4, 1].map { size in
            let (run, stage) = try run(microBatch: size)
            try run.run()
            let model = try LanguageModel(stage.model, storage: .float32)
            return model.transformer.parameters.flatMap { $0.value.elements }
        }
        // Rounding only, but AdamW divides tiny gradients by their own size.
        let worst = zip(values[0], values[1]).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(values[0].count == values[1].count && worst <= 1e-4)
        let areFinite = values.allSatisfy { $0.allSatisfy(\.isFinite) }
        #expect(areFinite)
    }

    /// What `evaluation.storage: q8_0` scores with.
    @Test func aTrainedStudentIsRoundedToEightBits() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func model(width: Int, _ storage: WeightStorage) throws -> LanguageModel {
            let (scratch, stage) = try Self.base(runs: "\(folder)/\(width)", width: width)
            if !stage.hasModel {
                try TrainingRun(
                    LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1),
                    plan: Self.plan(microBatch: 4),
                    stage: stage
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
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (run, stage) = try run(microBatch: 2)
        try run.run()
        let steps = try JSONLines.read(stage.file("metrics.jsonl")) { try $0.integer("step") }
        #expect(steps == [0, 1, 2, 3])
        let rows = try String(decoding: TextFile.read(stage.file("metrics.csv")), as: UTF8.self)
        #expect(rows.split(separator: "\n").count == 5)
        #expect(!FileManager.default.fileExists(atPath: stage.file("checkpoints/step-000002.h5")))
    }

    /// Pages of zeros or garbage cost the rows they hit; the others stay, and the loss is told.
    @Test(arguments: [UInt8(0), 0xA5, 0x0A])
    func keepsMetricsAroundADamagedPage(filling: UInt8) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (_, stage) = try run(microBatch: 2)
        try stage.prepare()
        func row(_ step: Int) -> String {
            "{\"step\":\(step),\"loss\":1.5,\"learning_rate\":0.001,\"gradient_norm\":null,"
                + "\"tokens\":3,\"seconds\":0.25}\n"
        }
        let path = stage.file("metrics.jsonl")
        var bytes = Array((0..<200).map(row).joined().utf8)
        for place in 4096..<8192 { bytes[place] = filling }
        try TextFile.write(Data(bytes), to: path)
        let lost = (0..<200).filter { step in
            let start = (0..<step).reduce(0) { $0 + row($1).utf8.count }
            return start + row(step).utf8.count - 1 > 4096 && start < 8192
        }
        var warnings: [String] = []
        _ = try MetricsLog(stage: stage, keepingStepsBelow: 150) { warnings.append($0) }
        let kept = (0..<150).filter { !lost.contains($0) }
        #expect(try TextFile.read(path) == Data(kept.map(row).joined().utf8))
        let table = String(decoding: try TextFile.read(stage.file("metrics.csv")), as: UTF8.self)
        #expect(table.split(separator: "\n").count == kept.count + 1)
        #expect(table.hasSuffix("\n149,1.5,0.001,null,3,0.25\n"))
        #expect(warnings.count == 1)
        let warning = warnings.first ?? ""
        #expect(
            warning.contains(
                "\(lost.count) steps have no row (\(lost[0]) to \(lost[lost.count - 1]))"
            ),
            "\(warning)"
        )
        // Line breaks that stand for nothing hide what they replaced, but for its ends.
        #expect(
            warning.contains("damaged and left out (\(lost[0] + 1)")
                == true,
            "\(warning)"
        )
        _ = try MetricsLog(stage: stage, keepingStepsBelow: 20) { warnings.append($0) }
        #expect(warnings.count == 1, "what is done again is not lost")
    }

    @Test func writesMetricsThroughNoLink() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (_, stage) = try run(microBatch: 2)
        try stage.prepare()
        let mine = "\(folder)/mine"
        try TextFile.write("mine", to: mine)
        for name in ["metrics.jsonl", "metrics.csv", "events.out.tfevents.1.host"] {
            #expect(symlink(mine, stage.file(name)) == 0)
        }
        _ = try MetricsLog(stage: stage, keepingStepsBelow: 0) { _ in }
        #expect(try TextFile.read(mine) == Data("mine".utf8))
    }

    @Test func stopsWhenTheLossIsNotANumber() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
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
