import Scoring
import ArgumentParser
import Experiments
import Basics

/// `run`: samples and scores; resumes.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Samples the arms' students on the benchmarks and grades the samples.",
        discussion: """
            Goes on where an earlier run stopped. Samples depend on seed, question and number of \
            the sample alone, so every arm meets the same random numbers.

            Exit code 1 after all else was done: an arm had nothing to train on, and the last line \
            says which and why.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @OptionGroup var choice: JobOptions
    @Option(help: "Questions of each benchmark, the first ones; all when left out.")
    var limit: Int?
    @Flag(help: "Print what would be done, what is missing and what it takes, and stop.")
    var dryRun = false

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1.") }
    }

    func run() throws {
        Interrupts.install()
        Interrupts.promise(
            "stopping after this step: finished samples are kept, those under way are made again"
        )
        let experiment = try options.read()
        try choice.check(experiment)
        if dryRun {
            let plans = try experiment.variants.map { variant in
                try RunLayout(variant.restricted(toSeed: choice.seed))
                    .plan(choice.arms(of: variant))
            }
            try Plan.show(plans, of: options.experiment)
            return
        }
        try ContaminationCheck(experiment.variants).run()
        for variant in try experiment.variants { try RunLayout(variant).prepareBaseModels() }
        let jobs = try EvaluationJob.all(experiment, arm: choice.arm, seed: choice.seed)
        for job in jobs where !job.record.covers(limit) { try job.checkModel() }
        let surroundings = RunEnvironment.surroundings()
        for job in jobs {
            try SamplingRun(job, limit: limit, surroundings: surroundings).run()
        }
        let empty = try experiment.variants.flatMap { variant in
            let layout = RunLayout(try variant.restricted(toSeed: choice.seed))
            return try layout.emptyArms(try choice.arms(of: variant))
        }
        if let failure = empty.failure(in: options.experiment) { throw failure }
    }
}

/// Which arms and seeds are meant.
struct JobOptions: ParsableArguments {
    @Option(help: "One arm; all when left out.") var arm: String?
    @Option(help: "One of the experiment's seeds; all when left out.") var seed: UInt64?

    /// The arms that are meant.
    ///
    /// - Throws: `Failure.configuration` where the experiment has no such arm.
    func arms(of experiment: Experiment) throws -> [Arm] {
        try arm.map { [try experiment.arm($0)] } ?? experiment.arms
    }

    /// Checks that the experiment has what was asked for.
    ///
    /// - Throws: `Failure.configuration` naming what it has.
    func check(_ experiment: Experiment) throws {
        if let arm { _ = try experiment.arm(arm) }
        _ = try experiment.restricted(toSeed: seed)
    }
}
