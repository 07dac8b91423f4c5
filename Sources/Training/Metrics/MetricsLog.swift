import Basics
import Records

/// Something that is told of every step of a training run.
///
/// A sink is opened once the step is known that a run begins or goes on with. It holds nothing back: a
/// run that is killed has told it of every step that was done.
public protocol MetricsSink {
    /// Adds a step.
    ///
    /// - Throws: `Failure.disk`.
    func append(_ metrics: StepMetrics) throws
}

/// Opens a sink at a step: what it holds of that step and later ones goes, as they are done again.
///
/// `history` has the metrics of the earlier steps, in order, as far as they are known.
public typealias OpenMetricsSink = (_ step: Int, _ history: [StepMetrics]) throws -> any MetricsSink

/// The metrics of a run: what is known of its earlier steps, and the sinks that hear of the next.
public struct MetricsLog: MetricsSink {
    private let sinks: [any MetricsSink]

    /// Opens sinks without the steps that will be done again.
    ///
    /// Damage in `metrics.jsonl` costs the rows it hit, and `warn` is told of it: the checkpoint that
    /// the run goes on from is whole without them.
    ///
    /// - Parameters:
    ///   - folder: The stage's, which has `metrics.jsonl`.
    ///   - step: The step that the run begins or goes on with.
    ///   - sinks: Opens each sink.
    ///   - warn: Hears what is lost.
    /// - Throws: `Failure.disk`; `Failure.missingInput` when the earlier metrics cannot be read.
    public init(
        folder: String,
        at step: Int,
        sinks: [OpenMetricsSink],
        warn: (String) -> Void
    ) throws {
        let found = try MetricsFile("\(folder)/\(JSONLinesSink.name)")
        if let warning = found.warning(upTo: step) { warn(warning) }
        let history = found.rows.filter { $0.step < step }
        self.sinks = try sinks.map { try $0(step, history) }
    }

    /// The sinks of every run: files in the stage's folder.
    public static func files(in folder: String) -> [OpenMetricsSink] {
        [
            { try JSONLinesSink(folder: folder, history: $1) },
            { try CSVSink(folder: folder, history: $1) },
            { step, _ in try EventFile(folder: folder, keepingStepsBelow: step) },
        ]
    }

    /// Adds a step to every sink.
    public func append(_ metrics: StepMetrics) throws {
        for sink in sinks { try sink.append(metrics) }
    }
}
