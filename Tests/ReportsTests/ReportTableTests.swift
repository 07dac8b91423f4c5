import Basics
import Testing

@testable import Reports
@testable import Scoring
@testable import Statistics

@Suite struct ReportTableTests {
    // swift-format-ignore
    static let markdown = #"""
        # tiny

        ## Accuracy, %

        | arm      |               add | mul\|x |           average | unparsed | cut off |
        | :------- | ----------------: | -----: | ----------------: | -------: | ------: |
        | base     | 50.0 [40.0, 60.0] |   25.0 | 37.5 [30.0, 45.0] |   0.20 % |    12 % |
        | rsd, 1 % | 60.0 [50.0, 70.0] |      – |              37.0 |        – |       – |

        Questions: add 100, mul\|x 80; 2 samples each, 3 seeds.

        ## Difference to base, percentage points

        | arm      | benchmark |          difference |       p | p (Holm) | detectable | verdict             |
        | :------- | :-------- | ------------------: | ------: | -------: | ---------: | :------------------ |
        | rsd, 1 % | average   |   −0.5 [−5.0, +4.0] |   0.600 |    1.000 |        5.0 | not distinguishable |
        | rsd, 1 % | add       | +10.0 [+3.0, +17.0] | < 0.001 |  < 0.001 |        5.0 | better              |

        ## Traces

        | arm      | with a trace | tries | acceptance | fallback | P_S < 1 % | P_S < 0.1 % | mean tokens |
        | :------- | -----------: | ----: | ---------: | -------: | --------: | ----------: | ----------: |
        | rsd, 1 % |      7 of 10 |    40 |       97 % |    3.2 % |    0.02 % |         0 % |          23 |

        ## Verdicts

        - rsd, 1 % cannot be distinguished from base: −0.5 points [−5.0, +4.0], p = 1.000 after Holm, detectable 5.0.

        ## How to read this

        - Accuracy is the share of answers that are right, in per cent.
        """#

    static let scores = """
        arm,benchmark,accuracy,accuracy_low,accuracy_high,questions,samples_per_question,seeds,\
        difference,difference_low,difference_high,p_value,p_value_holm,minimum_detectable_effect,\
        verdict,unparsed_share,guessed_share,truncated_share,pass_at_k,maj_at_k
        base,add,0.5,0.4,0.6,100,2,3,,,,,,,,0.0,,0.015,,
        base,mul|x,0.25,,,80,2,3,,,,,,,,,,,,
        base,average,0.375,0.3,0.45,180,2,3,,,,,,,,0.002,,0.12,,
        "rsd, 1 %",add,0.6,0.5,0.7,100,2,3,0.1,0.03,0.17,0.0001,0.0002,0.05,better,,,,,
        "rsd, 1 %",mul|x,,,,80,2,3,,,,,,,,,,,,
        "rsd, 1 %",average,0.37,,,180,2,3,-0.005,-0.05,0.04,0.6,1.0,0.05,not distinguishable,,,,,

        """

    @Test func markdownIsAsRecorded() {
        let markdown = ResultTable(model: ReportExample.small()).markdown
        #expect(markdown.hasPrefix(Self.markdown), "\(markdown)")
    }

    @Test func severalSamplesHaveATableOfTheirOwn() throws {
        var model = ReportExample.small()
        for index in model.scores.indices where model.scores[index].benchmark == "add" {
            model.scores[index].samplesPerQuestion = 3
            model.scores[index].passAtK = 0.75
            model.scores[index].majorityAtK = model.scores[index].arm == "base" ? 0.5 : nil
        }
        let markdown = ResultTable(model: model).markdown
        let table = """
            ## Several samples a question, %

