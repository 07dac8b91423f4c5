/// All plots of a report; those without data are left out.
struct ReportPlots {
    /// One plot.
    struct Plot: Equatable, Sendable {
        /// Its file name without the ending, and its id within a page.
        var name: String
        /// A complete SVG document.
        var svg: String
    }

    /// Accuracy of every arm and benchmark.
    let accuracy: Plot?
    /// Differences to the base arm.
    let differences: Plot?
    /// Acceptance and low-probability shares.
    let shares: Plot?
    /// Histograms of log10 P_S.
    let probabilities: Plot?
    /// Training losses.
    let loss: Plot?
    /// One plot a sweep.
    let sweeps: [Plot]

    /// Draws the plots of a report.
    init(_ model: ReportModel) {
        let palette = Palette(model)
        func plot(_ name: String, _ svg: String?) -> Plot? {
            svg.map { Plot(name: name, svg: $0) }
        }
        accuracy = plot("accuracy", AccuracyPlot(model: model, palette: palette).svg)
        differences = plot("differences", ForestPlot(model: model, palette: palette).svg)
        shares = plot("shares", ShareBars(model: model, palette: palette).svg)
        probabilities = plot("probabilities", ProbabilityPlot(model: model, palette: palette).svg)
        loss = plot("loss", LossPlot(model: model, palette: palette).svg)
        sweeps = model.sweeps.enumerated().compactMap { index, sweep in
            let name = "sweep-\(index + 1)"
            return plot(
                name,
                SweepPlot(sweep: sweep, id: name, palette: palette, confidence: model.confidence)
                    .svg
            )
        }
    }

    /// The plots there are, in the order of the page.
    var all: [Plot] {
        [differences, accuracy, shares, probabilities, loss].compactMap(\.self) + sweeps
    }
}
