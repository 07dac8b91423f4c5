import Experiments

/// What Train's stages do.
public struct TrainingStages {
    /// Stages.
    public init() {}

    /// Trains a model from random weights.
    public func trainBase(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        try node.layout.prepareBaseModels()
        return true
    }

    /// Trains an arm's student.
    public func fineTune(_ node: StageGraph.Node, _ stage: Stage) throws -> Bool {
        if let arm = node.arm { try node.layout.prepareStudent(named: arm.name, seed: node.seed) }
        return true
    }
}
