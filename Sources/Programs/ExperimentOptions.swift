import ArgumentParser
import Basics
import Experiments
import Foundation
import Models

/// Which experiment is meant.
public struct ExperimentFile: ParsableArguments {
    /// The path of the experiment file.
    @Argument(help: "Experiment file, YAML.") public var experiment: String

    /// To be filled by the parser.
    public init() {}

    /// Reads the experiment file.
    ///
    /// - Throws: `Failure` as `Experiment.read`.
    public func read() throws -> Experiment { try Experiment.read(experiment) }
}

/// Which part of an experiment is meant.
public struct ExperimentOptions: ParsableArguments {
    /// The experiment file.
    @OptionGroup public var file: ExperimentFile
    /// The name of an arm.
    @Option(help: ArgumentHelp("Only this arm; otherwise all.", valueName: "name"))
    public var arm: String?
    /// A seed.
    @Option(help: ArgumentHelp("Only this seed; otherwise those of the file.", valueName: "n"))
    public var seed: UInt64?
    /// The name of a variant.
    @Option(help: ArgumentHelp("Only this variant of a sweep; otherwise all.", valueName: "name"))
    public var variant: String?

    /// To be filled by the parser.
    public init() {}

    /// The path of the experiment file.
    public var experiment: String { file.experiment }
    /// Whether all of the experiment is meant.
    public var isWhole: Bool { arm == nil && seed == nil && variant == nil }

    /// The wanted variants of the experiment, with the wanted seeds alone.
    ///
    /// - Parameter extraArm: A name that `--arm` may have although no arm has it.
    /// - Returns: The variants; an experiment without grids is its only one.
    /// - Throws: `Failure` when the file is missing or has mistakes, or has no such arm, seed or
    ///   variant.
    public func variants(orArm extraArm: String? = nil) throws -> [Experiment] {
        try variants(of: file.read(), orArm: extraArm)
    }

    /// The same of an experiment that has been read.
    ///
    /// - Throws: `Failure.configuration` for an arm, a seed or a variant that it has not.
    public func variants(of experiment: Experiment, orArm extraArm: String? = nil) throws
        -> [Experiment]
    {
        if let arm, arm != extraArm { _ = try experiment.arm(arm) }
        let variants = try experiment.variants.filter {
            variant == nil || $0.variant?.name == variant
        }
        guard !variants.isEmpty else {
            throw Failure(
                .configuration,
                file: experiment.file,
                at: "grid",
                "has no variant '\(variant ?? "")'"
            )
        }
        return try variants.map { try $0.restricted(toSeed: seed) }
    }

    /// The wanted arms of a variant, in the order of the table.
    ///
    /// - Throws: `Failure.configuration` naming the arms that there are.
    public func arms(of experiment: Experiment) throws -> [Arm] {
        try arm.map { [try experiment.arm($0)] } ?? experiment.arms
    }
}

/// Asks what would be done instead of doing it.
public struct DryRun: ParsableArguments {
    /// Whether it was asked for.
    @Flag(help: "Print what would be done, what is missing and what it takes, and stop.")
    public var dryRun = false

    /// To be filled by the parser.
    public init() {}

    /// Prints the plans of graphs with all their stages.
    ///
    /// - Throws: As `Plan.show`.
    public func show(_ graphs: [StageGraph], of file: String) throws {
        try Plan.show(graphs.map { try StageGraph($0.layout, arms: $0.arms).plan() }, of: file)
    }
}

/// Asks for a share of the problems.
public struct ShardOption: ParsableArguments {
    /// The share; nil for all problems.
    @Option(
        help: ArgumentHelp(
            "Only every N-th problem, from the i-th on, into a file of its own; when all shards "
                + "are there, their files are merged. auto: the share of a Slurm array's task, or of "
                + "a task of srun or mpirun.",
            valueName: "i/N|auto"
        ),
        transform: { text in
            if text == "auto" {
                do {
                    return try Shard(environment: ProcessInfo.processInfo.environment)
                } catch let failure as Failure { throw ValidationError("\(failure)") }
            }
            guard let shard = Shard(text) else {
                throw ValidationError("expected i/N with i from 1 to N, such as 2/3, or auto")
            }
            return shard
        }
    )
    public var shard: Shard?

    /// Whether shards are to be merged now, or later; nil for when all are there.
    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "--no-merge: a shard leaves its file to be merged by a run with --merge, as it should "
                + "where shards run on several machines. --merge: make nothing, merge what is there."
        )
    )
    public var merge: Bool?

    /// What becomes of the files of shards.
    public var merging: ShardMerging {
        merge.map { $0 ? .only : .never } ?? .whenComplete
    }

    /// To be filled by the parser.
    public init() {}

    /// Refuses what contradicts itself.
    public func validate() throws {
        if merge == true, shard != nil {
            throw ValidationError("--merge is for all shards together; leave out --shard")
        }
        if merge == false, shard == nil {
            throw ValidationError("--no-merge needs --shard")
        }
    }
}

extension WeightStorage: ExpressibleByArgument {}
