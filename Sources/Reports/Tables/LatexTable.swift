import Basics

/// The headline table in LaTeX, for papers; needs the package booktabs.
struct LatexTable {
    /// What is shown.
    let model: ReportModel

    /// A tabular environment, and another one where questions have several samples; empty when
    /// nothing has been scored.
    var text: String {
        let columns = model.columns
        guard !model.arms.isEmpty, !model.scores.isEmpty else { return "" }
        let hasDifferences = model.scores.contains { $0.difference != nil }
        var header = ["arm"] + columns.map { $0 ?? "average" }
        if hasDifferences { header += ["difference", "detectable", "verdict"] }
        let rows = model.arms.map { arm -> [String] in
            var cells = [Self.escape(arm.name)]
            for column in columns {
                let score = model.score(arm: arm.name, benchmark: column)
                cells.append(
                    cell(NumberText.percent(score?.accuracy), NumberText.percent(score?.interval))
                )
            }
            guard hasDifferences else { return cells }
            let own = model.score(arm: arm.name, benchmark: model.headline)?.difference
            return cells + [
                cell(NumberText.points(own?.estimate), NumberText.points(own?.interval)),
                own.map { Self.escape(NumberText.percent($0.minimumDetectable)) } ?? "--",
                own?.verdict.rawValue ?? "--",
            ]
        }
        let level = NumberText.fixed(model.confidence * 100, decimals: 0)
        let base = model.baseArm.map { "; differences to \(Self.escape($0)) in points" } ?? ""
        let samples = RepeatedSamples(model: model)
        let comment = """
            % \(Self.escape(model.experiment)): right answers in per cent with \(level)\\,\\% \
            intervals\(hasDifferences ? base : "").
            % Needs \\usepackage{booktabs}.

            """
        let setting = String(repeating: "r", count: columns.count + (hasDifferences ? 2 : 0))
        let main = Self.tabular("l" + setting + (hasDifferences ? "l" : ""), header, rows)
        guard !samples.rows.isEmpty else { return comment + main }
        let repeated = Self.tabular(
            "l" + String(repeating: "r", count: samples.headings.count),
            ["arm"] + samples.headings,
            samples.rows.map { [Self.escape($0.arm)] + $0.cells.map(Self.escape) }
        )
        return comment + main + "\n% Several samples a question, per cent.\n" + repeated
    }

    /// A tabular environment; the header is escaped here, the cells are not.
    private static func tabular(_ setting: String, _ header: [String], _ rows: [[String]])
        -> String
    {
        """
        \\begin{tabular}{\(setting)}
        \\toprule
        \(header.map(escape).joined(separator: " & ")) \\\\
        \\midrule
        \(rows.map { guarded($0.joined(separator: " & ")) + " \\\\" }.joined(separator: "\n"))
        \\bottomrule
        \\end{tabular}

        """
    }

    /// A row that the line end before it cannot take for its own option: a line end reads on for a
    /// star and for brackets.
    private static func guarded(_ row: String) -> String {
        // By scalars: a bracket with a combining mark is another `Character`, and still a bracket.
        let first = row.unicodeScalars.first
        return first == "[" || first == "*" ? "{}" + row : row
    }

    private func cell(_ value: String, _ interval: String) -> String {
        let small = interval.isEmpty ? "" : " {\\footnotesize \(Self.escape(interval))}"
        return Self.escape(value) + small
    }

    /// Text in which nothing is a command; the signs that numbers are written with as LaTeX has them.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&", "%", "$", "#", "_", "{", "}": escaped += "\\\(scalar)"
            case "~": escaped += "\\textasciitilde{}"
            case "^": escaped += "\\textasciicircum{}"
            case "\\": escaped += "\\textbackslash{}"
            case "<": escaped += "$<$"
            case ">": escaped += "$>$"
            case "−": escaped += "$-$"
            case "–": escaped += "--"
            case "\u{A0}", "\u{202F}": escaped += "\\,"
            case _ where scalar.properties.isWhitespace: escaped += " "
            case "\u{200C}", "\u{200D}": escaped.unicodeScalars.append(scalar)
            case _ where [.control, .format].contains(scalar.properties.generalCategory):
                escaped += "?"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
