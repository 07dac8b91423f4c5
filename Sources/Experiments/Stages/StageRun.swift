import Basics

/// One process at work on a stage: it holds the stage's lock, and its manifest from `begin` on.
///
/// Made by `Stage.run`, which is the only place that takes a stage's lock and that closes its
/// manifest after a stop or an error.
public final class StageRun {
    /// The stage.
    public let stage: Stage
    /// What the manifest says of the results after a stop or an error.
    public var resultsSoFar: () -> JSON = { .null }

    private let experiment: Experiment
    private let part: String
    private let surroundings: Manifest.Surroundings
    private var manifest: Manifest?

    fileprivate init(
        _ stage: Stage,
        _ experiment: Experiment,
        _ part: String,
        _ surroundings: Manifest.Surroundings
    ) {
        self.stage = stage
        self.experiment = experiment
        self.part = part
        self.surroundings = surroundings
    }

    /// Whether the manifest has been begun.
    public var hasBegun: Bool { manifest != nil }

    /// Writes the manifest with status `running`; what was there before is finished or gone on with.
    ///
    /// - Parameters:
    ///   - inputs: Names and digests of what is read; those of the stage's key when left out.
    ///   - parts: Manifests of runs, such as shards, whose time is part of this one's.
    /// - Throws: `Failure.disk`.
    public func begin(inputs: [(name: String, digest: String)]? = nil, parts: [String] = []) throws
    {
        manifest = try Manifest(
            stage.file("manifest\(part).json"),
            configuration: experiment.merged,
            seeds: [stage.seed],
            inputs: inputs ?? stage.inputDigests,
            surroundings: surroundings,
            parts: parts
        )
    }

    /// Closes the manifest; does nothing where none was begun.
    ///
    /// - Parameters:
    ///   - status: How the run stands.
    ///   - results: What it has to report.
    ///   - outputs: Names of finished files of the stage's folder, whose digests are noted.
    /// - Throws: `Failure.disk`; `Failure.missingInput` for an output that is not there.
    public func close(
        _ status: Manifest.Status,
        results: JSON = .null,
        outputs: [String] = []
    ) throws {
        try manifest?.close(status, results: results, outputs: outputs)
    }

    fileprivate func end(with error: any Error) {
        let isStop = (error as? Failure)?.kind == .interrupted
        try? manifest?.close(isStop ? .interrupted : .failed, results: resultsSoFar())
    }
}

extension Stage {
    /// Works on the stage as the one process that may: makes its folder, takes its lock, and closes
    /// the manifest that the work has begun where it ends with an error.
    ///
    /// - Parameters:
    ///   - experiment: The experiment, for the manifest.
    ///   - part: Tells apart the locks and manifests of shards, such as `-1-of-2`; empty for the
    ///     stage as a whole.
    ///   - patience: Seconds to wait for another process that holds the lock.
    ///   - surroundings: What the manifest says of this process.
    ///   - work: Does the work, and closes the manifest when it is done.
    /// - Returns: What `work` returns.
    /// - Throws: `Failure.busy` where another process is at work, `Failure.disk`, and what `work`
    ///   throws.
    public func run<Result>(
        of experiment: Experiment,
        part: String = "",
        patience: Double = 0,
        surroundings: Manifest.Surroundings = .ofThisProcess,
        _ work: (StageRun) throws -> Result
    ) throws -> Result {
        try prepare()
        let lock = try RunLock.waiting(patience, for: file("lock\(part)"))
        defer { lock.release() }
        let run = StageRun(self, experiment, part, surroundings)
        do { return try work(run) } catch {
            run.end(with: error)
            throw error
        }
    }
}

extension Manifest.Surroundings {
    /// Those of this process, looked up once: a sweep closes hundreds of manifests.
    public static let ofThisProcess = RunEnvironment.surroundings()
}
