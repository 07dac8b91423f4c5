import Basics
import Foundation
import Records

/// `metrics.jsonl`, which later runs and the report read.
struct JSONLinesSink: MetricsSink {
    static let name = "metrics.jsonl"
    private let lines: JSONLines.Appender

    init(folder: String, history: [StepMetrics]) throws {
        let path = "\(folder)/\(Self.name)"
        try JSONLines.write(history.map(\.json), to: path)
        lines = try JSONLines.Appender(path)
    }

    func append(_ metrics: StepMetrics) throws { try lines.append(metrics.json) }
}

/// `metrics.csv`, the same as a table; its first row says which columns there are.
final class CSVSink: MetricsSink {
    private let table: OutputFile
    private var columns: [String]?

    init(folder: String, history: [StepMetrics]) throws {
        let path = "\(folder)/metrics.csv"
        try TextFile.write("", to: path)
        table = try OutputFile(appendingTo: path)
        try write(history)
    }

    func append(_ metrics: StepMetrics) throws { try write([metrics]) }

    private func write(_ rows: [StepMetrics]) throws {
        var lines: [[String]] = []
        for row in rows {
            let members = row.json
            if columns == nil {
                columns = members.object?.members.map(\.key) ?? []
                lines.append(columns ?? [])
            }
            lines.append((columns ?? []).map { (members[$0] ?? .null).compact })
        }
        try table.write(Data(CSV.text(lines).utf8))
    }
}
