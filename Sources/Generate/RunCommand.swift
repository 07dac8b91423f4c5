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
        transform: Shard.parse
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
    /// start from the student of another are last, after that one has been trained. A shard selects
    /// only where all tries are there: the process that makes the last one finds all others.
    /// - Returns: The selections that were made, seed by seed in the order of the arms.
    /// - Throws: `Failure`.
    func generate(
        _ models: ModelStore,
        limit: Int? = nil,
        shard: Shard? = nil,
        adjust: (inout TraceGeneration) -> Void = { _ in }
    ) throws -> [ArmSelection] {
        var selections: [ArmSelection] = []
        var isMade: Set<String> = []
        for seed in experiment.seeds {
            var own: [String: ArmSelection] = [:]
            func generate(_ arm: Arm) throws {
                guard var generation = try TraceGeneration(layout, arm: arm, seed: seed) else {
                    return
                }
                generation.limit = limit
                generation.shard = shard
                adjust(&generation)
                guard isMade.insert(generation.stage.folder).inserted else { return }
                try generation.run(models)
            }
            func select(_ arm: Arm) throws {
                let traces = try layout.traces(arm, seed: seed)
                guard shard == nil || traces?.state ?? .finished == .finished else { return }
                let selector = TraceSelector(layout: layout, models: models)
                guard let selection = try selector.select(arm, seed: seed),
                    shard == nil || selection.isComplete
                else { return }
                try write(selection)
                own[arm.name] = selection
            }
            let independent = arms.filter { $0.student == nil }
            for arm in independent { try generate(arm) }
            for arm in independent { try select(arm) }
            for arm in arms where arm.student != nil {
                let first = try arm.student.map { try experiment.arm($0) }
                if let first, own[first.name] == nil { try select(first) }
                // Its student is trained on what other shards make too.
                if shard != nil, let first, own[first.name] == nil { continue }
                guard try prepareStudent(of: arm, seed: seed) else { continue }
                try generate(arm)
                try select(arm)
            }
            selections += arms.compactMap { own[$0.name] }
        }
        return selections
    }

    /// Trains the student that an arm starts from.
    ///
    /// - Returns: Whether there is one: the arm that it is the student of may have nothing to train on.
    /// - Throws: `Failure`.
    private func prepareStudent(of arm: Arm, seed: UInt64) throws -> Bool {
        var empty = try layout.emptiness(of: arm, seed: seed)
        if empty == nil {
            do { try layout.prepareStudent(of: arm, seed: seed) } catch let failure as Failure
                where failure.kind == .failed
            {
                // Training may have found that none of the traces fits.
                empty = try layout.emptiness(of: arm, seed: seed)
                if empty == nil { throw failure }
            }
        }
        if let empty { StandardError.write(line: "warning: \(empty.text)") }
        return empty == nil
    }

    /// What a shard says of arms that start from the student of another arm, whose tries are not all
    /// there yet; nil where there are none.
    ///
    /// - Throws: `Failure` when an input is missing or malformed.
    static func waiting(_ scopes: [Scope], in file: String) throws -> Failure? {
        var names: [String] = []
        for scope in scopes {
            for seed in scope.experiment.seeds {
                for arm in scope.arms {
                    guard let first = try arm.student.map({ try scope.experiment.arm($0) }),
                        try scope.layout.selection(first, seed: seed)?.state != .finished
                    else { continue }
                    names.append(
                        "\(arm.name) with seed \(seed) starts from the student of '\(first.name)'"
                    )
                }
            }
        }
        guard !names.isEmpty else { return nil }
        return Failure(
            .interrupted,
            file: file,
            "not all is made yet, because other shards still make what it depends on: "
                + names.joined(separator: "; "),
            remedy: "When they are done, run again: \(RunEnvironment.resumeCommand)"
        )
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
