import Datasets
import Experiments
import Files

/// Grades the stored samples of a job again.
struct Rescoring {
    private let job: EvaluationJob

    /// What became of one file.
    struct Outcome: Equatable {
        /// The benchmark.
        var benchmark: String
        /// Verdicts that are another than before.
        var changed: Int
        /// All samples.
        var total: Int
    }

    /// Prepares to grade a job's samples.
    init(_ job: EvaluationJob) { self.job = job }

    /// Grades what is there, and writes files that changed in one step.
    ///
    /// - Returns: One outcome a benchmark with samples.
    /// - Throws: `Failure.badData` for malformed samples, `Failure.disk`.
    func run() throws -> [Outcome] {
        guard job.stage.state != .absent else { return [] }
        let lock = try RunLock(job.stage.lock)
        defer { lock.release() }
        var all: [BenchmarkSamples] = []
        var outcomes: [Outcome] = []
        for benchmark in job.experiment.benchmarks {
            var stored = try BenchmarkSamples(benchmark, of: job)
            guard !stored.samples.isEmpty else { continue }
            let graded = job.grading.regraded(stored.samples.map { ($0, stored.gold($0)) })
            let isSame = zip(graded, stored.samples).allSatisfy {
                ($0.verdict, $0.extracted, $0.rule) == ($1.verdict, $1.extracted, $1.rule)
            }
            if !isSame { try JSONLines.write(graded.map(\.json), to: stored.path) }
            outcomes.append(
                Outcome(
                    benchmark: benchmark.name,
                    changed: zip(graded, stored.samples).count { $0.verdict != $1.verdict },
                    total: graded.count
                )
            )
            stored.samples = graded
            all.append(stored)
        }
        if var manifest = (try? TextFile.readJSON(job.stage.manifest))?.object, !all.isEmpty {
            manifest["results"] = all.results(limit: job.record.limit)
            try TextFile.write(JSON.object(manifest).pretty, to: job.stage.manifest)
        }
        return outcomes
    }
}
