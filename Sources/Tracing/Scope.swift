import Experiments

/// A variant of an experiment and the arms of it that a command works on.
public struct Scope {
    /// Where the stages of the variant live.
    public var layout: RunLayout
    /// The arms that train on something, in the order of the table.
    public var arms: [Arm]

    /// Takes the values as they are.
    public init(layout: RunLayout, arms: [Arm]) {
        self.layout = layout
        self.arms = arms
    }

    /// The variant.
    public var experiment: Experiment { layout.experiment }
    /// The variant's name; nil for a plain experiment.
    var variantName: String? { experiment.variant?.name }
}

extension Manifest.Surroundings {
    /// Those of this process, asked for once: a sweep closes hundreds of manifests.
    static let ofThisProcess = RunEnvironment.surroundings()
}
