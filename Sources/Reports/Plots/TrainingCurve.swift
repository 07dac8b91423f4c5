extension ReportModel {
    /// Accuracy against the optimizer step, one line an arm that was scored on the way; nil for none.
    var accuracyOverTraining: Sweep? {
        let series = arms.compactMap { arm -> SweepSeries? in
            let own = curves.filter { $0.arm == arm.name && $0.benchmark == headline }
            guard !own.isEmpty else { return nil }
            return .init(
                name: arm.name,
                points: own.map { .init(x: $0.step, value: $0.accuracy, interval: $0.interval) }
            )
        }
        guard !series.isEmpty else { return nil }
        return .init(
            title: "Accuracy over training",
            note: "From the student that training starts from to the trained one.",
            xLabel: "optimizer step",
            yLabel: headline == nil ? "average accuracy, %" : "accuracy, %",
            yFormat: .percent,
            series: series
        )
    }
}
