import Basics
import Records
import Testing

@testable import Reports
@testable import Scoring
@testable import Statistics

/// The tables that a report writes for other programs, to the byte.
@Suite struct ResultCSVTests {
    /// Two arms whose names need quotes, and one or two rows of everything.
    static func model() -> ReportModel {
        let arms = ["=base", "a \"b\",\nc"]
        var model = ReportModel(
            experiment: "tiny",
            arms: arms.map { .init(name: $0) },
            baseArm: arms[0],
            benchmarks: ["one,two"]
        )
        model.scores = [
            .init(
                arm: arms[0],
                benchmark: "one,two",
                accuracy: 0.5,
                interval: .init(lower: 0.25, upper: 0.75),
                questions: 8,
                samplesPerQuestion: 4,
                seeds: 2
            ),
            .init(
                arm: arms[1],
                benchmark: nil,
                accuracy: 1e-20,
                questions: 8,
                samplesPerQuestion: 4,
                seeds: 2,
                difference: .init(
                    estimate: -0.125,
                    interval: .init(lower: -.infinity, upper: 0.5),
                    pValue: 0.0625,
                    adjustedPValue: .nan,
                    minimumDetectable: 0.375,
                    verdict: .notDistinguishable
                ),
                unparsedShare: 0.01,
                truncatedShare: 0.02,
                guessedShare: 0.03,
                passAtK: 0.875,
                majorityAtK: 0.625
            ),
        ]
        model.seedAverages = [.init(arm: arms[0], seed: .max, accuracy: 1 / 3)]
        model.seedComparisons = [
            .init(
                arm: arms[1],
                other: arms[0],
                seeds: [1, 2],
                differences: [0.25, -0.5],
                sameSign: 1,
                tP: 0.75,
                signFlipP: nil,
                overQuestions: .init(lower: -1, upper: 1),
                overQuestionsP: 0.5
            )
        ]
        model.questionGrids = [
            .init(
                benchmark: "one,two",
                questions: ["q\r\n1", "-2"],
                rows: [.init(arm: arms[0], shares: [0, 1])]
            )
        ]
        model.answers = [
            .init(
                benchmark: "one,two",
                questions: [
                    .init(
                        id: "q\r\n1",
                        problem: "?",
                        gold: "-1",
                        answers: [
                            .init(
                                arm: arms[0],
                                seed: 3,
                                sample: 0,
                                text: "-x",
                                verdict: .wrong,
                                isGuess: true
                            ),
                            .init(arm: arms[1], seed: 3, sample: 1, text: nil, verdict: .unparsed),
                        ]
                    )
                ]
            )
        ]
        var traces = TraceStatistics(arm: arms[1], problems: 9, problemsWithTrace: 7, tries: 27)
        traces.acceptance = 0.875
        traces.fallbackShare = 0.125
        traces.shareBelowOnePercent = 0.0625
        traces.shareBelowTenthPercent = 0
        traces.meanTraceLength = 12.5
        traces.meanSurprise = .nan
        traces.agreement.right = 0.75
        traces.agreement.equalPairs = 0.5
        model.traces = [traces]
        model.sweeps = [
            .init(
                title: "gain, points",
                xLabel: "x",
                yLabel: "y",
                series: [
                    .init(
                        name: arms[0],
                        points: [
                            .init(x: 0.01, value: -0.5, interval: .init(lower: -1, upper: 0)),
                            .init(x: 2, value: .infinity),
                        ]
                    )
                ]
            )
        ]
        return model
    }

    static let files: [(path: String, text: String)] = [
        (
            "table.csv",
            """
            arm,benchmark,accuracy,accuracy_low,accuracy_high,questions,samples_per_question,seeds,\
            difference,difference_low,difference_high,p_value,p_value_holm,\
            minimum_detectable_effect,verdict,unparsed_share,guessed_share,truncated_share,\
            pass_at_k,maj_at_k
            '=base,"one,two",0.5,0.25,0.75,8,4,2,,,,,,,,,,,,
            "a ""b"",
            c",average,1e-20,,,8,4,2,-0.125,,0.5,0.0625,,0.375,not distinguishable,0.01,0.03,0.02,\
            0.875,0.625

            """
        ),
        (
            "questions.csv",
            "benchmark,question,'=base,\"a \"\"b\"\",\nc\"\n"
                + "\"one,two\",\"q\r\n1\",0.0,\n\"one,two\",-2,1.0,\n"
        ),
        (
            "answers.csv",
            "benchmark,question,gold,arm,seed,sample,answer,verdict,guessed\n"
                + "\"one,two\",\"q\r\n1\",-1,'=base,3,0,'-x,wrong,1\n"
                + "\"one,two\",\"q\r\n1\",-1,\"a \"\"b\"\",\nc\",3,1,,unparsed,0\n"
        ),
        ("seeds.csv", "arm,seed,accuracy\n'=base,18446744073709551615,0.3333333333333333\n"),
        (
            "seed-differences.csv",
            """
            arm,other,seed,difference,same_sign,p_t_over_seeds,p_signs_over_seeds,\
            over_questions_low,over_questions_high,p_over_questions
            "a ""b"",
            c",'=base,1,0.25,1,0.75,,-1.0,1.0,0.5
            "a ""b"",
            c",'=base,2,-0.5,1,0.75,,-1.0,1.0,0.5

            """
        ),
        (
            "traces.csv",
            """
            arm,problems,problems_with_trace,tries,acceptance,fallback_share,\
            share_below_1_percent,share_below_0.1_percent,mean_trace_tokens,\
            mean_negative_log_probability,right_tries,equal_pairs
            "a ""b"",
            c",9,7,27,0.875,0.125,0.0625,0.0,12.5,,0.75,0.5

            """
        ),
        (
            "sweeps.csv",
            "sweep,series,x,value,value_low,value_high\n"
                + "\"gain, points\",'=base,0.01,-0.5,-1.0,0.0\n\"gain, points\",'=base,2.0,,,\n"
        ),
    ]

    static func written(_ model: ReportModel) throws -> [(path: String, text: String)] {
        try ReportFiles.render(model).filter { $0.path.hasSuffix(".csv") }
            .map { ($0.path, $0.text) }
    }

    @Test func everyFileIsAsRecorded() throws {
        let written = try Self.written(Self.model())
        #expect(written.map(\.path) == Self.files.map(\.path))
        for (file, expected) in zip(written, Self.files) {
            #expect(Array(file.text.utf8) == Array(expected.text.utf8), "\(file.path)")
        }
    }

    /// Every row has a field for each column, no column is there twice, and numbers are numbers.
    @Test func rowsFitTheirHeaders() throws {
        let models =
            [("own", Self.model()), ("realistic", ReportExample.realistic())]
            + ReportExample.edgeCases()
        for (name, model) in models {
            for file in try Self.written(model) {
                let table = try CSV(parsing: Array(file.text.utf8))
                let columns = Set(table.columns)
                #expect(columns.count == table.columns.count, "\(name), \(file.path)")
                #expect(!columns.contains(""), "\(name), \(file.path)")
                #expect(file.text.hasSuffix("\n"), "\(name), \(file.path)")
                for field in table.rows.flatMap(\.fields) {
                    #expect(Double(field)?.isFinite != false, "\(name), \(file.path): \(field)")
                }
            }
        }
    }

    @Test func whatIsNotKnownHasNoFile() throws {
        let written = try Self.written(ReportModel(experiment: "none"))
        #expect(written.map(\.path) == ["table.csv"])
        let table = try CSV(parsing: Array(written[0].text.utf8))
        #expect(table.rows.isEmpty && table.columns.count == 20)
    }
}
