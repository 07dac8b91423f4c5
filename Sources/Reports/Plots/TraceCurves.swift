import Records

/// What is known of the traces against a threshold or a place, as curves of the arms.
///
/// Arms that share their tries have one curve, named after the first of them.
struct TraceCurves {
    /// What is shown.
    let model: ReportModel

    /// The exact share of the teacher's proposals that a threshold lets through; nil where no
    /// threshold was asked about.
    var acceptance: ReportModel.Sweep? {
        sweep(
            "Proposals accepted against the threshold",
            "Exact, from both distributions along the tries.",
            xLabel: "acceptance threshold p_th, %",
            yLabel: "proposals accepted, %",
            isLogarithmic: true
        ) { trace in
            trace.acceptanceByThreshold.map { ($0.threshold, $0.share) }
        }
    }

    /// Where in the traces the tokens below 1 % are.
    var improbableByPosition: ReportModel.Sweep? {
        sweep(
            "Where the improbable tokens are",
            "Tokens with P_S below 1 % among those in each tenth of a trace.",
            xLabel: "place in the trace, % of its length",
            yLabel: "tokens below 1 %, %"
        ) { places($0.lowByPosition) }
    }

    /// Where in the tries proposals are refused.
    var refusedByPosition: ReportModel.Sweep? {
        sweep(
            "Where proposals are refused",
            "Positions with a refusal among those in each tenth of a try.",
            xLabel: "place in the try, % of its length",
            yLabel: "positions refused, %"
        ) { places($0.refusedByPosition) }
    }

    /// Shares at the middles of the parts.
    private func places(_ shares: [Double]) -> [(Double, Double)] {
        shares.enumerated().map { part, share in
            (100 * (Double(part) + 0.5) / Double(shares.count), share)
        }
    }

    private func sweep(
        _ title: String,
        _ note: String,
        xLabel: String,
        yLabel: String,
        isLogarithmic: Bool = false,
        _ points: (TraceStatistics) -> [(Double, Double)]
    ) -> ReportModel.Sweep? {
        var series: [ReportModel.SweepSeries] = []
        var same: [String: [String]] = [:]
        for trace in model.traces {
            let own = points(trace).map { ReportModel.SweepPoint(x: $0.0, value: $0.1) }
            guard !own.isEmpty else { continue }
            if let known = series.first(where: { $0.points == own }) {
                same[known.name, default: []].append(trace.arm)
            } else {
                series.append(.init(name: trace.arm, points: own))
            }
        }
        guard !series.isEmpty else { return nil }
        let notes = series.compactMap { own in
            same[own.name].map { "\(own.name) stands for \($0.joined(separator: ", ")) too." }
        }
        return .init(
            title: title,
            note: ([note] + notes).joined(separator: " "),
            xLabel: xLabel,
            xFormat: isLogarithmic ? .percent : .plain,
            xIsLogarithmic: isLogarithmic,
            yLabel: yLabel,
            yFormat: .percent,
            series: series
        )
    }
}
