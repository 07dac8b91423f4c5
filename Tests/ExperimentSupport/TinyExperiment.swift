import Basics
import Checkpoints
import Foundation
import Models
import Records
import Tokenizers

@testable import Experiments
@testable import Scoring

/// A whole experiment in a folder of its own: random models of a few hundred weights, one benchmark
/// file, an arm `base` and an arm `direct` whose earlier stages are written by hand.
public struct TinyExperiment {
    /// The folder, which stays.
    public let folder: URL
    /// Where runs and results are.
    public let environment: [String: String]

    /// Writes models, questions and a file of traces.
    public init(questions: Int = 7) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        environment = [
            "RSD_RUNS": folder.appending(path: "runs").path(percentEncoded: false),
            "RSD_RESULTS": folder.appending(path: "results").path(percentEncoded: false),
        ]
        try Self.writeModel(seed: 1, to: path("student.h5"))
        try Self.writeModel(seed: 2, to: path("tuned.h5"))
        let problems = try ChainWorld.benchmark(name: "tiny", count: questions, operations: [2])
        try JSONLines.write(problems.problems.map(\.json), to: path("questions.jsonl"))
        try TextFile.write("{}\n", to: path("traces.jsonl"))
    }

    /// A file of the folder.
    public func path(_ name: String) -> String {
        folder.appending(path: name).path(percentEncoded: false)
    }

    /// The experiment, and the stages that arm `direct` rests on.
    public func experiment(
        batch: Int = 4,
        samples: Int = 2,
        seeds: [Int] = [1],
        direct: String = "",
        more: String = ""
    ) throws -> Experiment {
        let text = """
            name: tiny
            description: Two random students.
            seeds: \(seeds)
            models: {student: {path: "\(path("student.h5"))"}}
            benchmarks: [{name: tiny, path: "\(path("questions.jsonl"))"}]
            template: {preset: plain, endOfTurn: $}
            answers: {style: marker, start: "#"}
            evaluation: {samples: \(samples), maxNewTokens: 12, batch: \(batch)}
            arms:
              base: {kind: base}
              direct: {kind: direct, traces: {path: "\(path("traces.jsonl"))"}\(direct)}
            \(more)
            """
        let experiment = try Experiment(text: text, file: path("tiny.yaml"))
        for variant in try experiment.variants {
            let layout = RunLayout(variant, environment: environment)
            for seed in variant.seeds {
                let arm = try variant.arm("direct")
                if let selection = try layout.selection(arm, seed: seed) {
                    try TextFile.write("{}\n", to: selection.selected)
                }
                if let training = try layout.training(arm, seed: seed) {
                    try TextFile.createFolder(training.folder)
                    try? FileManager.default.copyItem(
                        atPath: path("tuned.h5"),
                        toPath: training.model
                    )
                    try JSONLines.write(
                        [["step": 1, "loss": 2.5], ["step": 2, "loss": 1.5]],
                        to: training.file("metrics.jsonl")
                    )
                }
            }
        }
        return experiment
    }

    /// All jobs of evaluation.
    public func jobs(_ experiment: Experiment) throws -> [EvaluationJob] {
        try EvaluationJob.jobs(
            of: experiment.variants.map {
                try StageGraph(RunLayout($0, environment: environment), goals: [.evaluation])
            }
        )
    }

    /// Samples every arm and seed.
    public func run(_ experiment: Experiment, limit: Int? = nil) throws {
        for job in try jobs(experiment) { try Self.run(job, limit: limit) }
    }

    /// Samples one job.
    @discardableResult
    public static func run(
        _ job: EvaluationJob,
        limit: Int? = nil,
        shard: Shard? = nil,
        merging: ShardMerging = .whenComplete,
        isStopRequested: @escaping () -> Bool = { false }
    ) throws -> Int {
        try SamplingRun(
            job,
            limit: limit,
            shard: shard,
            merging: merging,
            patience: 0,
            surroundings: surroundings,
            display: silent,
            isStopRequested: isStopRequested
        ).run()
    }

    /// The bytes of a job's samples.
    public static func bytes(_ job: EvaluationJob) throws -> Data {
        try TextFile.read(job.stage.samples("tiny"))
    }

    /// A display that shows nothing.
    public static let silent = ProgressDisplay(isLive: false, now: { 0 }, write: { _ in })
    /// What manifests say of this process.
    public static let surroundings = Manifest.Surroundings(
        command: ["rsd-evaluate", "test"],
        commit: "0123abc",
        libraries: [("swift", "6")],
        machine: ["cpu": "none", "threads": 1, "openblas_core": "Generic"]
    )

    /// A model of a few hundred random weights.
    public static func model(seed: UInt64) throws -> LanguageModel {
        let tokenizer = try ChainWorld.tokenizer
        let configuration = ModelConfiguration(
            family: .qwen3,
            vocabularySize: tokenizer.vocabularySize,
            hiddenSize: 8,
            intermediateSize: 16,
            layerCount: 1,
            queryHeadCount: 2,
            keyValueHeadCount: 1,
            headDimension: 4
        )
        let weights = RandomWeights<Float>(seed: seed, layerCount: 1, standardDeviation: 0.5)
        return LanguageModel(
            name: "tiny",
            transformer: try Transformer(configuration, weights: weights),
            tokenizer: tokenizer
        )
    }

    /// Writes such a model as a checkpoint.
    public static func writeModel(seed: UInt64, to path: String) throws {
        let model = try model(seed: seed)
        try HDF5Checkpoint.write(
            CheckpointContent(
                tensors: model.checkpointTensors,
                configuration: model.configuration.json,
                tokenizer: model.tokenizer.toJSON(),
                metadata: ["tokenizer_config": model.tokenizer.configurationJSON]
            ),
            to: path
        )
    }
}

/// The failure that some work ends in, or nil.
public func failure(_ body: () throws -> Void) -> Failure? {
    do { try body() } catch { return error as? Failure }
    return nil
}
