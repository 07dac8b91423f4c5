import ArgumentParser
import Basics
import Experiments
import Programs
import Tracing
import Training

/// `rsd-generate run`: makes traces and selects from them.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Generates the traces of an experiment's arms; goes on where it stopped.",
        discussion: """
            Models that are trained from scratch are trained first, and traces that an arm takes \
            from another experiment are made there. When all tries of an arm are there, its trace \
            filter is applied and a table is printed. Neither batch sizes nor shards nor \
            interruptions change the traces.

            Exit code 1 after all else was done: an arm has nothing to train on, and the last line \
            says which and why. A shard ends with 75 where an arm starts from the student of another \
            whose tries other shards still make: run it again when they are done.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Option(help: ArgumentHelp("Only the first problems.", valueName: "n")) var limit: Int?
    @OptionGroup var share: ShardOption
    @OptionGroup var dryRun: DryRun

    func validate() throws {
        if let limit, limit < 1 {
            throw ValidationError("--limit is \(limit); expected at least 1")
        }
    }

    func run() throws {
        Interrupts.install()
        Interrupts.promise(
            "stopping after this step: finished tries are kept, those under way are made again"
        )
        // A shard has no part in what is made in other experiments.
        let graphs = try options.graphs(isBorrowing: share.shard == nil && share.merge == nil)
        if dryRun.dryRun { return try dryRun.show(graphs, of: options.experiment) }
        // A file of another arm, missing or malformed, stops nobody here.
        let chosen = graphs.map { graph in
            var experiment = graph.layout.experiment
            experiment.arms = graph.arms
            return experiment
        }
        try ContaminationCheck(chosen).run()
        let tracing = TraceStages(
            ModelStore(),
            limit: limit,
            shard: share.shard,
            merging: share.merging
        )
        let training = TrainingStages(display: .standardError())
        var workers: [Stage.Kind: StageRunner.Worker] = [
            .traces: tracing.makeTraces, .selection: tracing.select,
        ]
        if share.merging != .only {
            workers[.base] = training.trainBase
            workers[.training] = { node, stage in
                // Training needs the memory that the models of generation hold.
                if stage.state != .finished { tracing.models.release() }
                return try training.fineTune(node, stage)
            }
        }
        let runner = StageRunner(workers)
        for graph in graphs {
            try runner.run(graph)
            try ArmSelection.print(tracing.selections(of: graph), of: graph)
        }
        let empty = try graphs.emptyArms(in: options.experiment)
        if share.shard != nil, let waiting = try graphs.waiting(in: options.experiment) {
            if let empty { StandardError.report(empty) }
            throw waiting
        }
        if let empty { throw empty }
    }
}
