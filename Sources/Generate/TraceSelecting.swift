import Datasets
import Experiments
import Files
import Foundation
import Grading

/// What an arm trains on under one seed, and what was left out.
struct ArmSelection {
    /// The arm.
    var arm: Arm
    /// The seed.
    var seed: UInt64
    /// All tries, in the order of problems and tries; empty for external traces.
    var tries: [Trace] = []
    /// What the filter kept; nil for external traces.
    var selection: TraceSelection?
    /// The traces to train on.
    var selected: [SelectedTrace]
    /// Whether all tries of all problems are there.
    var isComplete = true
}

extension RunLayout {
    /// Applies an arm's filter to the tries that are there, graded again from their text.
    ///
    /// Problems without any try do not count. External traces are taken as they are.
    /// - Returns: Nil while nothing has been generated.
    /// - Throws: `Failure` when an input is missing or malformed.
    func select(_ arm: Arm, seed: UInt64) throws -> ArmSelection? {
        if let external = arm.traces {
            // The stage's digest knows where a user gets a file that is missing.
            _ = try selection(arm, seed: seed)
            let traces = try SelectedTrace.readExternal(external.path, limit: external.limit)
            return ArmSelection(arm: arm, seed: seed, selected: traces)
        }
        guard let stage = try traces(arm, seed: seed) else { return nil }
        let found = try TraceStore(stage: stage).read()
        guard !found.isEmpty else { return nil }
        var result = ArmSelection(arm: arm, seed: seed, selected: [])
        let style = AnswerStyle(traces: experiment.answers, template: experiment.template)
        var visited: [[UInt8]: Problem] = [:]
        var ids: [String] = []
        for problem in try problems(seed: seed).problems {
            let own = (0..<arm.generation.tries).compactMap { found[TryKey(problem.id, $0)] }
            if own.count < arm.generation.tries { result.isComplete = false }
            guard !own.isEmpty else { continue }
            result.tries += own
            visited[Array(problem.id.utf8)] = problem
            ids.append(problem.id)
        }
        let selection = arm.selection.filter.select(result.tries, problems: ids) { trace in
            visited[Array(trace.id.utf8)]?.verdict(on: trace.text, style: style) ?? trace.verdict
        }
        result.selection = selection
        result.selected = selection.traces.compactMap { trace in
            visited[Array(trace.id.utf8)].map { SelectedTrace(trace, of: $0) }
        }
        return result
    }

    /// Writes what an arm trains on where Train reads it.
    ///
    /// - Throws: `Failure`.
    func write(_ result: ArmSelection) throws {
        guard let stage = try selection(result.arm, seed: result.seed) else { return }
        try stage.prepare()
        let lock = try RunLock(stage.lock)
        defer { lock.release() }
        let inputs = stage.inputs["inputs"]?.object?.members ?? []
        let manifest = try Manifest(
            stage.manifest,
            configuration: experiment.merged,
            seeds: [result.seed],
            inputs: inputs.compactMap { key, value in
                ["traces", "external"].contains(key) ? value.string.map { (key, $0) } : nil
            },
            surroundings: .ofThisProcess
        )
        let text = result.selected.map { $0.json.compact + "\n" }.joined()
        // An equal file keeps its time of change, by which its digest is remembered.
        if FileManager.default.contents(atPath: stage.selected) != Data(text.utf8) {
            try TextFile.write(text, to: stage.selected)
        }
        try manifest.close(result.isComplete ? .finished : .interrupted, results: result.json)
    }
}

extension ArmSelection {
    /// The mean number of tokens of the traces to train on; nil where they are not known.
    var meanLength: Double? {
        let lengths = selected.compactMap { $0.ids?.count }
        guard lengths.count == selected.count, !lengths.isEmpty else { return nil }
        return Double(lengths.reduce(0, +)) / Double(lengths.count)
    }

    /// The counts, for the manifest.
    var json: JSON {
        let reasons = TraceFilter.Rejection.allCases.map { reason in
            (key: reason.rawValue, value: JSON.integer(selection?.rejections[reason] ?? 0))
        }
        return [
            "problems": .integer(selection?.problemCount ?? selected.count),
            "tries": .integer(selection?.tryCount ?? selected.count),
            "kept": .integer(selected.count), "rejections": .object(JSONObject(reasons)),
            "mean_length": meanLength.map { .number($0) } ?? .null,
        ]
    }

    /// One row a selection: problems, tries, kept, rejections by reason, mean length.
    static func table(_ selections: [ArmSelection]) -> TextTable {
        let reasons = TraceFilter.Rejection.allCases
        let names = reasons.map { $0 == .notChosen ? "not chosen" : $0.rawValue }
        return TextTable(
            header: ["arm", "seed", "problems", "tries", "kept"] + names + ["mean tokens"],
            rows: selections.map { row in
                let counts = row.selection
                let rejections = reasons.map { reason in
                    counts.map { "\($0.rejections[reason] ?? 0)" } ?? "–"
                }
                return [
                    row.arm.name, "\(row.seed)",
                    counts.map { "\($0.problemCount)" } ?? "–",
                    counts.map { "\($0.tryCount)" } ?? "–", "\(row.selected.count)",
                ] + rejections + [decimal(row.meanLength)]
            }
        )
    }
}
