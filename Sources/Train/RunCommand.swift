import ArgumentParser
import Experiments
import Programs
import Training

/// `rsd-train run`: trains base models from scratch and students on selected traces.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train the students of an experiment; goes on where it stopped.",
        discussion: """
            Models that the experiment trains from scratch come first; --arm base trains them alone. Everything that \
            is finished already, for the same settings and inputs, is left as it is.

            While it trains, the stage's folder has metrics.jsonl, metrics.csv and event files for \
            TensorBoard: tensorboard --logdir runs/NAME/training. training.keepCheckpoints says how \
            many checkpoints stay at the end.

            Exit code 1 after all else was done: an arm has nothing to train on, and the last line \
            says which and why.
            """
    )

    /// The name that `--arm` has for the models that start from scratch, alone.
    private static let base = "base"

    @OptionGroup var options: ExperimentOptions
    @OptionGroup var dryRun: DryRun

    func run() throws {
        Interrupts.install()
        Interrupts.promise("stopping after this step, with a checkpoint of it")
        let graphs = try options.variants(orArm: Self.base).map { variant in
            try StageGraph(
                RunLayout(variant),
                arms: options.arm == Self.base ? [] : options.arms(of: variant),
                goals: [.base, .training],
                isBorrowing: false
            )
        }
        if dryRun.dryRun { return try dryRun.show(graphs, of: options.experiment) }
        let stages = TrainingStages(display: .standardError())
        let runner = StageRunner([.base: stages.trainBase, .training: stages.fineTune])
        for graph in graphs { try runner.run(graph) }
        if let empty = try graphs.emptyArms(in: options.experiment) { throw empty }
    }
}
