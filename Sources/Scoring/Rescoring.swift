import Basics
import Experiments
import Records

/// Grades the stored samples of a job again.
public struct Rescoring {
    private let job: EvaluationJob
    private let warn: (String) -> Void

    /// What became of one file.
    public struct Outcome: Equatable {
        /// The benchmark.
        public var benchmark: String
        /// Verdicts that are another than before.
        public var changed: Int
        /// All samples.
        public var total: Int
    }

    /// Prepares to grade a job's samples.
    public init(
        _ job: EvaluationJob,
        warn: @escaping (String) -> Void = { StandardError.write(line: $0) }
    ) {
        self.job = job
        self.warn = warn
    }

    /// Grades what is there, and writes files that changed in one step.
    ///
    /// - Returns: One outcome a benchmark with samples.
    /// - Throws: `Failure.badData` for malformed samples, `Failure.disk`.
    public func run() throws -> [Outcome] {
        guard job.stage.state != .absent else { return [] }
        let lock = try RunLock(job.stage.lock)
        defer { lock.release() }
        var all: [BenchmarkSamples] = []
        var outcomes: [Outcome] = []
        var manifest = (try? TextFile.readJSON(job.stage.manifest))?.object
        for benchmark in job.experiment.benchmarks {
            var stored = try BenchmarkSamples(benchmark, of: job)
            guard !stored.entries.isEmpty else { continue }
            // Grading takes the texts as they are; but whoever asks for it should know.
            do { try job.stage.checkOutput("\(benchmark.name).jsonl") } catch let failure as Failure
                where failure.kind == .badData
            {
                warn("warning: \(stored.path): \(failure.message); graded as it is now")
            }
            let before = stored.entries.map(\.verdict)
            if try regrade(&stored) {
                // Between the two writes the manifest must not speak of the old file.
                manifest?["outputs"] = nil
                try write(manifest)
                try rewrite(stored)
                try stored.readAgain(job)
            }
            outcomes.append(
                Outcome(
                    benchmark: benchmark.name,
                    changed: zip(before, stored.entries).count { $0 != $1.verdict },
                    total: before.count
                )
            )
            all.append(stored)
        }
        if !all.isEmpty {
            manifest?["results"] = all.results(limit: job.record.limit)
            if manifest?["status"]?.string == Manifest.Status.finished.rawValue {
                manifest?["outputs"] = try Manifest.digests(
                    of: all.outputs,
                    beside: job.stage.manifest
                )
            }
            try write(manifest)
        }
        return outcomes
    }

    /// Grades all samples again.
    ///
    /// - Returns: Whether a verdict, or what it rests on, is another than the file says.
    private func regrade(_ stored: inout BenchmarkSamples) throws -> Bool {
        var isChanged = false
        for numbers in Self.groups(stored.entries.count) {
            let samples = try numbers.map { number in
                (try stored.sample(stored.entries[number]), stored.gold(stored.entries[number]))
            }
            let graded = job.grading.regraded(samples)
            for (number, (old, new)) in zip(numbers, zip(samples.map(\.0), graded)) {
                stored.regrade(number, as: new.verdict)
                isChanged =
                    isChanged
                    || (old.verdict, old.extracted, old.rule)
                        != (new.verdict, new.extracted, new.rule)
            }
        }
        return isChanged
    }

    /// Writes all samples as graded now, in the order of the file.
    private func rewrite(_ stored: BenchmarkSamples) throws {
        try JSONLines.write(to: stored.path) { add in
            for numbers in Self.groups(stored.entries.count) {
                let samples = try numbers.map { number in
                    (try stored.sample(stored.entries[number]), stored.gold(stored.entries[number]))
                }
                for sample in job.grading.regraded(samples) { try add(sample.json) }
            }
        }
    }

    private func write(_ manifest: JSONObject?) throws {
        guard let manifest else { return }
        try TextFile.write(JSON.object(manifest).pretty, to: job.stage.manifest)
    }

    /// Numbers up to `count`, some at a time: as many samples are in memory.
    private static func groups(_ count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: 1024).map { $0..<min($0 + 1024, count) }
    }
}
