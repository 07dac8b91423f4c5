import Experiments

@testable import Tracing

/// Some arms of an experiment, with what Generate does for them but for training.
struct Scope {
    var layout: RunLayout
    var arms: [Arm]

    var experiment: Experiment { layout.experiment }

    func graph(isBorrowing: Bool = false) throws -> StageGraph {
        try StageGraph(
            layout,
            arms: arms,
            goals: [.traces, .selection],
            isBorrowing: isBorrowing
        )
    }

    @discardableResult
    func generate(
        _ models: ModelStore,
        limit: Int? = nil,
        shard: Shard? = nil,
        merging: ShardMerging = .whenComplete,
        isBorrowing: Bool = false,
        adjust: @escaping (inout TraceGeneration) -> Void = { _ in }
    ) throws -> [ArmSelection] {
        let stages = TraceStages(models, limit: limit, shard: shard, merging: merging)
        stages.adjust = { generation in
            generation.patience = 0
            adjust(&generation)
        }
        let graph = try graph(isBorrowing: isBorrowing)
        try StageRunner([.traces: stages.makeTraces, .selection: stages.select]).run(graph)
        return try stages.selections(of: graph)
    }

    func select(_ models: ModelStore) throws -> [ArmSelection] {
        let stages = TraceStages(models)
        let graph = try graph()
        try StageRunner([.selection: stages.select]).run(graph)
        return try stages.selections(of: graph)
    }

    func write(_ selection: ArmSelection) throws {
        guard let stage = try layout.selection(selection.arm, seed: selection.seed) else { return }
        try selection.write(to: stage, of: layout)
    }

    func analyse(_ models: ModelStore, _ limits: AnalysisLimits = AnalysisLimits()) throws
        -> ExperimentAnalysis?
    {
        try layout.analyse(arms, models, limits)
    }
}
