import Basics
import Experiments

/// What Generate's stages do: tries are made, and traces to train on are selected from them.
public final class TraceStages {
    /// The models in use.
    public let models: ModelStore
    /// Only the first so many problems; nil for all.
    public let limit: Int?
    /// Only the problems of this shard; nil for all.
    public let shard: Shard?
    /// What becomes of the files of shards.
    public let merging: ShardMerging
    /// Changes how tries are made; for tests.
    var adjust: (inout TraceGeneration) -> Void = { _ in }
    /// What was selected, by the folder of its stage: variants of a sweep may share it.
    private var selections: [String: ArmSelection] = [:]

    /// Stages that work with some models.
    public init(
        _ models: ModelStore,
        limit: Int? = nil,
        shard: Shard? = nil,
        merging: ShardMerging = .whenComplete
    ) {
        self.merging = merging
        self.models = models
        self.limit = limit
        self.shard = shard
    }

    /// Makes the missing tries of a stage.
    ///
    /// - Returns: Whether selection can go on; for a shard, whether the tries of all shards are there.
    /// - Throws: `Failure`.
    public func makeTraces(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        guard let arm = node.arm else { return true }
        var generation = try TraceGeneration(node.layout, arm: arm, stage: stage)
        generation.limit = limit
        generation.shard = shard
        generation.merging = merging
        adjust(&generation)
        try generation.run(models)
        return shard == nil || stage.state == .finished
    }

    /// Selects what an arm trains on, as far as there are tries.
    ///
    /// A shard selects only where all tries are there: the process that makes the last one finds all
    /// others. One that leaves merging to others selects nothing.
    /// - Returns: Whether training can go on.
    /// - Throws: `Failure`.
    public func select(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        guard let arm = node.arm,
            merging != .never,
            let selection = try TraceSelector(layout: node.layout, models: models)
                .select(arm, seed: node.seed)
        else { return merging != .never }
        guard shard == nil || selection.isComplete else { return false }
        try selection.write(to: stage, of: node.layout)
        selections[stage.folder] = selection
        return true
    }

    /// The selections of a graph's arms, seed by seed in the order of the table.
    ///
    /// - Throws: `Failure` when an input is malformed.
    public func selections(of graph: StageGraph) throws -> [ArmSelection] {
        try graph.layout.experiment.seeds.flatMap { seed in
            try graph.arms.compactMap { arm in
                try graph.layout.ifPresent { try graph.layout.selection(arm, seed: seed) }
                    .flatMap { selections[$0.folder] }
            }
        }
    }
}
