/// All files of a report as text; the command only has to write them.
struct ReportFiles {
    /// One file.
    struct File: Equatable, Sendable {
        /// Its path within the report's folder.
        var path: String
        /// Its text, UTF-8 when written.
        var text: String
    }

    /// Renders a report.
    ///
    /// - Parameter model: What is shown.
    /// - Returns: table.md, table.csv, table.tex, questions.csv, answers.csv, seeds.csv, seed-differences.csv,
    ///   traces.csv, sweeps.csv, curve.csv, costs.md and costs.csv where there is something to tell,
    ///   plots/NAME.svg, and report.html.
    /// - Throws: `Failure` if the page's template is malformed.
    static func render(_ model: ReportModel) throws -> [File] {
        let csv = ResultCSV(model: model)
        var files = [
            File(path: "table.md", text: ResultTable(model: model).markdown),
            File(path: "table.csv", text: csv.scores),
        ]
        let latex = LatexTable(model: model).text
        if !latex.isEmpty { files.append(File(path: "table.tex", text: latex)) }
        if !model.questionGrids.isEmpty {
            files.append(File(path: "questions.csv", text: csv.questions))
        }
        if !model.answers.isEmpty { files.append(File(path: "answers.csv", text: csv.answers)) }
        if !model.seedAverages.isEmpty { files.append(File(path: "seeds.csv", text: csv.seeds)) }
        if !model.seedComparisons.isEmpty {
            files.append(File(path: "seed-differences.csv", text: csv.seedDifferences))
        }
        if !model.traces.isEmpty { files.append(File(path: "traces.csv", text: csv.traces)) }
        if !model.sweeps.isEmpty { files.append(File(path: "sweeps.csv", text: csv.sweeps)) }
        if !model.curves.isEmpty { files.append(File(path: "curve.csv", text: csv.curves)) }
        if !model.costs.isEmpty {
            files.append(File(path: "costs.md", text: CostTable(model: model).markdown))
            files.append(File(path: "costs.csv", text: CostFile.text(model.costs)))
        }
        files += ReportPlots(model).all.map { File(path: "plots/\($0.name).svg", text: $0.svg) }
        files.append(File(path: "report.html", text: try ReportPage(model: model).html()))
        return files
    }
}
