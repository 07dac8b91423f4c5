import Basics
import ExperimentSupport
import Foundation
import Testing

@testable import Experiments
@testable import Reports
@testable import Scoring
@testable import Statistics

/// Ids, problems and answers from strangers, in every output of a report.
@Suite struct HostileReportTests {
    static let texts: [String] = [
        "<script>alert(1)</script>", "</details></main><img src=x onerror=alert(1)>",
        "\" autofocus onfocus=\"alert(1)", "&lt;b&gt;", "{{styles}}{{{styles}}}", "{{#rows}}", "}}",
        "a|b\nc | d", "[x](javascript:alert(1))", "\u{1B}[31mred\u{1B}]0;title\u{7}", "=1+1",
        "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\\input{/etc/passwd}", "$x^2_{3}$ % # & ~",
        "[1pt] first", "*", "\u{202E}drow", "\u{2066}isolated", "\u{0}\u{8}", "\u{2028}line",
        "a\rb",
        String(repeating: "long", count: 5000), "<!--", "]]>", "</script>", "`code`",
    ]

    static func model(_ text: String) -> ReportModel {
        var model = ReportExample.small()
        model.warnings = [text]
        model.overview = text
        model.answers = [
            .init(
                benchmark: text,
                questions: [
                    .init(
                        id: text,
                        problem: text,
                        gold: text,
                        answers: [
                            .init(arm: "base", seed: 1, sample: 0, text: text, verdict: .wrong),
                            .init(
                                arm: "rsd, 1 %",
                                seed: 1,
                                sample: 0,
                                text: nil,
                                verdict: .unparsed
                            ),
                        ]
                    )
                ]
            )
        ]
        model.manifest = [.init(key: text, value: text)]
        model.arms.append(.init(name: text, summary: text))
        model.samples = [
            .init(
                arm: text,
                problem: text,
                answer: text,
                tokens: [.init(text: text, writer: .student, studentProbability: 0.5)]
            )
        ]
        model.traces[0].arm = text
        model.questionGrids = [
            .init(benchmark: text, questions: [text], rows: [.init(arm: text, shares: [1])])
        ]
        return model
    }

    /// The elements of a harmless page: a hostile text adds none.
    static func names(_ page: String) -> [String] { ParsedXML(page).elements.map(\.name) }

    @Test(arguments: texts) func nothingGetsOutOfItsPlace(_ text: String) throws {
        let model = Self.model(text)
        let files = try ReportFiles.render(model)
        let plain = try ReportFiles.render(Self.model("plain"))
        #expect(files.map(\.path) == plain.map(\.path))
        for (file, other) in zip(files, plain) {
            switch file.path.split(separator: ".").last {
            case "html", "svg":
                let parsed = ParsedXML(file.text)
                #expect(parsed.error == nil, "\(file.path)")
                #expect(Self.names(file.text) == Self.names(other.text), "\(file.path)")
                #expect(!file.text.unicodeScalars.contains { "\u{202A}"..."\u{202E}" ~= $0 })
            case "csv":
                let table = try CSV(parsing: Array(file.text.utf8))
                let expected = try CSV(parsing: Array(other.text.utf8))
                #expect(table.rows.count == expected.rows.count, "\(file.path)")
                #expect(table.columns.count == expected.columns.count, "\(file.path)")
                for cell in table.rows.flatMap(\.fields) where Double(cell) == nil {
                    #expect(!"=+-@".contains(cell.prefix(1)) || cell.isEmpty, "\(file.path)")
                }
            default:
                let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
                let expected = other.text.split(separator: "\n", omittingEmptySubsequences: false)
                #expect(lines.count == expected.count, "\(file.path)")
                #expect(!file.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
                #expect(!file.text.unicodeScalars.contains("\u{202E}"))
            }
        }
    }

    @Test func aRowIsNoOptionOfTheLineBefore() {
        let latex = LatexTable(model: Self.model("[1pt] first")).text
        #expect(latex.contains("\\\\\n{}[1pt] first &"))
        #expect(LatexTable(model: Self.model("* x")).text.contains("\\\\\n{}* x"))
    }

    @Test func longNamesAreCutInTime() {
        let name = String(repeating: "m", count: 1_000_000)
        let cut = TextMetrics.fitted(name, into: 100, size: 13)
        #expect(cut.count < 12 && cut.hasSuffix("…"))
        #expect(TextMetrics.fitted("short", into: 100, size: 13) == "short")
    }

    @Test func answersAreListedWithTheirVerdicts() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        try ReportRunTests.write("rrrwwwwu", of: jobs[0])
        try ReportRunTests.write("rrrrrrrw", of: jobs[1])
        let model = try ReportRunTests.report(tiny, experiment).run().model
        let problems = try experiment.benchmarks[0].problems().problems
        let list = try #require(model.answers.first)
        #expect(list.questions.map(\.id) == problems.map(\.id))
        #expect(list.questions.map(\.gold) == problems.map(\.answer))
        let last = list.questions[3].answers
        #expect(last.map(\.arm) == ["base", "base", "direct", "direct"])
        #expect(last.map(\.verdict) == [.wrong, .unparsed, .correct, .wrong])
        #expect(last[1].text == nil && last[2].text == problems[3].answer)
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        let table = try CSV.read("\(folder)/answers.csv")
        #expect(table.rows.count == 16)
        #expect(
            table.rows[15].fields == [
                "tiny", problems[3].id, problems[3].answer, "direct", "1", "1",
                last[3].text ?? "", "wrong", "0",
            ]
        )
        let page = String(decoding: try TextFile.read("\(folder)/report.html"), as: UTF8.self)
        let items = ParsedXML(page).elements.filter { $0.attributes["data-state"] != nil }
        #expect(items.map { $0.attributes["data-state"] } == ["all", "some", "some", "some"])
        #expect(page.contains("1 of 2 right") && page.contains("href=\"answers.csv\""))
        // How it was made: models with digests and sizes, settings, seeds.
        let made = Dictionary(model.manifest.map { ($0.key, $0.value) }) { first, _ in first }
        #expect(try #require(made["student"]).contains("student.h5, "))
        #expect(made["student"]?.contains("parameters, SHA-256 ") == true)
        #expect(made["training"]?.contains("learning rate 1e-05 to 0.0") == true)
        #expect(made["benchmarks"] == "tiny: questions.jsonl, 2 samples a question")
        #expect(made["sampling"]?.contains("temperature 0.7, top-p 0.95") == true)
        #expect(made["commit"] == "0123abc" && made["seeds"] == "1")
    }

    /// The page stays of a size that a browser likes, whatever was asked.
    @Test func onlySomeAnswersAreOnThePage() throws {
        var model = ReportExample.realistic()
        model.answers = model.benchmarks.map { name in
            .init(
                benchmark: name,
                questions: (0..<500).map { question in
                    .init(
                        id: "\(name)-\(question)",
                        problem: String(repeating: "word ", count: 1000),
                        gold: "1",
                        answers: model.arms.flatMap { arm in
                            (1...5).map {
                                .init(
                                    arm: arm.name,
                                    seed: $0,
                                    sample: 0,
                                    text: String(repeating: "9", count: 500),
                                    verdict: .wrong
                                )
                            }
                        }
                    )
                }
            )
        }
        let page = try ReportPage(model: model).html()
        #expect(ParsedXML(page).error == nil)
        let items = ParsedXML(page).elements.count { $0.attributes["data-state"] != nil }
        #expect(items == 4 * AnswerListView.mostQuestions)
        #expect(page.contains("the first 60 of 500 questions"))
        #expect(page.utf8.count < 2_000_000)
    }
}