            | arm      | add pass@3 | add maj@3 |
            | :------- | ---------: | --------: |
            | base     |       75.0 |      50.0 |
            | rsd, 1 % |       75.0 |         – |
            """
        #expect(markdown.contains(table), "\(markdown)")
        #expect(markdown.contains("(avg@k)"))
        let latex = LatexTable(model: model).text
        #expect(latex.contains("arm & add pass@3 & add maj@3 \\\\\n"))
        #expect(latex.contains("rsd, 1 \\% & 75.0 & -- \\\\\n"))
        #expect(latex.ranges(of: "\\begin{tabular}").count == 2)
        let page = try ReportPage(model: model).html()
        #expect(page.contains("<th scope=\"col\">add pass@3</th>"))
        #expect(ParsedXML(page).error == nil)
        // Of two samples neither is in the majority.
        for index in model.scores.indices { model.scores[index].samplesPerQuestion = 2 }
        let two = ResultTable(model: model).markdown
        #expect(two.contains("| add pass@2 |") && !two.contains("maj@"))
        // One sample answers nothing more than the average does.
        for index in model.scores.indices { model.scores[index].samplesPerQuestion = 1 }
        #expect(!ResultTable(model: model).markdown.contains("@"))
        #expect(try !ReportPage(model: model).html().contains("Several samples"))

        // A column that few experiments have is there for those alone.
        let plain = ResultCSV(model: model).scores
        #expect(!plain.contains("rank_at_k"))
        for index in model.scores.indices { model.scores[index].samplesPerQuestion = 2 }
        model.scores[0].rankedAtK = 0.25
        let ranked = ResultCSV(model: model).scores
        #expect(ranked.split(separator: "\n")[0].hasSuffix(",maj_at_k,rank_at_k"))
        #expect(ranked.split(separator: "\n")[1].hasSuffix(",0.25"))
        #expect(ResultTable(model: model).markdown.contains("| add rank@2 |"))
        #expect(Legend(model: model).lines.contains { $0.contains("rank@k") })
    }

    @Test func guessesHaveAColumnWhereThereAreSome() throws {
        var model = ReportExample.small()
        for index in model.scores.indices { model.scores[index].guessedShare = 0 }
        #expect(!ResultTable(model: model).markdown.lowercased().contains("guessed"))
        #expect(try !ReportPage(model: model).html().contains("Guessed"))
        for index in model.scores.indices where model.scores[index].arm != "base" {
            model.scores[index].guessedShare = 0.63
        }
        for index in model.scores.indices where model.scores[index].arm == "base" {
            model.scores[index].guessedShare = nil
        }
        let markdown = ResultTable(model: model).markdown
        #expect(markdown.contains("| unparsed | guessed | cut off |"), "\(markdown)")
        #expect(markdown.contains("|   0.20 % |       – |    12 % |"), "\(markdown)")
        #expect(markdown.contains("|        – |    63 % |       – |"), "\(markdown)")
        #expect(markdown.contains("Guessed answers are graded too"))
        let page = try ReportPage(model: model).html()
        #expect(page.contains("<th scope=\"col\">Guessed</th>") && page.contains("<td>63"))
        #expect(ParsedXML(page).error == nil)
        #expect(ResultCSV(model: model).scores.contains(",better,,0.63,,,"))
    }

    @Test func csvIsAsRecorded() {
        let csv = ResultCSV(model: ReportExample.small())
        #expect(csv.scores == Self.scores)
        #expect(
            csv.traces == """
                arm,problems,problems_with_trace,tries,acceptance,fallback_share,\
                share_below_1_percent,share_below_0.1_percent,mean_trace_tokens,\
                mean_negative_log_probability,right_tries,equal_pairs
                "rsd, 1 %",10,7,40,0.968,0.032,0.0002,0.0,22.6,,,

                """
        )
        #expect(csv.seeds == "arm,seed,accuracy\n")
    }

    @Test func emptyResultsSaySo() {
        let empty = ResultTable(model: ReportModel(experiment: "none"))
        #expect(empty.markdown.contains("No arm has been scored yet."))
        #expect(!empty.markdown.contains("## Verdicts"))
        for (name, model) in ReportExample.edgeCases() {
            let markdown = ResultTable(model: model).markdown
            #expect(!markdown.contains("nan") && !markdown.contains("inf]"), "\(name)")
            let fields = ResultCSV(model: model).scores.split { ",\n".contains($0) }
            #expect(!fields.contains("nan") && !fields.contains("inf"), "\(name)")
        }
    }

    static let cells: [(text: String, escaped: String)] = [
        ("a|b", "a\\|b"), ("a\\", "a\\\\"), ("a\r\nb", "a  b"), ("p < 0.001", "p < 0.001"),
        ("p\u{A0}<\u{A0}0.001", "p < 0.001"),
        ("x<3", "x<3"), ("<script>", "&lt;script>"), ("a <", "a <"), ("<\u{301}b", "&lt;\u{301}b"),
        ("[x](y)", "[x\\](y)"), ("![x][y]", "![x\\][y]"), ("[1, 2] (a)", "[1, 2] (a)"),
    ]

    @Test(arguments: cells)
    func cellsStayCells(_ row: (text: String, escaped: String)) {
        #expect(MarkdownTable.escape(row.text) == row.escaped)
    }

    static let shares: [(value: Double?, text: String)] = [
        (nil, "–"), (.nan, "–"), (0, "0 %"), (0.54321, "54 %"), (0.0312, "3.1 %"),
        (0.0004, "0.04 %"), (0.00042, "0.042 %"), (1e-9, "< 0.0001 %"), (1, "100 %"),
        (0.9999, "> 99.9 %"), (0.997, "99.7 %"), (0.08, "8.0 %"),
    ]

    @Test(arguments: shares)
    func sharesKeepTwoDigits(_ row: (value: Double?, text: String)) {
        #expect(NumberText.share(row.value) == row.text)
    }

    @Test func numbersReadWell() {
        #expect(NumberText.percent(0.283) == "28.3")
        #expect(NumberText.points(0.049, .init(lower: 0.01, upper: 0.088)) == "+4.9 [+1.0, +8.8]")
        #expect(NumberText.points(-0.0001) == "0.0")
        #expect(NumberText.points(.nan, .init(lower: 0, upper: 1)) == "–")
        #expect(NumberText.percent(0.5, .init(lower: .nan, upper: 1)) == "50.0")
        #expect(
            [0.0004, 0.0123, 1.2].map { NumberText.pValue($0) } == ["< 0.001", "0.012", "1.000"]
        )
        #expect(NumberText.count(1_234_567) == "1\u{202F}234\u{202F}567")
        #expect(NumberText.counted(1, "seed") == "1 seed")
    }
}
