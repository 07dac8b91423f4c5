import Basics
import ExperimentSupport
import Foundation
import Testing

@testable import Experiments
@testable import Reports
@testable import Scoring
@testable import Statistics

@Suite struct CompareTests {
    /// A run of one benchmark with the given right samples of each question, one list a seed.
    static func run(
        _ name: String,
        _ arms: [(String, [[Int]])],
        ids: [String]? = nil,
        samples: Int = 2,
        digest: String? = nil
    ) -> ComparedRun {
        let count = arms[0].1[0].count
        var table = ScoreTable()
        table.questions = [
            .init(
                benchmark: "b",
                ids: ids ?? (0..<count).map { "q\($0)" },
                digest: digest
            )
        ]
        for (arm, seeds) in arms {
            for (index, correct) in seeds.enumerated() {
                table.cells.append(
                    .init(
                        arm: arm,
                        seed: UInt64(index + 1),
                        benchmark: "b",
                        samples: samples,
                        correct: correct,
                        unparsed: 0,
                        truncated: 0
                    )
                )
            }
        }
        return ComparedRun(name: name, table: table)
    }

    @Test func equalQuestionsArePaired() throws {
        let runs = [
            Self.run("one", [("rsd", [[2, 1, 0, 0]]), ("base", [[0, 0, 0, 0]])], digest: "d"),
            // Another order of the questions, two seeds.
            Self.run(
                "two",
                [("rsd", [[1, 2, 2, 2], [1, 2, 2, 2]])],
                ids: ["q3", "q2", "q1", "q0"],
                digest: "d"
            ),
        ]
        let comparison = RunComparison(runs: runs, resamples: 200)
        let rows = try comparison.rows()
        #expect(rows.count == 1)
        #expect(rows[0].arm == "two: rsd" && rows[0].other == "one: rsd")
        #expect(rows[0].basis == "paired, 4 questions")
        // Means 1, 1, 1, 1/2 against 1, 1/2, 0, 0.
        #expect(rows[0].difference.estimate == 0.5)
        #expect(rows[0].difference.pValue == 0.125)
        #expect(rows[0].difference.verdict == .notDistinguishable)
        let text = try comparison.markdown()
        for part in ["# one, two", "| two: rsd", "+50.0", "paired, 4 questions", "## Verdicts"] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(!text.contains("Unpaired"))
    }

    @Test func otherQuestionsAreNotPairedAndSaySo() throws {
        let one = Self.run("one", [("rsd", [[2, 1, 0, 1]])], digest: "d")
        let others = Self.run("two", [("rsd", [[2, 2, 2, 1, 2]])], digest: "e")
        let rows = try RunComparison(runs: [one, others], resamples: 200).rows()
        #expect(rows[0].basis == "unpaired, 5 against 4 (4 in common)")
        #expect(abs(rows[0].difference.estimate - 0.4) < 1e-12)
        let texts = Self.run("two", [("rsd", [[2, 2, 2, 1]])], digest: "e")
        let same = RunComparison(runs: [one, texts], resamples: 200)
        #expect(try same.rows()[0].basis == "unpaired, 4 against 4 (other texts)")
        #expect(try same.markdown().contains("Unpaired: the sides answered other questions"))
    }

