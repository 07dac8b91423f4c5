import Basics
import Records

/// The page's tables as the template reads them: dictionaries of text.
struct ReportPageTables {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// The columns beside the headline: every benchmark that is not itself the headline.
    var parts: [String?] { model.columns.filter { $0 != model.headline } }

    /// The heading of a column of the headline table.
    func heading(_ column: String?) -> [String: Any] {
        let questions = Set(model.scores.filter { $0.benchmark == column }.map(\.questions))
        let count = questions.count == 1 ? questions.first : nil
        return [
            "name": column ?? "Average",
            "note": count.map { NumberText.counted($0, "question") } ?? "",
        ]
    }

    /// The rows of the headline table.
    var rows: [[String: Any]] {
        model.arms.map { arm in
            func cell(_ column: String?) -> [String: Any] {
                let score = model.score(arm: arm.name, benchmark: column)
                return [
                    "name": column ?? "Average",
                    "value": NumberText.percent(score?.accuracy),
                    "interval": NumberText.percent(score?.interval),
                ]
            }
            let difference = model.score(arm: arm.name, benchmark: model.headline)?.difference
            var row = swatch(arm.name)
            row["whole"] = cell(model.headline)
            row["parts"] = parts.map(cell)
            row["difference"] = NumberText.points(difference?.estimate)
            row["differenceInterval"] = NumberText.points(difference?.interval)
            // An absent value leaves its line out; an empty text would not.
            row["detectable"] = difference?.minimumDetectable.map { NumberText.percent($0) }
            row["limit"] = difference?.limit.map { _ in "detectable: not known" }
            row["p"] = NumberText.pPhrase(difference?.adjustedPValue ?? difference?.pValue)
            row["chip"] = difference.map { chip($0.verdict) }
            row["isBase"] = arm.name == model.baseArm
            return row
        }
    }

    /// One sentence for each comparison of two arms other than the base.
    var contrasts: [String] { Summary(model: model).contrasts }

    /// What the arms are, where the model says so.
    var armNotes: [[String: Any]] {
        model.arms.filter { !$0.summary.isEmpty }.map { arm in
            var note = swatch(arm.name)
            note["summary"] = arm.summary
            return note
        }
    }

    /// Every number of every arm and benchmark.
    var details: [[String: Any]] {
        model.arms.flatMap { arm in
            model.columns.compactMap { column -> [String: Any]? in
                guard let score = model.score(arm: arm.name, benchmark: column) else { return nil }
                let difference = score.difference
                var row = swatch(arm.name)
                row["benchmark"] = column ?? "average"
                row["accuracy"] = NumberText.percent(score.accuracy)
                row["interval"] = NumberText.percent(score.interval)
                row["questions"] = NumberText.count(score.questions)
                row["repeats"] =
                    NumberText.counted(score.samplesPerQuestion, "sample") + ", "
                    + NumberText.counted(score.seeds, "seed")
                row["difference"] = NumberText.points(difference?.estimate)
                row["differenceInterval"] = NumberText.points(difference?.interval)
                row["p"] = NumberText.pValue(difference?.pValue)
                row["adjustedP"] = NumberText.pValue(difference?.adjustedPValue)
                row["detectable"] = NumberText.percent(difference?.minimumDetectable)
                row["chip"] = difference.map { chip($0.verdict) }
                row["unparsed"] = NumberText.share(score.unparsedShare)
                if model.hasGuesses { row["guessed"] = NumberText.share(score.guessedShare) }
                row["truncated"] = NumberText.share(score.truncatedShare)
                return row
            }
        }
    }

    /// The rows of the table of several samples a question.
    var repeatedRows: [[String: Any]] {
        RepeatedSamples(model: model).rows.map { arm, cells in
            var row = swatch(arm)
            row["cells"] = cells
            return row
        }
    }

    /// The headings of the table of costs, behind those of arm and accuracy.
    var costHeadings: [[String: Any]] {
        CostTable(model: model).columns.map { ["name": $0.name, "note": $0.note] }
    }

    /// One row an arm: its accuracy and what it took.
    var costRows: [[String: Any]] {
        let columns = CostTable(model: model).columns
        return model.arms.map { arm in
            let score = model.score(arm: arm.name, benchmark: model.headline)
            var row = swatch(arm.name)
            row["accuracy"] = NumberText.percent(score?.accuracy)
            row["interval"] = NumberText.percent(score?.interval)
            row["cells"] = columns.map { $0.text(arm.name) }
            return row
        }
    }

