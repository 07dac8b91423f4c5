import Basics
import Experiments
import Records

/// Writes what an arm trains on for another trainer.
public struct TraceExport {
    private let layout: RunLayout
    private let models: ModelStore

    /// Prepares to write traces of an experiment.
    public init(_ layout: RunLayout, _ models: ModelStore) {
        self.layout = layout
        self.models = models
    }

    /// Writes the selected traces of an arm under one seed, in their order, in one step.
    ///
    /// - Returns: How many there are.
    /// - Throws: `Failure.missingInput` for traces that have not been selected yet;
    ///   `Failure.configuration` for an arm without traces, or traces that the format cannot tell.
    public func write(_ arm: Arm, seed: UInt64, as format: TrainerFormat, to path: String) throws
        -> Int
    {
        guard let selection = try layout.selection(arm, seed: seed) else {
            throw Failure(
                .configuration,
                file: layout.experiment.file,
                at: "arms.\(arm.name)",
                "selects no traces"
            )
        }
        guard selection.state == .finished else {
            throw Failure(
                .missingInput,
                file: selection.selected,
                "arm '\(arm.name)' has no traces with seed \(seed) yet",
                remedy:
                    "Generate them: rsd-generate run \(layout.experiment.file) --arm \(arm.name)"
            )
        }
        try selection.checkOutput("selected.jsonl")
        let tokenizer = try models.student(of: arm, layout, seed: seed).tokenizer
        let traces = try SelectedTrace.read(selection.selected)
        let template = layout.experiment.template
        try JSONLines.write(to: path) { add in
            for trace in traces { try add(template.exported(trace, as: format, with: tokenizer)) }
        }
        return traces.count
    }
}
