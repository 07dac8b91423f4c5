import Basics
import Experiments

extension Scope {
    /// Selects for every seed and arm that has tries.
    ///
    /// - Throws: `Failure`.
    public func select(_ models: ModelStore) throws -> [ArmSelection] {
        var selections: [ArmSelection] = []
        let selector = TraceSelector(layout: layout, models: models)
        for seed in experiment.seeds {
            for arm in arms {
                guard let selection = try selector.select(arm, seed: seed) else { continue }
                try write(selection)
                selections.append(selection)
            }
        }
        return selections
    }

    /// What to say where no arm has any traces.
    public static func nothingGenerated(_ file: String) -> Failure {
        Failure(
            .missingInput,
            file: file,
            "no traces have been generated yet",
            remedy: "Generate them: rsd-generate run \(file)"
        )
    }
}
