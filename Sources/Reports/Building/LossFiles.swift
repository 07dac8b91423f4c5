import Basics
import Experiments
import Foundation
import Records
import Statistics

/// The training losses that the runs left behind.
enum LossFiles {
    /// The most points of one curve; longer ones are averaged over neighbouring steps.
    static let mostPoints = 200

    /// One curve an arm and seed that has been trained and whose metrics are there.
    ///
    /// Damaged lines, steps without a row, and a file that is not the one that training wrote are
    /// told of.
    ///
    /// - Throws: `Failure.missingInput` for a file that is there and cannot be read.
    static func curves(
        _ layout: RunLayout,
        warn: (String) -> Void = { StandardError.write(line: $0) }
    ) throws -> [ReportModel.LossCurve] {
        let experiment = layout.experiment
        return try experiment.arms.flatMap { arm in
            try experiment.seeds.compactMap { seed -> ReportModel.LossCurve? in
                guard let stage = try? layout.training(arm, seed: seed) else { return nil }
                let path = stage.file("metrics.jsonl")
                guard FileManager.default.fileExists(atPath: path) else { return nil }
                var isTold = false
                let points = try read(path, upTo: stepCount(stage)) {
                    isTold = true
                    warn($0)
                }
                // Damage that left every line readable.
                do { if !isTold { try stage.checkOutput("metrics.jsonl") } } catch let failure
                    as Failure
                {
                    warn("warning: \(path): \(failure.message); the plot shows it as it is")
                }
                guard !points.isEmpty else { return nil }
                return .init(
                    arm: arm.name,
                    label: experiment.seeds.count > 1 ? "seed \(seed)" : "",
                    points: points
                )
            }
        }
    }

    /// How many steps a finished training had, by its manifest; nil while it is not finished.
    private static func stepCount(_ stage: Stage) -> Int? {
        guard stage.state == .finished else { return nil }
        return (try? TextFile.readJSON(stage.manifest))?["results"]?["steps"]?.integer
    }

    /// The losses of a metrics file; a step written twice counts as it was written last.
    ///
    /// A loss that is no number is stored as null, and has no place on a plot.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - end: How many steps there were; nil where that is not known.
    ///   - warn: Is told of damaged lines and of steps without a row.
    /// - Returns: The points of a curve, in the order of their steps.
    /// - Throws: `Failure.missingInput` for a file that is there and cannot be read.
    static func read(
        _ path: String,
        upTo end: Int? = nil,
        warn: (String) -> Void = { StandardError.write(line: $0) }
    ) throws -> [ReportModel.LossPoint] {
        let metrics = try MetricsFile(path)
        if let warning = metrics.warning(upTo: end) { warn(warning) }
        return thinned(
            metrics.rows.compactMap { row in
                row.loss.isFinite ? .init(step: row.step, loss: row.loss) : nil
            }
        )
    }

    /// At most `mostPoints` points: means over neighbouring steps.
    static func thinned(_ points: [ReportModel.LossPoint]) -> [ReportModel.LossPoint] {
        guard points.count > mostPoints else { return points }
        let width = (points.count + mostPoints - 1) / mostPoints
        return stride(from: 0, to: points.count, by: width).map { start in
            let group = points[start..<min(start + width, points.count)]
            return .init(
                step: group[group.startIndex + group.count / 2].step,
                loss: Moments.mean(group.map(\.loss))
            )
        }
    }
}
