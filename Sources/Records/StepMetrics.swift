import Basics
import Foundation

/// One optimizer step of a training run: a line of `metrics.jsonl`.
///
/// A number that is not known, or was not finite, is NaN here and `null` in the file.
public struct StepMetrics: Sendable {
    /// The step, from 0.
    public var step: Int
    /// Mean loss of the step's target tokens, in nats.
    public var loss: Double
    /// Learning rate of the step.
    public var learningRate: Double
    /// Euclidean length of the gradient, before clipping.
    public var gradientNorm: Double
    /// Tokens passed through the model, prompts included; nil where a file does not say.
    public var tokens: Int?
    /// Seconds that the step took.
    public var seconds: Double
    /// What the objective and the source of the batches report besides, in a fixed order.
    public var more: [(name: String, value: Double)]

    /// Describes a step.
    public init(
        step: Int,
        loss: Double,
        learningRate: Double = .nan,
        gradientNorm: Double = .nan,
        tokens: Int? = nil,
        seconds: Double = .nan,
        more: [(name: String, value: Double)] = []
    ) {
        self.step = step
        self.loss = loss
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.tokens = tokens
        self.seconds = seconds
        self.more = more
    }

    /// The members of a line, in order; `more` follows them.
    private static let members = [
        "step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds",
    ]

    /// The line as one JSON object; its members are the columns of `metrics.csv` too.
    public var json: JSON {
        let values: [JSON] = [
            .integer(step), .number(loss), .number(learningRate), .number(gradientNorm),
            tokens.map(JSON.integer) ?? .null, .number((seconds * 1e4).rounded() / 1e4),
        ]
        let fixed = zip(Self.members, values).map { (key: $0, value: $1) }
        return .object(JSONObject(fixed + more.map { (key: $0.name, value: .number($0.value)) }))
    }

    /// No training has more steps; damage makes such numbers.
    private static let largestStep = 1 << 40

    /// Reads a line: a step and a loss, and numbers or `null` for all else.
    ///
    /// - Throws: `Failure.badData` naming the member.
    public init(json: JSON) throws {
        func number(_ key: String) throws -> Double {
            guard json[key] != nil else { return .nan }
            return try json.require(key, "a number or null") { $0.isNull ? .nan : $0.number }
        }
        let step = try json.naturalNumber("step")
        guard step <= Self.largestStep else {
            throw Failure(
                .badData,
                at: "'step'",
                "found \(step); expected at most \(Self.largestStep)"
            )
        }
        let hasTokens = json["tokens"].map { !$0.isNull } ?? false
        self.init(
            step: step,
            loss: try json.require("loss", "a number or null") { $0.isNull ? .nan : $0.number },
            learningRate: try number("learning_rate"),
            gradientNorm: try number("gradient_norm"),
            tokens: hasTokens ? try json.naturalNumber("tokens") : nil,
            seconds: try number("seconds"),
            more: (json.object?.members ?? []).compactMap { key, value in
                guard !Self.members.contains(key) else { return nil }
                return (value.isNull ? .nan : value.number).map { (key, $0) }
            }
        )
    }
}

/// The metrics of a training run, `metrics.jsonl`: one line a step.
///
/// A crash of the machine can leave zeros or garbage in the middle of a file that was appended to.
/// The rows on both sides of such a place are good, and are kept.
public struct MetricsFile: Sendable {
    /// Where the file is.
    public let path: String
    /// The good rows in the order of their steps; a step written twice counts as written last.
    public let rows: [StepMetrics]
    /// The numbers of lines that are no rows.
    public let damagedLines: [Int]

    /// Reads a file; one that is not there has no rows.
    ///
    /// - Throws: `Failure.missingInput` when it is there and cannot be read.
    public init(_ path: String) throws {
        self.path = path
        var found: [Int: StepMetrics] = [:]
        if FileManager.default.fileExists(atPath: path) {
            damagedLines = try JSONLines.salvage(path, StepMetrics.init(json:)) {
                found[$0.record.step] = $0.record
            }
            .map(\.line)
        } else {
            damagedLines = []
        }
        rows = found.values.sorted { $0.step < $1.step }
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