    /// One row an arm with traces.
    var traces: [[String: Any]] {
        model.traces.map { trace in
            var row = swatch(trace.arm)
            row["kept"] = NumberText.count(trace.problemsWithTrace)
            row["problems"] = NumberText.count(trace.problems)
            row["tries"] = NumberText.count(trace.tries)
            row["right"] = NumberText.share(trace.agreement.right)
            row["equal"] = NumberText.share(trace.agreement.equalPairs)
            row["surprise"] =
                trace.meanSurprise.map { NumberText.fixed($0, decimals: 2) } ?? NumberText.unknown
            row["lengthRange"] =
                trace.lengthRange.map { low, high in
                    "10–90 %: \(NumberText.fixed(low, decimals: 0))–"
                        + NumberText.fixed(high, decimals: 0)
                } ?? ""
            row["acceptance"] = NumberText.share(trace.acceptance)
            row["fallback"] = NumberText.share(trace.fallbackShare)
            row["low"] = NumberText.share(trace.shareBelowOnePercent)
            row["lower"] = NumberText.share(trace.shareBelowTenthPercent)
            row["length"] =
                trace.meanTraceLength.map { NumberText.fixed($0, decimals: 0) }
                ?? NumberText.unknown
            return row
        }
    }

    private var tracesWithLowTokens: [TraceStatistics] {
        model.traces.filter { !$0.lowTokens.isEmpty }
    }

    /// The headings of the table of improbable tokens.
    var lowTokenArms: [[String: Any]] { tracesWithLowTokens.map { swatch($0.arm) } }

    /// The rows of the table of improbable tokens, one a rank.
    var lowTokenRows: [[String: Any]] {
        let traces = tracesWithLowTokens
        let most = min(10, traces.map(\.lowTokens.count).max() ?? 0)
        return (0..<most).map { rank in
            [
                "cells": traces.map { trace -> [String: Any] in
                    guard rank < trace.lowTokens.count else { return ["text": "", "share": ""] }
                    let token = trace.lowTokens[rank]
                    return [
                        "text": token.text.withSignsForSpaces,
                        "share": NumberText.share(token.share),
                    ]
                }
            ]
        }
    }

    private var seeds: [UInt64] { Array(Set(model.seedAverages.map(\.seed))).sorted() }

    /// The headings of the per-seed table.
    var seedHeadings: [String] { seeds.map { "seed \($0)" } }

    /// One row for each arm that has a score under some seed.
    var seedRows: [[String: Any]] {
        model.arms.compactMap { arm in
            let own = model.seedAverages.filter { $0.arm == arm.name }
            guard !own.isEmpty else { return nil }
            let values = seeds.map { seed in own.first { $0.seed == seed }?.accuracy }
            let finite = values.compactMap(\.self).filter(\.isFinite)
            var row = swatch(arm.name)
            row["values"] = values.map { NumberText.percent($0) }
            row["lowest"] = NumberText.percent(finite.min())
            row["highest"] = NumberText.percent(finite.max())
            return row
        }
    }

    /// One row for each comparison of averages under every seed.
    var seedDifferences: [[String: Any]] {
        model.seedComparisons.map { own in
            let bySeed = Dictionary(
                zip(own.seeds, own.differences),
                uniquingKeysWith: { first, _ in first }
            )
            var row = swatch(own.arm)
            row["arm"] = "\(own.arm) − \(own.other)"
            row["values"] = seeds.map { NumberText.points(bySeed[$0]) }
            row["sameSign"] = "\(own.sameSign) of \(own.seeds.count)"
            row["tP"] = NumberText.pValue(own.tP)
            row["signFlipP"] = NumberText.pValue(own.signFlipP)
            row["overQuestions"] = NumberText.points(own.overQuestions)
            row["overQuestionsP"] = NumberText.pValue(own.overQuestionsP)
            return row
        }
    }

    private func swatch(_ arm: String) -> [String: Any] {
        ["arm": arm, "swatch": palette.swatch(of: arm)]
    }

    private func chip(_ verdict: ReportModel.Verdict) -> [String: Any] {
        switch verdict {
        case .better: ["kind": "better", "sign": "▲", "text": verdict.rawValue]
        case .worse: ["kind": "worse", "sign": "▼", "text": verdict.rawValue]
        case .notDistinguishable: ["kind": "open", "sign": "○", "text": verdict.rawValue]
        }
    }
}

extension Palette {
    /// An arm's marker as a small picture beside its name; hidden from screen readers.
    func swatch(of name: String) -> String {
        let style = style(of: name)
        let mark = SVGElement.group(
            style.role,
            color: style.color,
            [style.marker.element(x: 7, y: 7, radius: 5)]
        )
        return SVGElement(
            "svg",
            [
                "class": "swatch", "viewBox": "0 0 14 14", "width": 14, "height": 14,
                "aria-hidden": "true",
            ],
            children: [mark]
        ).markup
    }
}
