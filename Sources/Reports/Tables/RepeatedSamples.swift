import Basics

/// What several samples of a question add to their average: whether any is right, whether most are,
/// and whether the one is that the model itself names.
///
/// Of two samples neither is in the majority, so maj@k begins at three.
struct RepeatedSamples {
    /// What is shown.
    let model: ReportModel

    /// A measure on a benchmark.
    private struct Column {
        var title: String
        var value: (String) -> Double?
    }

    /// The benchmarks with more than one sample, each with its pass@k, maj@k and rank@k.
    private var columns: [Column] {
        model.benchmarks.flatMap { benchmark -> [Column] in
            let k =
                model.scores.filter { $0.benchmark == benchmark }
                .map(\.samplesPerQuestion).max() ?? 0
            guard k > 1 else { return [] }
            func score(_ arm: String) -> ReportModel.Score? {
                model.score(arm: arm, benchmark: benchmark)
            }
            return [
                Column(title: "\(benchmark) pass@\(k)") { score($0)?.passAtK },
                Column(title: "\(benchmark) maj@\(k)") { k > 2 ? score($0)?.majorityAtK : nil },
                Column(title: "\(benchmark) rank@\(k)") { score($0)?.rankedAtK },
            ].filter { column in model.arms.contains { column.value($0.name) != nil } }
        }
    }

    /// The headings behind that of the arms; empty where every question has one sample.
    var headings: [String] { columns.map(\.title) }

    /// One row an arm, in per cent.
    var rows: [(arm: String, cells: [String])] {
        let columns = columns
        guard !columns.isEmpty else { return [] }
        return model.arms.map { arm in
            (arm.name, columns.map { NumberText.percent($0.value(arm.name)) })
        }
    }
}
