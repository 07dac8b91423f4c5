import Foundation
import Testing

@testable import Reports
@testable import Scoring
@testable import Statistics

@Suite struct ReportPageTests {
    @Test func pageNeedsNothingFromOutside() throws {
        let page = try ReportPage(model: ReportExample.realistic()).html()
            .replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
        for reference in ["http:", "https:", "//cdn", "src=", "@import", "url(", "<link", "<img"] {
            #expect(!page.contains(reference), "\(reference)")
        }
        #expect(page.hasPrefix("<!DOCTYPE html>"))
        #expect(page.contains("default-src 'none'"))
    }

    /// The template is written as XML too, so that a parser can find any text that escaped.
    @Test func pageIsWellFormedWhateverTheTexts() throws {
        for model in [ReportExample.realistic(), ReportExample.hostile()] {
            let parsed = ParsedXML(try ReportPage(model: model).html())
            #expect(parsed.error == nil)
            let names = Set(parsed.elements.map(\.name))
            #expect(!names.contains("b"))
            #expect(parsed.elements.count { $0.name == "script" } == 1)
            let ids = parsed.elements.compactMap { $0.attributes["id"] }
            #expect(Set(ids).count == ids.count)
            let handlers = parsed.elements.flatMap { $0.attributes.keys }.filter {
                $0.hasPrefix("on")
            }
            #expect(handlers.isEmpty)
        }
    }

    @Test func quotesWithCombiningMarksAreEscaped() {
        #expect(Markup.escape("\"\u{301}") == "&quot;\u{301}")
        #expect(Markup.escape("<\u{338}a>") == "&lt;\u{338}a&gt;")
        #expect(Markup.escape("a\u{0}\u{1B}\u{85}\tb\n") == "a\u{FFFD}\u{FFFD}\u{FFFD}\tb\n")
    }

    @Test func pageTellsWhatIsMissing() throws {
        for (name, model) in ReportExample.edgeCases() {
            let page = try ReportPage(model: model).html()
            #expect(ParsedXML(page).error == nil, "\(name)")
            #expect(!page.contains(">nan") && !page.contains("[nan"), "\(name)")
            #expect(!page.contains("Optional("), "\(name)")
        }
        let empty = try ReportPage(model: ReportModel(experiment: "none")).html()
        #expect(empty.contains("No arm has been scored yet."))
        #expect(empty.contains("Nothing has been scored yet"))
        #expect(!empty.contains("<figure"))
        #expect(!empty.contains("Sample traces"))
    }

    @Test func summaryIsMadeFromTheNumbers() {
        func plain(_ text: String) -> String { text.replacing("\u{A0}", with: " ") }
        #expect(
            plain(Summary(model: ReportExample.small()).paragraph) == """
                On average over 2 benchmarks (180 questions, 3 seeds), the share of right answers \
                is 37.5 % [30.0, 45.0] for base. Differences in percentage points: rsd, 1 % − base: \
                −0.5 [−5.0, +4.0] (not distinguishable). “Not distinguishable” does not mean equal: \
                a true difference below about 5.0 points could go unseen here.
                """
        )
        let oneArm = ReportExample.edgeCases()[1].model
        #expect(
            plain(Summary(model: oneArm).paragraph) == """
                On b (10 questions, 1 seed), the share of right answers is 30.0 % for only. There is \
                no comparison between arms to report.
                """
        )
    }

    @Test func manyDifferencesAreToldByVerdict() {
        var model = ReportExample.small()
        let average = model.scores.first { $0.arm == "rsd, 1 %" && $0.benchmark == nil }
        for index in 1...9 {
            guard var score = average, var difference = score.difference else { continue }
            difference.estimate = Double(index - 2) / 100
            difference.verdict = index == 1 ? .worse : index < 4 ? .notDistinguishable : .better
            (score.arm, score.difference) = ("a\(index)", difference)
            model.arms.append(.init(name: score.arm))
            model.scores.append(score)
        }
        let text = Summary(model: model).paragraph.replacing("\u{A0}", with: " ")
        #expect(
            text.contains(
                "10 arms against base, in percentage points. Better: a9 +7.0, a8 +6.0, a7 +5.0, a6 "
                    + "+4.0, a5 +3.0, a4 +2.0. Worse: a1 −1.0. Not distinguishable: a3 +1.0, rsd, 1 % "
                    + "−0.5, a2 0.0. “Not"
            ),
            "\(text)"
        )
    }

    @Test func sampleTracesSayWhoWroteWhat() throws {
        let page = try ReportPage(model: ReportExample.realistic()).html()
        #expect(
            page.contains(
                "<span class=\"token student\" tabindex=\"0\" title=\"“7-5=2,”, written by the "
                    + "student; P_S 61 %, P_T 2.0 %\">7-5=2,</span>"
            )
        )
        #expect(page.contains("<span class=\"token teacher low\" tabindex=\"0\""))
        // One tab stop for each of the two traces; arrow keys move inside.
        #expect(page.ranges(of: "tabindex=\"0\" title=").count == 2)
    }

    @Test func filesAreNamedAndComplete() throws {
        let files = try ReportFiles.render(ReportExample.realistic())
        #expect(
            files.map(\.path) == [
                "table.md", "table.csv", "table.tex", "questions.csv", "answers.csv", "seeds.csv",
                "traces.csv", "sweeps.csv", "curve.csv", "costs.md", "costs.csv",
                "plots/differences.svg",
                "plots/accuracy.svg", "plots/questions.svg", "plots/costs.svg",
                "plots/shares.svg", "plots/acceptance.svg", "plots/probabilities.svg",
                "plots/improbable-by-position.svg",
                "plots/refused-by-position.svg", "plots/loss.svg", "plots/curve.svg",
                "plots/sweep-1.svg",
                "plots/sweep-2.svg", "report.html",
            ]
        )
        #expect(files == (try ReportFiles.render(ReportExample.realistic())))
    }

    /// Set RSD_REPORT_PREVIEW to a folder to look at the example report in a browser.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["RSD_REPORT_PREVIEW"] != nil))
    func writesPreview() throws {
        let folder = ProcessInfo.processInfo.environment["RSD_REPORT_PREVIEW"] ?? "."
        for file in try ReportFiles.render(ReportExample.realistic()) {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(file.path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try file.text.write(to: url, atomically: true, encoding: .utf8)
        }
    }
}
