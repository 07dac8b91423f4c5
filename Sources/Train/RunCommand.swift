import ArgumentParser
import Basics
import Experiments
import Records
import Training

/// `rsd-train run`: trains base models from scratch and students on selected traces.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train the students of an experiment; goes on where it stopped.",
        discussion: """
            Models that the experiment trains from scratch come first (arm 'base'). Everything that \
            is finished already, for the same settings and inputs, is left as it is.

            While it trains, the stage's folder has metrics.jsonl, metrics.csv and event files for \
            TensorBoard: tensorboard --logdir runs/NAME/training. training.keepCheckpoints says how \
            many checkpoints stay at the end.

            Exit code 1 after all else was done: an arm has nothing to train on, and the last line \
            says which and why.
            """
    )

    @Argument(help: "Experiment file, YAML.") var experiment: String
    @Option(help: "Train this arm only; 'base' trains the models that start from scratch.")
    var arm: String?
    @Option(help: "Train with this seed only.") var seed: UInt64?
    @Option(help: "Train this variant of a sweep only.") var variant: String?
    @Flag(help: "Print what would be done, what is missing and what it takes, and stop.")
    var dryRun = false

    func run() throws {
        Interrupts.install()
        Interrupts.promise("stopping after this step, with a checkpoint of it")
        let experiment = try Experiment.read(experiment)
        let variants = try experiment.variants.filter {
            variant == nil || $0.variant?.name == variant
        }.map { try $0.restricted(toSeed: seed) }
        guard !variants.isEmpty else {
            throw Failure(
                .configuration,
                file: experiment.file,
                at: "grid",
                "has no variant '\(variant ?? "")'"
            )
        }
        if dryRun {
            let plans = try variants.map {
                try StageGraph(RunLayout($0), arms: selected($0)).plan()
            }
            try Plan.show(plans, of: self.experiment)
            return
        }
        var empty: [EmptyArm] = []
        for variant in variants {
            empty += try train(variant)
        }
        if let failure = empty.failure(in: self.experiment) { throw failure }
    }

    /// The arms to train.
    private func selected(_ experiment: Experiment) throws -> [Arm] {
        arm == "base" ? [] : try arm.map { [try experiment.arm($0)] } ?? experiment.arms
    }

    /// Trains what is not trained yet.
    ///
    /// - Returns: The arms that have nothing to train on.
    private func train(_ experiment: Experiment) throws -> [EmptyArm] {
        let layout = RunLayout(experiment)
        let training = StageTraining(layout, display: .standardError())
        var empty: [EmptyArm] = []
        for stage in try layout.baseStages() where stage.state != .finished {
            try execute(stage, experiment) { try training.trainBase(stage) }
        }
        for arm in try selected(experiment) where arm.kind != .base {
            for seed in experiment.seeds {
                if let found = try layout.emptiness(of: arm, seed: seed) {
                    empty.append(found)
                    continue
                }
                guard let stage = try layout.training(arm, seed: seed), stage.state != .finished
                else { continue }
                do {
                    try execute(stage, experiment) {
                        try training.fineTune(arm, seed: seed, stage)
                    }
                } catch let nothing as NothingToTrainOn {
                    StandardError.write(line: "\(arm.name) seed \(seed): \(nothing.reason)")
                    empty += try [layout.emptiness(of: arm, seed: seed)].compactMap(\.self)
                }
            }
        }
        return empty
    }

    /// Does the work of one stage under its lock and manifest.
    private func execute(_ stage: Stage, _ experiment: Experiment, _ work: () throws -> JSON) throws
    {
        try stage.prepare()
        let lock = try RunLock(stage.lock)
        defer { lock.release() }
        let manifest = try Manifest(
            stage.manifest,
            configuration: experiment.merged,
            seeds: [stage.seed],
            inputs: stage.inputDigests,
            surroundings: RunEnvironment.surroundings()
        )
        do {
            try manifest.close(.finished, results: try work())
        } catch {
            let isInterrupted = (error as? Failure)?.kind == .interrupted
            try manifest.close(
                isInterrupted ? .interrupted : .failed,
                results: (error as? NothingToTrainOn)?.results ?? .null
            )
            throw error
        }
    }
}
