import Experiments
import Files
import Foundation

/// The training losses that the runs left behind.
enum LossFiles {
    /// The most points of one curve; longer ones are averaged over neighbouring steps.
    static let mostPoints = 200

    /// One curve an arm and seed that has been trained and whose metrics are there.
    ///
    /// - Throws: `Failure.badData` naming file and line of a malformed record.
    static func curves(_ layout: RunLayout) throws -> [ReportModel.LossCurve] {
        let experiment = layout.experiment
        return try experiment.arms.flatMap { arm in
            try experiment.seeds.compactMap { seed -> ReportModel.LossCurve? in
                guard let stage = try? layout.training(arm, seed: seed) else { return nil }
                let path = stage.file("metrics.jsonl")
                guard FileManager.default.fileExists(atPath: path) else { return nil }
                let points = try read(path)
                guard !points.isEmpty else { return nil }
                return .init(
                    arm: arm.name,
                    label: experiment.seeds.count > 1 ? "seed \(seed)" : "",
                    points: points
                )
            }
        }
    }

    /// The losses of a metrics file; a step written twice counts as it was written last.
    static func read(_ path: String) throws -> [ReportModel.LossPoint] {
        let points = try JSONLines.read(path, tornTail: .drop) { json -> ReportModel.LossPoint? in
            // A loss that is no number is stored as null, and has no place on a plot.
            guard json["loss"]?.isNull == false else { return nil }
            return .init(step: try json.integer("step"), loss: try json.number("loss"))
        }.compactMap(\.self)
        let latest = Dictionary(points.map { ($0.step, $0.loss) }) { _, last in last }
        return thinned(latest.keys.sorted().map { .init(step: $0, loss: latest[$0] ?? .nan) })
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
