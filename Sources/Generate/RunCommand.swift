import Tracing
import ArgumentParser
import Experiments
import Basics

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
    @Option(
        help: ArgumentHelp(
            "Only every N-th problem, from the i-th on, into a file of its own; when all shards "
                + "are there, their files are merged.",
            valueName: "i/N"
        ),
        transform: parseShard
    )
    var shard: Shard?
    @Flag(help: "Print what would be done, what is missing and what it takes, and stop.")
    var dryRun = false

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
        let scopes = try options.read()
        if dryRun {
            try Plan.show(scopes.map { try $0.layout.plan($0.arms) }, of: options.experiment)
            return
        }
        // A file of another arm, missing or malformed, stops nobody here.
        let chosen = scopes.map { scope in
            var experiment = scope.experiment
            experiment.arms = scope.arms
            return experiment
        }
        try ContaminationCheck(chosen).run()
        let models = ModelStore()
        for scope in scopes {
            if shard == nil { try scope.generateBorrowed(models, limit: limit) }
            if scope.arms.contains(where: \.needsModels) { try scope.layout.prepareBaseModels() }
            let selections = try scope.generate(models, limit: limit, shard: shard)
            try scope.report(selections)
        }
        let empty = try scopes.flatMap { try $0.emptyArms }.failure(in: options.experiment)
        if let waiting = try Scope.waiting(scopes, in: options.experiment), shard != nil {
            if let empty { CommandLineMain.report(empty) }
            throw waiting
        }
        if let empty { throw empty }
    }
}
