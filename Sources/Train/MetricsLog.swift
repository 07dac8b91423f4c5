import Experiments
import Files
import Foundation

/// The metrics of a run: one JSON line a step, the same as CSV, and scalars for TensorBoard.
final class MetricsLog {
    private let lines: JSONLines.Appender
    private let table: OutputFile
    private let events: EventFile

    /// Opens the log, without the steps that will be done again.
    init(stage: Stage, keepingStepsBelow step: Int) throws {
        let path = stage.file("metrics.jsonl")
        let kept =
            FileManager.default.fileExists(atPath: path)
            ? try JSONLines.read(path, tornTail: .drop) { $0 }
                .filter { ($0["step"]?.integer ?? .max) < step } : []
        try JSONLines.write(kept, to: path)
        lines = try JSONLines.Appender(path)
        table = try OutputFile(creating: stage.file("metrics.csv"))
        try table.write(Data("step,loss,learning_rate,gradient_norm,tokens,seconds\n".utf8))
        events = try EventFile(folder: stage.folder, keepingStepsBelow: step)
        for record in kept { try appendRow(record) }
    }

    func append(_ metrics: StepMetrics) throws {
        try lines.append(metrics.json)
        try appendRow(metrics.json)
        try events.append(
            step: metrics.step,
            [
                ("train/loss", metrics.loss), ("train/learning_rate", metrics.learningRate),
                ("train/gradient_norm", metrics.gradientNorm),
                ("train/tokens_per_second", Double(metrics.tokens) / max(metrics.seconds, 1e-9)),
            ]
        )
    }

    private func appendRow(_ record: JSON) throws {
        let row = (record.object?.members ?? []).map(\.value.compact).joined(separator: ",")
        try table.write(Data((row + "\n").utf8))
    }
}
