import Records
import Experiments
import Basics
import Foundation

/// The metrics of a run: one JSON line a step, the same as CSV, and scalars for TensorBoard.
final class MetricsLog {
    private let lines: JSONLines.Appender
    private let table: OutputFile
    private let events: EventFile

    /// Opens the log, without the steps that will be done again.
    ///
    /// What is damaged is left out, and told of: the checkpoint that the run goes on from is whole
    /// without it.
    init(
        stage: Stage,
        keepingStepsBelow step: Int,
        warn: (String) -> Void = { StandardError.write(line: $0) }
    ) throws {
        let path = stage.file("metrics.jsonl")
        let found = try MetricsFile(path)
        if let warning = found.warning(upTo: step) { warn(warning) }
        let kept = found.rows.filter { $0.step < step }.map(\.record)
        try JSONLines.write(kept, to: path)
        lines = try JSONLines.Appender(path)
        let csv = stage.file("metrics.csv")
        let header = MetricsFile.columns.joined(separator: ",")
        try TextFile.write(([header] + kept.map(Self.row)).map { $0 + "\n" }.joined(), to: csv)
        table = try OutputFile(appendingTo: csv)
        events = try EventFile(folder: stage.folder, keepingStepsBelow: step)
    }

    func append(_ metrics: StepMetrics) throws {
        try lines.append(metrics.json)
        try table.write(Data((Self.row(metrics.json) + "\n").utf8))
        try events.append(
            step: metrics.step,
            [
                ("train/loss", metrics.loss), ("train/learning_rate", metrics.learningRate),
                ("train/gradient_norm", metrics.gradientNorm),
                ("train/tokens_per_second", Double(metrics.tokens) / max(metrics.seconds, 1e-9)),
            ]
        )
    }

    private static func row(_ record: JSON) -> String {
        MetricsFile.columns.map { (record[$0] ?? .null).compact }.joined(separator: ",")
    }
}
