import Basics
import Experiments
import Foundation

/// Scores of an earlier report, with the samples behind them as far as they are in the runs folder.
///
/// They are found by the digests of their stages, so that no models are needed.
public struct StoredScores {
    /// Where the scores are.
    let path: String
    /// The scores.
    private(set) var table: ScoreTable
    /// The jobs whose samples are there.
    public let jobs: [EvaluationJob]

    /// Reads the scores of an experiment and looks for the samples.
    ///
    /// - Throws: `Failure` where there are no scores, or a stage is not the one its name says.
    public init(
        _ experiment: Experiment,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        path = "\(RunLayout(experiment, environment: environment).resultsFolder)/scores.jsonl"
        let table = try ScoreTable.read(path)
        self.table = table
        jobs = try experiment.variants.flatMap { variant in
            let layout = RunLayout(variant, environment: environment)
            return try variant.seeds.flatMap { seed in
                try variant.arms.flatMap { arm -> [EvaluationJob] in
                    let own = table.onTheWay.filter { $0.arm == arm.name && $0.seed == seed }
                    let steps = Set(own.compactMap(\.step)).sorted()
                    return try ([nil] + steps.map(Optional.some)).compactMap { step in
                        let cells = table.cells(
                            variant.variant?.name,
                            arm.name,
                            seed,
                            step: step
                        )
                        guard let hash = cells.first?.stage,
                            let stage = try layout.storedEvaluation(
                                arm,
                                seed: seed,
                                step: step,
                                hash: hash
                            )
                        else { return nil }
                        return EvaluationJob(
                            experiment: variant,
                            layout: layout,
                            arm: arm,
                            seed: seed,
                            step: step,
                            stage: stage
                        )
                    }
                }
            }
        }
    }

    /// Counts the samples of a job again.
    ///
    /// - Throws: As `ScoreTable.collect`, and `Failure.badData` where other questions were asked.
    public mutating func recount(_ job: EvaluationJob) throws {
        for benchmark in job.experiment.benchmarks {
            let (questions, counted) = try ScoreTable.count(
                benchmark,
                of: job,
                limit: job.record.limit,
                answers: nil
            )
            guard questions.ids == table.ids(benchmark.name) else {
                throw Failure(
                    .badData,
                    file: path,
                    at: "\(job.label), \(benchmark.name)",
                    "has other questions than the samples"
                )
            }
            var cell = counted
            cell.variant = job.experiment.variant?.name
            table.replace(cell)
        }
    }

    /// Writes the scores back.
    ///
    /// - Throws: `Failure.disk`.
    public func write() throws { try JSONLines.write(table.records, to: path) }
}
