import Basics
import Experiments
import Foundation
import Kernels
import Records

/// What an arm trains on under one seed, and what was left out.
public struct ArmSelection {
    /// A trace to train on, and the try it was made from; nil for traces made elsewhere.
    struct Kept {
        /// The trace as Train reads it.
        var selected: SelectedTrace
        /// The try.
        var attempt: Trace?
    }

    /// The arm.
    var arm: Arm
    /// The seed.
    var seed: UInt64
    /// The problems with tries, in their order; empty for external traces.
    var problems: [Problem] = []
    /// All tries, in the order of problems and tries; empty for external traces.
    var tries: [Trace] = []
    /// What the filter kept; nil for external traces.
    var selection: TraceSelection?
    /// The traces to train on.
    var kept: [Kept]
    /// Whether all tries of all problems are there, also those of arms that it is matched with.
    var isComplete = true
    /// What left nothing to train on, where it was not the filter.
    var obstacle: String?

    /// The traces to train on, as Train reads them.
    var selected: [SelectedTrace] { kept.map(\.selected) }
}

extension ArmSelection {
    /// Writes what the arm trains on where Train reads it, and warns where that is nothing.
    ///
    /// - Throws: `Failure`.
    func write(to stage: Stage, of layout: RunLayout) throws {
        try store(in: stage, of: layout.experiment)
        guard let empty = try layout.emptiness(of: arm, seed: seed) else { return }
        StandardError.write(line: "warning: \(empty.text)")
        if let remedy = emptyRemedy { StandardError.write(line: remedy) }
    }

    private func store(in stage: Stage, of experiment: Experiment) throws {
        let text = selected.map { $0.json.compact + "\n" }.joined()
        let digest = Self.digest(of: text)
        var counts = json
        counts[EmptyArm.key] = emptyReason(experiment.answers).map { .string($0) }
        let results = JSON.object(counts)
        // A finished selection that would come out the same is left alone, also where nothing can
        // be written.
        if stage.state == .finished, isComplete,
            let manifest = try? TextFile.readJSON(stage.manifest),
            manifest["results"]?.canonical == results.canonical,
            manifest["outputs"]?["selected.jsonl"]?.string ?? digest == digest,
            (try? TextFile.read(stage.selected)) == Data(text.utf8)
        {
            return
        }
        // Shards that end together select together, the same.
        try stage.run(of: experiment, patience: 10) { run in
            // What was read while other processes were at work is a part, and they may have been
            // faster.
            if !isComplete, stage.state == .finished, stage.hasSelection { return }
            try run.begin()
            // An equal file keeps its time of change, by which its digest is remembered.
            if (try? TextFile.read(stage.selected)) != Data(text.utf8) {
                try TextFile.write(text, to: stage.selected)
            }
            try run.close(
                isComplete ? .finished : .interrupted,
                results: results,
                outputs: ["selected.jsonl"]
            )
        }
    }

    private static func digest(of text: String) -> String {
        var hash = SHA256()
        hash.update(text)
        return hash.hex()
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
    var json: JSONObject {
        let reasons = TraceFilter.Rejection.allCases.map { reason in
            (key: reason.rawValue, value: JSON.integer(selection?.rejections[reason] ?? 0))
        }
        return JSONObject([
            ("problems", .integer(selection?.problemCount ?? selected.count)),
            ("tries", .integer(selection?.tryCount ?? selected.count)),
            ("kept", .integer(kept.count)), ("prefixes", .integer(selection?.prefixCount ?? 0)),
            ("rejections", .object(JSONObject(reasons))),
            ("mean_length", meanLength.map { .number($0) } ?? .null),
        ])
    }

    /// One row a selection: problems, tries, kept, rejections by reason, mean length.
    public static func table(_ selections: [ArmSelection]) -> MarkdownTable {
        let reasons = TraceFilter.Rejection.allCases
        let names = reasons.map { $0 == .notChosen ? "not chosen" : $0.rawValue }
        return MarkdownTable(
            header: ["arm", "seed", "problems", "tries", "kept"] + names + ["mean tokens"],
            rows: selections.map { row in
                let counts = row.selection
                let rejections = reasons.map { reason in
                    counts.map { "\($0.rejections[reason] ?? 0)" } ?? "–"
                }
                return [
                    row.arm.name, "\(row.seed)",
                    counts.map { "\($0.problemCount)" } ?? "–",
                    counts.map { "\($0.tryCount)" } ?? "–", "\(row.kept.count)",
                ] + rejections + [decimal(row.meanLength)]
            }
        )
    }
}
