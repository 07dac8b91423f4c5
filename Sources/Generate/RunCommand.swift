import ArgumentParser
import Experiments
import Files

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
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Option(help: ArgumentHelp("Only the first problems.", valueName: "n")) var limit: Int?
    @Option(
        help: ArgumentHelp(
            "Only every N-th problem, from the i-th on, into a file of its own; when all shards "
                + "are there, their files are merged.",
            valueName: "i/N"
        )
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
        let scopes = try options.read()
        if dryRun {
            for scope in scopes {
                try StandardOutput.write(scope.layout.plan(scope.arms).text)
            }
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
    }
}

extension Scope {
    /// Makes the traces that arms take from other experiments, where they are not there yet.
    ///
    /// - Throws: `Failure`.
    func generateBorrowed(_ models: ModelStore, limit: Int? = nil) throws {
        for lender in try layout.lenders(arms) where !lender.isDone {
            let layout = lender.layout
            let arms = layout.experiment.arms.filter { $0.kind != .base }
            if arms.contains(where: \.needsModels) { try layout.prepareBaseModels() }
            _ = try Scope(layout: layout, arms: arms).generate(models, limit: limit)
        }
    }

    /// Generates for every seed and arm, each stage once, and selects.
    ///
    /// Selection comes after all generation, because arms may be matched with each other; arms that
    /// start from the student of another are last, after that one has been trained.
    /// - Returns: The selections of arms whose tries are not left to other shards, seed by seed in
    ///   the order of the arms.
    /// - Throws: `Failure`.
    func generate(
        _ models: ModelStore,
        limit: Int? = nil,
        shard: Shard? = nil,
        adjust: (inout TraceGeneration) -> Void = { _ in }
    ) throws -> [ArmSelection] {
        var selections: [ArmSelection] = []
        var isComplete: [String: Bool] = [:]
        for seed in experiment.seeds {
            var own: [String: ArmSelection] = [:]
            /// Makes an arm's tries; whether they are all there.
            func generate(_ arm: Arm) throws -> Bool {
                guard var generation = try TraceGeneration(layout, arm: arm, seed: seed) else {
                    return true
                }
                generation.limit = limit
                generation.shard = shard
                adjust(&generation)
                let folder = generation.stage.folder
                if isComplete[folder] == nil { isComplete[folder] = try generation.run(models) }
                return isComplete[folder] ?? false
            }
            func select(_ arm: Arm) throws {
                let selector = TraceSelector(layout: layout, models: models)
                guard let selection = try selector.select(arm, seed: seed) else { return }
                try layout.write(selection)
                own[arm.name] = selection
            }
            let independent = arms.filter { $0.student == nil }
            let done = try independent.filter { try generate($0) || shard == nil }
            for arm in done { try select(arm) }
            for arm in arms where arm.student != nil {
                let first = try arm.student.map { try experiment.arm($0) }
                if let first, own[first.name] == nil { try select(first) }
                // Its student is trained on what other shards make too.
                if shard != nil, let first, own[first.name]?.isComplete != true { continue }
                try layout.prepareStudent(of: arm, seed: seed)
                if try generate(arm) || shard == nil { try select(arm) }
            }
            selections += arms.compactMap { own[$0.name] }
        }
        return selections
    }

    /// Prints the table of selections.
    ///
    /// - Throws: `Failure.disk`.
    func report(_ selections: [ArmSelection]) throws {
        guard !selections.isEmpty else { return }
        let heading = variantName.map { "\n\($0.printable)\n\n" } ?? ""
        try StandardOutput.write(heading + ArmSelection.table(selections).text)
    }
}
