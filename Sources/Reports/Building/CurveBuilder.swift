import Experiments
import Scoring

extension ReportBuilder {
    /// How well students answer before, on the way through and at the end of their training, of arms that
    /// were scored on the way.
    ///
    /// - Parameter model: The report so far, with the scores of all arms and what they took.
    /// - Returns: The points, arm by arm, in the order of their steps; those of a step are over the seeds
    ///   that have come to it.
    /// - Throws: `Failure` when the table lacks a benchmark.
    func curves(_ model: ReportModel) throws -> [ReportModel.CurvePoint] {
        try experiment.arms.flatMap { arm -> [ReportModel.CurvePoint] in
            let steps = Set(table.onTheWay.filter { $0.arm == arm.name }.compactMap(\.step))
            guard !steps.isEmpty else { return [] }
            func points(_ step: Double, _ scores: [ReportModel.Score]) -> [ReportModel.CurvePoint] {
                scores.map { score in
                    .init(
                        arm: arm.name,
                        step: step,
                        benchmark: score.benchmark,
                        accuracy: score.accuracy,
                        interval: score.interval,
                        seeds: score.seeds
                    )
                }
            }
            func known(_ name: String?) -> [ReportModel.Score] {
                model.scores.filter { $0.arm == name }
            }
            var curve = points(0, known(arm.student ?? model.baseArm))
            for step in steps.sorted() {
                curve += points(Double(step), try scores(of: arm, after: step))
            }
            guard let end = model.meanCost(of: arm.name, \.steps) else { return curve }
            return curve + points(end, known(arm.name))
        }
    }

    /// An arm's scores after some step.
    private func scores(of arm: Arm, after step: Int) throws -> [ReportModel.Score] {
        let part = table.after(step, of: arm.name)
        return try rows(
            ArmScores(
                part,
                arm: arm.name,
                seeds: experiment.seeds.filter { seed in part.cells.contains { $0.seed == seed } },
                benchmarks: experiment.benchmarks.map(\.name)
            ),
            nil
        )
    }
}
