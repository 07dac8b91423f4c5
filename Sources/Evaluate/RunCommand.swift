import ArgumentParser
import Basics
import Experiments
import Programs
import Scoring
import Training

/// `run`: samples and scores; resumes.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Samples the arms' students on the benchmarks and grades the samples.",
        discussion: """
            Goes on where an earlier run stopped. Samples depend on seed, question and number of \
            the sample alone, so every arm meets the same random numbers, and shards change nothing.

            Exit code 1 after all else was done: an arm had nothing to train on, and the last line \
            says which and why.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Option(help: "Questions of each benchmark, the first ones; all when left out.")
    var limit: Int?
    @OptionGroup var share: ShardOption
    @OptionGroup var dryRun: DryRun

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1.") }
    }

    func run() throws {
        Interrupts.install()
        Interrupts.promise(
            "stopping after this step: finished samples are kept, those under way are made again"
        )
        let variants = try options.variants()
        let graphs = try options.graphs(variants)
        if dryRun.dryRun { return try dryRun.show(graphs, of: options.experiment) }
        try ContaminationCheck(variants).run()
        if share.merging != .only {
            let training = StageRunner([.base: TrainingStages(display: .standardError()).trainBase])
            for graph in graphs { try training.run(graph) }
        }
        // A model that is missing shows before hours are spent on the others.
        for job in try EvaluationJob.jobs(of: graphs) where !job.record.covers(limit) {
            try job.checkModel()
        }
        let scoring = StageRunner([
            .evaluation: { node, stage in
                guard let job = EvaluationJob(node, stage) else { return true }
                try SamplingRun(job, limit: limit, shard: share.shard, merging: share.merging).run()
                return true
            }
        ])
        for graph in graphs { try scoring.run(graph) }
        if let empty = try graphs.emptyArms(in: options.experiment) { throw empty }
    }
}

extension ExperimentOptions {
    /// The graphs of some variants with what the samples of the wanted arms need.
    ///
    /// - Throws: `Failure` when the experiment has no such arm.
    func graphs(_ variants: [Experiment]) throws -> [StageGraph] {
        try variants.map { variant in
            try StageGraph(
                RunLayout(variant),
                arms: arms(of: variant),
                goals: [.evaluation],
                isBorrowing: false
            )
        }
    }
}
