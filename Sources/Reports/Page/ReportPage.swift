import Basics
import Mustache

/// The report as one HTML page that needs nothing from outside: plots, styles and all.
///
/// The template is Page/Templates/report.mustache; this type turns the model into what the
/// template names. Every text goes through `Markup.escape`; only the plots are put in as they are.
struct ReportPage {
    /// What is shown.
    let model: ReportModel

    /// The page.
    ///
    /// - Returns: A complete HTML document.
    /// - Throws: `Failure` of kind `failed` if the template that was built in cannot be read.
    func html() throws -> String {
        MustacheContentTypes.register(ScalarEscaping(), named: "ESCAPED")
        let text = String(decoding: PackageResources.report_mustache, as: UTF8.self)
        do {
            return try MustacheTemplate(string: text).render(view)
        } catch {
            throw Failure(
                .failed,
                file: "report.mustache",
                "the page's template is malformed: \(error)"
            )
        }
    }

    /// Escapes by scalars; the template engine's own escape goes by characters, and lets a quote
    /// with a combining mark through.
    private struct ScalarEscaping: MustacheContentType {
        func escapeText(_ text: String) -> String { Markup.escape(text) }
    }

    private var view: [String: Any] {
        let plots = ReportPlots(model)
        let palette = Palette(model)
        let tables = ReportPageTables(model: model, palette: palette)
        var view: [String: Any] = [
            "experiment": model.experiment,
            "summary": Summary(model: model).paragraph,
            "legend": Legend(model: model).lines,
            "warnings": model.warnings,
            "styles": Self.seriesStyles,
            "whole": tables.heading(model.headline), "parts": tables.parts.map(tables.heading),
            "rows": tables.rows,
            "hasRows": !model.arms.isEmpty && (!model.scores.isEmpty || model.sweeps.isEmpty),
            "level": NumberText.fixed(model.confidence * 100, decimals: 0),
            "details": tables.details,
            "armNotes": tables.armNotes,
            "contrasts": tables.contrasts,
            "traces": tables.traces,
            "seedHeadings": tables.seedHeadings,
            "seedRows": tables.seedRows,
            "seedDifferences": tables.seedDifferences,
            "hasSeedDifferences": model.seedComparisons.contains { $0.seeds.count > 1 },
            "samples": model.samples.enumerated().map { index, sample in
                SampleTraceView(sample: sample, number: index + 1, palette: palette).view
            },
            "answerLists": AnswerListView(model: model, palette: palette).lists,
            "hasAnswers": !model.answers.isEmpty,
            "manifest": model.manifest.map { ["key": $0.key, "value": $0.value] },
            "sweeps": plots.sweeps.map(\.svg),
            "positionPlots": plots.positions.map(\.svg),
            "repeatedHeadings": RepeatedSamples(model: model).headings,
            "repeatedRows": tables.repeatedRows,
            "lowTokenArms": tables.lowTokenArms,
            "lowTokenRows": tables.lowTokenRows,
            "hasLowTokens": !tables.lowTokenRows.isEmpty,
            "costHeadings": tables.costHeadings, "costRows": tables.costRows,
            "costNotes": CostTable.notes, "hasCosts": !model.costs.isEmpty,
            "hasTraining": plots.loss != nil || plots.curve != nil,
        ]
        // An empty text would still open its section, so it is left out.
        if !model.overview.isEmpty { view["overview"] = model.overview }
        if let base = model.baseArm { view["base"] = base }
        let named: [(String, ReportPlots.Plot?)] = [
            ("accuracyPlot", plots.accuracy), ("differencesPlot", plots.differences),
            ("sharesPlot", plots.shares), ("probabilitiesPlot", plots.probabilities),
            ("lossPlot", plots.loss), ("acceptancePlot", plots.acceptance),
            ("questionsPlot", plots.questions), ("costsPlot", plots.costs),
            ("curvePlot", plots.curve),
        ]
        for (key, plot) in named { view[key] = plot?.svg }
        for (key, isShown) in [
            ("hasArmNotes", !tables.armNotes.isEmpty), ("hasDetails", !tables.details.isEmpty),
            ("hasRepeated", !tables.repeatedRows.isEmpty),
            ("hasGuesses", model.hasGuesses), ("hasContrasts", !tables.contrasts.isEmpty),
            ("hasTraces", !model.traces.isEmpty), ("hasSeeds", !tables.seedRows.isEmpty),
            ("hasSamples", !model.samples.isEmpty), ("hasManifest", !model.manifest.isEmpty),
            ("hasSweeps", !plots.sweeps.isEmpty),
        ] {
            view[key] = isShown
        }
        return view
    }

    /// The arms' colours as style rules, on light and on dark paper.
    private static var seriesStyles: String {
        func rules(_ colors: [String], _ base: String) -> String {
            colors.enumerated().map { "--series-\($0.offset + 1):\($0.element);" }.joined()
                + "--series-base:\(base);"
        }
        let light = rules(Palette.colors, Palette.baseColors.light)
        let dark = rules(Palette.darkColors, Palette.baseColors.dark)
        let roles = Palette.colors.indices.map { "series-\($0 + 1)" } + ["series-base"]
        let classes = roles.map { ".\($0){color:var(--\($0))}" }.joined()
        return ":root{\(light)}@media screen and (prefers-color-scheme:dark){:root{\(dark)}}"
            + classes
    }
}
