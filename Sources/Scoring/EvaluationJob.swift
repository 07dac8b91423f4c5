import Basics
import Experiments
import Foundation

/// One arm under one seed, at the end of its training or on the way, to be sampled on all benchmarks.
public struct EvaluationJob: Sendable {
    /// The experiment, or the variant of a sweep.
    public let experiment: Experiment
    /// Where its files are.
    public let layout: RunLayout
    /// The arm.
    public let arm: Arm
    /// The root seed.
    public let seed: UInt64
    /// How many steps it has been trained; nil for all.
    public let step: Int?
    /// Where the samples are.
    public let stage: Stage

    /// Names the job in messages: `rsd seed 1`, `rsd step 40 seed 1`.
    public var label: String {
        [arm.name, step.map { "step \($0)" }, "seed \(seed)", experiment.variant?.name].compactMap(
            \.self
        )
        .joined(separator: " ")
    }

    /// The command that makes what is missing of this job.
    var command: String {
        "rsd-evaluate run \(experiment.file) --arm \(arm.name) --seed \(seed)"
    }

    /// How completions are graded.
    var grading: AnswerGrading { AnswerGrading(experiment) }

    /// The jobs of one variant, seed by seed, arms in the order of the table; none for an arm that
    /// has nothing to train on, and so no student.
    ///
    /// - Throws: `Failure` when an input is missing or malformed, or nothing has been selected yet.
    static func jobs(
        of variant: Experiment,
        arm name: String? = nil,
        seed only: UInt64? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> [EvaluationJob] {
        var chosen = variant
        if let only { chosen.seeds.removeAll { $0 != only } }
        return try jobs(
            of: StageGraph(
                RunLayout(chosen, environment: environment),
                arms: variant.arms.filter { name == nil || $0.name == name },
                goals: [.evaluation],
                isBorrowing: false
            )
        )
    }

    /// The jobs of graphs, in variants that share a stage only once.
    ///
    /// - Throws: As for one variant.
    public static func jobs(of graphs: [StageGraph]) throws -> [EvaluationJob] {
        var seen: Set<String> = []
        return try graphs.flatMap(jobs).filter { seen.insert($0.stage.folder).inserted }
    }

    /// The jobs of a graph; none for an arm that has nothing to train on, and so no student.
    ///
    /// - Throws: As for one variant.
    public static func jobs(of graph: StageGraph) throws -> [EvaluationJob] {
        try graph.nodes.filter { $0.kind == .evaluation }.compactMap { node in
            guard try node.emptiness == nil else { return nil }
            return try node.stage().flatMap { EvaluationJob(node, $0) }
        }
    }

    /// Checks that the model is there, before hours are spent on the jobs before this one.
    ///
    /// - Throws: `Failure.missingInput` saying how to get or train it.
    public func checkModel() throws {
        let path = try layout.trainedModelPath(arm, seed: seed, step: step)
        guard !FileManager.default.fileExists(atPath: path) else { return }
        _ = try layout.loadTrainedModel(arm, seed: seed, step: step, storage: .stored)
    }

    /// What a finished or interrupted run noted in the stage's manifest.
    public var record: Record { Record(manifest: try? TextFile.readJSON(stage.manifest)) }

    /// How far a job has come, by its manifest.
    public struct Record: Equatable {
        /// Whether the run got to its end.
        var isFinished = false
        /// How many questions of each benchmark were asked for; nil for all.
        var limit: Int?

        /// Reads the manifest's status and results.
        init(manifest: JSON?) {
            isFinished = manifest?["status"]?.string == Manifest.Status.finished.rawValue
            limit = manifest?["results"]?["limit"]?.integer
            // No run asks for no question: such a manifest says nothing.
            if let limit, limit < 1 { (isFinished, self.limit) = (false, nil) }
        }

        /// Whether a finished run with this limit leaves nothing to do for another limit.
        public func covers(_ other: Int?) -> Bool {
            guard isFinished else { return false }
            guard let limit else { return true }
            return other.map { $0 <= limit } ?? false
        }
    }
}

extension EvaluationJob {
    /// The job of a graph's node; nil for one that evaluates nothing.
    public init?(_ node: StageGraph.Node, _ stage: Stage) {
        guard case .evaluation(let arm, let step) = node.work else { return nil }
        self.init(
            experiment: node.layout.experiment,
            layout: node.layout,
            arm: arm,
            seed: node.seed,
            step: step,
            stage: stage
        )
    }
}
