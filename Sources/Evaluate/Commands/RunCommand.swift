import ArgumentParser
import Experiments
import Files

/// `run`: samples and scores; resumes.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Samples the arms' students on the benchmarks and grades the samples.",
        discussion: """
            Goes on where an earlier run stopped. Samples depend on seed, question and number of \
            the sample alone, so every arm meets the same random numbers.
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
        let experiment = try options.read()
        try choice.check(experiment)
        if dryRun {
            for variant in try experiment.variants {
                let variant = try variant.restricted(toSeed: choice.seed)
                let arms = try choice.arm.map { [try variant.arm($0)] } ?? variant.arms
                try StandardOutput.write(RunLayout(variant).plan(arms).text)
            }
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
    }
}

/// Which arms and seeds are meant.
struct JobOptions: ParsableArguments {
    @Option(help: "One arm; all when left out.") var arm: String?
    @Option(help: "One of the experiment's seeds; all when left out.") var seed: UInt64?

    /// Checks that the experiment has what was asked for.
    ///
    /// - Throws: `Failure.configuration` naming what it has.
    func check(_ experiment: Experiment) throws {
        if let arm { _ = try experiment.arm(arm) }
        _ = try experiment.restricted(toSeed: seed)
    }
}
