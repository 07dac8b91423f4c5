import Basics
import ExperimentSupport
import Testing

@testable import Experiments
@testable import Reports
@testable import Scoring
@testable import Statistics

/// What a comparison may claim where nothing varies: no p of 1, no detectable difference of 0, no
/// interval without width.
@Suite struct PowerLimitTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Right samples of each question, of the arm and of the base, 2 samples each.
        var arm: [Int], base: [Int]
        var limit: PowerLimit?
        var p: Double?
        var hasInterval = false

        var testDescription: String { name }
    }

    static func many(_ count: Int) -> [Int] { Array(repeating: count, count: 40) }
    static let alternating = (0..<40).map { $0 % 2 * 2 }

    static let cases = [
        Case(name: "floor", arm: many(0), base: many(0), limit: .floor),
        Case(name: "ceiling", arm: many(2), base: many(2), limit: .ceiling),
        Case(name: "all half right", arm: many(1), base: many(1), limit: .same),
        Case(name: "the same questions right", arm: alternating, base: alternating, limit: .same),
        Case(
            name: "ceiling against floor",
            arm: many(2),
            base: many(0),
            limit: .uniform,
            p: 0x1p-40
        ),
        Case(name: "one question", arm: [2], base: [0], limit: .fewQuestions(1), p: 0.5),
        Case(name: "one question at the floor", arm: [0], base: [0], limit: .floor),
        Case(
            name: "four questions",
            arm: [2, 2, 2, 1],
            base: [0, 0, 0, 0],
            limit: .fewQuestions(4),
            p: 0x1p-4,
            hasInterval: true
        ),
        Case(
            name: "five questions of little spread",
            arm: [2, 2, 2, 2, 1],
            base: [0, 0, 0, 0, 0],
            limit: nil,
            p: 0x1p-5,
            hasInterval: true
        ),
        Case(
            name: "five questions of much spread",
            arm: [2, 0, 2, 0, 2],
            base: [0, 2, 0, 2, 2],
            limit: .imprecise,
            p: 0.8125,
            hasInterval: true
        ),
        Case(
            name: "one right answer of forty",
            arm: [2] + many(0).dropFirst(),
            base: many(0),
            limit: nil,
            p: 0.5,
            hasInterval: true
        ),
    ]

    static func scores(_ correct: [Int]) -> [QuestionScore] {
        correct.enumerated().map { .init(id: "q\($0)", correct: $1, samples: 2) }
    }

    @Test(arguments: cases) func pairedComparisonsClaimNothingUnknown(_ row: Case) throws {
        let draws = UniformDraws("test")
        let own = try PairedComparison(
            arm: Self.scores(row.arm),
            base: Self.scores(row.base),
            resamples: 200
        ) { draws($0) }
        #expect(own.limit == row.limit)
        #expect(own.permutationP == row.p)
        #expect((own.interval != nil) == row.hasInterval)
        #expect((own.minimumDetectableEffect != nil) == (row.limit == nil))
        if let interval = own.interval { #expect(interval.lower < interval.upper) }
    }

    static let unpaired: [(arm: [Double], base: [Double], limit: PowerLimit?, p: Double?)] = [
        ([0, 0, 0], [0, 0], .floor, nil), ([1, 1, 1], [1, 1], .ceiling, nil),
        ([0.5, 0.5], [0.5, 0.5], .same, nil), ([1], [0, 1], .singleQuestion, nil),
        // Six ways to deal out two values and two: this one, and its mirror.
        ([1, 1], [0, 0], .uniform, 1.0 / 3),
        ([1, 1, 1, 1, 1], [0, 0, 0, 0, 0], .uniform, 1.0 / 126),
    ]

    @Test(arguments: unpaired)
    func unpairedComparisonsClaimNothingUnknown(
        _ row: (arm: [Double], base: [Double], limit: PowerLimit?, p: Double?)
    ) {
        let own = UnpairedComparison(row.arm, minus: row.base)
        #expect(own.limit == row.limit)
        #expect(own.p.map { ($0 * 1e9).rounded() } == row.p.map { ($0 * 1e9).rounded() })
        #expect(own.interval == nil && own.minimumDetectableEffect == nil)
    }

    @Test func aThousandQuestionsOfEachSideAreNoOverflow() {
        let sides = (Array(repeating: 1.0, count: 2000), Array(repeating: 0.0, count: 2000))
        #expect(UnpairedComparison(sides.0, minus: sides.1).p == 0)
    }

    /// Samples of both sides in numbers without a common divisor: the exact test would need a table
    /// of 10^11 entries.
    @Test func manySamplesTakeTheSampledTest() throws {
        let arm = (0..<30).map { QuestionScore(id: "\($0)", correct: 60_000 + $0, samples: 65_535) }
        let base = (0..<30).map { QuestionScore(id: "\($0)", correct: 100 * $0, samples: 65_534) }
        let draws = UniformDraws("test")
        let own = try PairedComparison(arm: arm, base: base, resamples: 100) { draws($0) }
        #expect(own.permutationP == 1.0 / 20_001)
    }

    /// Every file of a report of runs at a limit.
    static func report(_ arm: String, _ base: String, seeds: [Int] = [1]) throws -> (
        model: ReportModel, table: String, csv: String, page: String, tex: String, seeds: String
    ) {
        let tiny = try TinyExperiment(questions: 6)
        let experiment = try tiny.experiment(samples: 1, seeds: seeds)
        for job in try tiny.jobs(experiment) {
            try ReportRunTests.write(job.arm.kind == .base ? base : arm, of: job)
        }
        let (model, table) = try ReportRunTests.report(tiny, experiment).run()
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        func text(_ name: String) throws -> String {
            String(decoding: try TextFile.read("\(folder)/\(name)"), as: UTF8.self)
        }
        return (
            model, table, try text("table.csv"), try text("report.html"), try text("table.tex"),
            try text("seed-differences.csv")
        )
    }

    static let reports: [(arm: String, base: String, warning: String?, sentence: String)] = [
        (
            "wwwwww", "wwwwww", "No arm answers any question of tiny right: nothing can be told",
            "direct cannot be distinguished from base: 0.0 points; neither answers any question "
                + "right, so nothing can be told."
        ),
        (
            "rrrrrr", "rrrrrr",
            "Every arm answers every question of tiny right: nothing can be told",
            "direct cannot be distinguished from base: 0.0 points; both answer every question "
                + "right, so nothing can be told."
        ),
        (
            "rrrwww", "rrrwww", nil,
            "direct cannot be distinguished from base: 0.0 points; both are right equally often on "
                + "every question, so p and the detectable difference are not known."
        ),
        (
            "rrrrrr", "wwwwww", nil,
            "direct is better than base: +100.0 points, p = 0.016; every question differs by the "
                + "same amount, so the interval and the detectable difference are not known."
        ),
    ]

    @Test(arguments: reports, [[1], [1, 2, 3, 4, 5]])
    func reportsSayWhatIsNotKnown(
        _ row: (arm: String, base: String, warning: String?, sentence: String),
        _ seeds: [Int]
    ) throws {
        let made = try Self.report(row.arm, row.base, seeds: seeds)
        let table = made.table.replacing("\u{A0}", with: " ")
        #expect(table.contains("- \(row.sentence)\n"), "\(table)")
        for claim in ["detectable 0.0", "p = 1.000", "|   1.000 |", "[0.0, 0.0]", "[100.0, 100.0]"]
        {
            for text in [table, made.page, made.tex] { #expect(!text.contains(claim), "\(claim)") }
        }
        #expect(made.model.warnings.count == (row.warning == nil ? 0 : 1))
        if let warning = row.warning {
            #expect(table.contains("**Warning:** \(warning)"))
            #expect(made.page.contains("<strong>Warning:</strong> \(warning)"))
            #expect(
                made.model.scores.allSatisfy { $0.interval.map { $0.lower < $0.upper } ?? true }
            )
        }
        #expect(table.contains("A dash means that a number is not known"))
        // difference_low, difference_high, p_value, p_value_holm, minimum_detectable_effect
        let fields = made.csv.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let average = try #require(fields.last)
        #expect(average[0] == "direct" && average[9] == "" && average[10] == "")
        #expect(average[13] == "", "detectable")
        #expect((average[11] == "") == (row.sentence.contains("0.0 points;")), "p")
        #expect(made.page.contains("detectable: not known"))
        let signs = try #require(made.seeds.split(separator: "\n").last)
            .split(separator: ",", omittingEmptySubsequences: false)
        #expect((signs[6] == "") == (seeds.count == 1 || row.arm == row.base))
    }

    @Test func theForestPlotDoesNotShowAPowerThatIsNotKnown() throws {
        let made = try Self.report("wwwwww", "wwwwww")
        let svg = try #require(ReportPlots(made.model).differences?.svg)
        #expect(svg.contains("0.0, nothing can be told") && svg.contains("No bar: not known."))
        #expect(!svg.contains("usually go unseen</title>"))
        // An axis of ten points to either side, not of millionths.
        #expect(svg.contains(">+10<") && svg.contains(">−10<"))
        #expect(Summary(model: made.model).paragraph.contains("(nothing can be told)"))
    }

    @Test func comparedRunsSayWhatIsNotKnown() throws {
        let zeros = Array(repeating: 0, count: 8)
        let same = [
            CompareTests.run("one", [("rsd", [zeros])], digest: "d"),
            CompareTests.run("two", [("rsd", [zeros])], digest: "d"),
        ]
        let other = [same[0], CompareTests.run("two", [("rsd", [zeros])], digest: "e")]
        for runs in [same, other] {
            let text = try RunComparison(runs: runs, resamples: 100).markdown()
                .replacing("\u{A0}", with: " ")
            #expect(text.contains("**Warning:** No arm answers any question of b right"))
            #expect(
                text.contains(
                    "b: two: rsd cannot be distinguished from one: rsd: 0.0 points; neither answers "
                        + "any question right, so nothing can be told."
                ),
                "\(text)"
            )
            #expect(!text.contains("1.000") && !text.contains("[0.0, 0.0]"))
        }
    }

    @Test func sweepsWarnOfSettingsAtTheFloor() throws {
        let tiny = try TinyExperiment(questions: 6)
        let experiment = try tiny.experiment(
            samples: 1,
            seeds: [1, 2, 3],
            more:
                "training: {learningRate: 1e-3}\ngrid: {rate: {training.learningRate: [1e-3, 1e-2]}}"
        )
        for job in try tiny.jobs(experiment) {
            let isHigh = job.arm.training.optimizer.learningRate > 5e-3
            let isBase = job.arm.kind == .base
            try ReportRunTests.write(!isBase && isHigh ? "rrrwww" : "wwwwww", of: job)
        }
        let (model, table) = try ReportRunTests.report(tiny, experiment).run()
        #expect(model.warnings.count == 1)
        #expect(model.warnings.first?.contains("of rate/learningRate=0.001 right") == true)
        #expect(!table.contains("[0.0, 0.0]"))
    }
}
