import Basics
import Foundation

/// The metrics of a training run, `metrics.jsonl`: one JSON object a step.
///
/// A crash of the machine can leave zeros or garbage in the middle of a file that was appended to.
/// The rows on both sides of such a place are good, and are kept.
public struct MetricsFile: Sendable {
    /// The members of a row, in the order of the columns of `metrics.csv`.
    public static let columns = [
        "step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds",
    ]

    /// Where the file is.
    public let path: String
    /// The good rows in the order of their steps; a step written twice counts as written last.
    public let rows: [(step: Int, record: JSON)]
    /// The numbers of lines that are no rows.
    public let damagedLines: [Int]

    /// Reads a file; one that is not there has no rows.
    ///
    /// - Throws: `Failure.missingInput` when it is there and cannot be read.
    public init(_ path: String) throws {
        self.path = path
        var found: [Int: JSON] = [:]
        if FileManager.default.fileExists(atPath: path) {
            damagedLines = try JSONLines.salvage(path, Self.row) {
                found[$0.record.step] = $0.record.json
            }
            .map(\.line)
        } else {
            damagedLines = []
        }
        rows = found.sorted { $0.key < $1.key }.map { (step: $0.key, record: $0.value) }
    }

    /// No training has more steps; damage makes such numbers.
    private static let largestStep = 1 << 40

    /// A row, checked: a step, and numbers or `null` for all else.
    private static func row(_ json: JSON) throws -> (step: Int, json: JSON) {
        let step = try json.naturalNumber("step")
        guard step <= largestStep else {
            throw Failure(
                .badData,
                at: "'step'",
                "found \(step); expected at most \(largestStep)"
            )
        }
        _ = try json.require("loss", "a number or null") { $0.isNull ? .nan : $0.number }
        for column in columns.dropFirst(2) {
            guard let value = json[column], !value.isNull, value.number == nil else { continue }
            throw Failure(
                .badData,
                at: "'\(column)'",
                "found \(value.kindName); expected a number or null"
            )
        }
        return (step, json)
    }

    /// What is lost of the steps before `end`, in words for a person; nil when nothing is.
    ///
    /// Without `end`, up to the last row.
    public func warning(upTo end: Int? = nil) -> String? {
        let end = end ?? rows.last.map { $0.step + 1 } ?? 0
        // Ranges, not steps: one damaged number could stand for billions of them.
        var missing: [ClosedRange<Int>] = []
        var next = 0
        for step in rows.map(\.step) + [end] where next < end {
            if step > next { missing.append(next...min(step, end) - 1) }
            next = step + 1
        }
        var words: [String] = []
        if !damagedLines.isEmpty {
            let lines = damagedLines.count == 1 ? "line is" : "lines are"
            words.append(
                "\(damagedLines.count) \(lines) damaged and left out "
                    + "(\(JSONLines.list(damagedLines)))"
            )
        }
        if !missing.isEmpty {
            let count = missing.reduce(0) { $0 + $1.count }
            let steps = count == 1 ? "step has" : "steps have"
            words.append("\(count) \(steps) no row (\(JSONLines.list(missing)))")
        }
        return words.isEmpty ? nil : "warning: \(path): " + words.joined(separator: "; ")
    }
}