    @Test func anArmCanBePicked() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        try ReportRunTests.write("rrrwwwwu", of: jobs[0])
        try ReportRunTests.write("rrrrrrrw", of: jobs[1])
        try ReportRunTests.report(tiny, experiment).run()
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        let runs = try [
            ComparedRun("\(folder):base", environment: tiny.environment),
            ComparedRun("\(folder)/scores.jsonl:direct", environment: tiny.environment),
        ]
        #expect(runs.map(\.name) == ["tiny", "tiny"])
        let rows = try RunComparison(runs: runs, resamples: 200).rows()
        #expect(rows.map(\.difference.estimate) == [0.5])
        #expect(rows[0].basis == "paired, 4 questions")
        let found = failure { _ = try ComparedRun("\(folder):rsd", environment: [:]) }
        #expect(found?.kind == .missingInput && found?.remedy == "Its arms: base, direct.")
        #expect(failure { _ = try ComparedRun("nowhere", environment: [:]) }?.kind == .missingInput)
    }

    /// Worked out with NumPy; Student's t with 3 degrees of freedom in closed form.
    @Test func welchsTestIsThatOfTheBooks() throws {
        let own = UnpairedComparison([0.1, 0.5, 0.9, 0.7], minus: [0.2, 0.3, 0.1, 0.4, 0.2])
        #expect(abs(own.difference - 0.31) < 1e-12)
        #expect(abs(own.standardError - 0.178232) < 1e-5)
        // t = 1.7393; Welch's 3.54 degrees of freedom are rounded down to 3.
        #expect(try abs(#require(own.p) - 0.180362) < 1e-4)
        let interval = try #require(own.interval)
        #expect(interval.lower < 0 && interval.upper <= 1)
        #expect(own.limit == nil && (own.minimumDetectableEffect ?? 0) > 0)
    }

    @Test func boundedIntervalsStayInside() throws {
        let near = SeedStatistics([0.99, 0.9, 1])
        #expect(try #require(near.interval).upper > 1)
        let bounded = try #require(near.interval(within: 0...1))
        #expect(bounded.lower > 0 && bounded.upper < 1 && bounded.contains(near.mean))
        // In the middle of the range, with little spread, both are about the same.
        let middle = SeedStatistics([0.5, 0.51, 0.49, 0.5])
        let (plain, logit) = (
            try #require(middle.interval), try #require(middle.interval(within: 0...1))
        )
        #expect(abs(plain.lower - logit.lower) < 1e-4 && abs(plain.upper - logit.upper) < 1e-4)
        let gain = try #require(SeedStatistics([-0.9, -0.99, -1]).interval(within: -1...1))
        #expect(gain.lower > -1 && gain.upper < 0)
        #expect(SeedStatistics([0.3]).interval(within: 0...1) == nil)
    }

    @Test func latexHoldsEveryArm() {
        let text = LatexTable(model: ReportExample.small()).text
        #expect(text.contains("base & 50.0 {\\footnotesize [40.0, 60.0]} & 25.0 & 37.5"))
        #expect(text.contains("rsd, 1 \\% & 60.0"))
        #expect(text.contains("$-$0.5 {\\footnotesize [$-$5.0, +4.0]} & 5.0 & not distinguishable"))
        #expect(text.contains("mul|x") && text.contains("\\begin{tabular}{lrrrrrl}"))
        #expect(
            LatexTable.escape("a_b{c}\\ 50% ~^")
                == "a\\_b\\{c\\}\\textbackslash{} 50\\% \\textasciitilde{}\\textasciicircum{}"
        )
        #expect(LatexTable(model: ReportModel(experiment: "none")).text.isEmpty)
        let hostile = LatexTable(model: ReportExample.hostile()).text
        #expect(!hostile.contains("\u{1B}") && !hostile.contains("\u{0}"))
    }

    @Test func questionsAreOrderedByDifficulty() throws {
        let grid = ReportModel.QuestionGrid(
            benchmark: "b",
            questions: ["x", "y", "z"],
            rows: [
                .init(arm: "base", shares: [0, 1, 0.5]), .init(arm: "rsd", shares: [0.25, 1, 1]),
            ]
        )
        #expect(grid.order == [1, 2, 0])
        #expect(grid.agreement.all == 2 && grid.agreement.none == 1)
        var model = ReportExample.small()
        model.questionGrids = [grid]
        let svg = try #require(
            QuestionGridPlot(model: model, palette: Palette(model)).svg
        )
        #expect(ParsedXML(svg).error == nil)
        #expect(svg.contains("right in every arm 2, in none 1"))
        model.arms = [.init(name: "base"), .init(name: "rsd")]
        #expect(ResultCSV(model: model).questions.hasSuffix("b,z,0.5,1.0\n"))
    }
}
