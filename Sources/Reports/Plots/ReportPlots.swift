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
    /// Exact acceptance against the threshold.
    let acceptance: Plot?
    /// Where in the traces improbable tokens are, and refusals.
    let positions: [Plot]
    /// Training losses.
    let loss: Plot?
    /// Accuracy after some steps of training.
    let curve: Plot?
    /// Which questions each arm answers.
    let questions: Plot?
    /// Accuracy against what it took.
    let costs: Plot?
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
        questions = plot("questions", QuestionGridPlot(model: model, palette: palette).svg)
        costs = plot("costs", CostPlot(model: model, palette: palette).svg)
        let curves = TraceCurves(model: model)
        func curve(_ name: String, _ sweep: ReportModel.Sweep?) -> Plot? {
            sweep.flatMap { sweep in
                let own = SweepPlot(
                    sweep: sweep,
                    id: name,
                    palette: palette,
                    confidence: model.confidence
                )
                return plot(name, own.svg)
            }
        }
        acceptance = curve("acceptance", curves.acceptance)
        self.curve = curve("curve", model.accuracyOverTraining)
        positions = [
            curve("improbable-by-position", curves.improbableByPosition),
            curve("refused-by-position", curves.refusedByPosition),
        ].compactMap(\.self)
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
        [differences, accuracy, questions, costs, shares, acceptance, probabilities].compactMap(
            \.self
        )
            + positions + [loss, curve].compactMap(\.self) + sweeps
    }
}
