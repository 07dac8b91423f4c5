import Basics
import Experiments
import Models

extension Scope {
    /// Makes the traces that arms take from other experiments, where they are not there yet.
    ///
    /// - Throws: `Failure`.
    public func generateBorrowed(_ models: ModelStore, limit: Int? = nil) throws {
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
    public func generate(
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
    public static func waiting(_ scopes: [Scope], in file: String) throws -> Failure? {
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
    public func report(_ selections: [ArmSelection]) throws {
        guard !selections.isEmpty else { return }
        let heading = variantName.map { "\n\($0.printable)\n\n" } ?? ""
        try StandardOutput.write(heading + ArmSelection.table(selections).text)
    }
}
