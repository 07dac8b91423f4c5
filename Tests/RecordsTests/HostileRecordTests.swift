import Basics
import Foundation
import Testing

@testable import Records

/// Reference answers and problems as published files mangle them.
@Suite struct HostileRecordTests {
    static let answers: [(stated: String, read: String)] = [
        ("so\n#### 1 1/2", "1 1/2"), ("Both.\n#### 10, 12", "10, 12"), ("#### 1,450", "1450"),
        ("#### -3", "-3"), ("####-3", "-3"), ("#### $1,234,567.50", "$1234567.50"),
        ("#### 10,12", "10,12"), ("#### 1,450,3", "1,450,3"), ("#### 0,123", "0,123"),
        ("#### 1,000, 2,000", "1000, 2000"), ("####\n5", "5"), ("#### 5\nSo yes.", "5"),
        ("##### 5", "5"), ("#### 4 #### 5", "5"), ("#### 5 apples ", "5 apples"),
        ("1,450", "1,450"), (" 7", " 7"), ("{}", "{}"),
    ]

    @Test(arguments: answers) func answersKeepWhatTheySay(
        _ row: (stated: String, read: String)
    ) throws {
        let record: JSON = ["problem": "p", "answer": .string(row.stated)]
        #expect(try Problem(json: record).answer == row.read)
    }

    @Test(arguments: [
        "", " ", "\t\n", "\u{A0}", "\u{200B}", "\\boxed{ }", "$$", "x\n####", "#### ", "####\n",
    ]) func blankAnswersAreRefusedWithTheirLine(_ answer: String) throws {
        let records: [JSON] = [
            ["problem": "p", "answer": "1"], ["problem": "q", "answer": .string(answer)],
        ]
        try withFile(records.map { $0.compact + "\n" }.joined()) { path in
            let failure = #expect(throws: Failure.self) { try ProblemSet.read(path) }
            #expect(failure?.place == "line 2, 'answer'")
            #expect(failure?.message.hasPrefix("is blank") == true)
            #expect(failure?.file == path && failure?.kind == .badData)
        }
    }

    @Test func blankProblemsAndTracesAreRefusedWithTheirLine() throws {
        try withFile(#"{"problem":" \n","answer":"1"}"#) { path in
            let said = message { _ = try ProblemSet.read(path) }
            #expect(said == "badData: line 1, 'problem': is blank; expected text")
        }
        try withFile("\n" + #"{"problem":"p","answer":"1","trace":"  \n"}"#) { path in
            let said = message { _ = try SelectedTrace.readExternal(path) }
            #expect(said == "badData: line 2, 'trace': is blank; expected text")
        }
    }

    static func example(_ id: String, length: Int, weight: Float) -> TrainingExample {
        TrainingExample(
            id: id,
            prompt: [1, 2],
            completion: [Int32](repeating: 5, count: length - 1) + [7],
            weights: [Float](repeating: weight, count: length),
            endOfTurn: 7
        )
    }

    @Test func nothingLeftToTrainOnHasItsReason() {
        func reason(_ all: [TrainingExample], _ overlong: OverlongPolicy) -> String {
            do { _ = try TrainingSet(all, maxLength: 10, overlong: overlong) } catch {
                return "\(error)"
            }
            return ""
        }
        let masked = Self.example("masked", length: 4, weight: 0)
        let long = Self.example("long", length: 40, weight: 1)
        let head = "no example is left to train on: of"
        let mask = "have no token to train on, since all are masked"
        #expect(
            reason([masked, masked], .drop) == "\(head) 2 2 \(mask)\nLower selection.maskBelow."
        )
        #expect(
            reason([long], .drop)
                == "\(head) 1 1 are longer than 10 tokens\nRaise training.maxLength."
        )
        #expect(
            reason([masked, long], .drop)
                == "\(head) 2 1 \(mask), 1 are longer than 10 tokens\n"
                + "Lower selection.maskBelow, and raise training.maxLength."
        )
        #expect(reason([], .drop).hasPrefix("holds no trace, so there is nothing to train on"))
    }

    @Test func nothingLeftToTrainOnIsSaidOfAnArm() {
        func reason(_ all: [TrainingExample]) -> String {
            do { _ = try TrainingSet(all, maxLength: 10, overlong: .drop) } catch {
                return (error as? NothingToTrainOn)?.reason ?? ""
            }
            return ""
        }
        let masked = Self.example("masked", length: 4, weight: 0)
        let long = Self.example("long", length: 40, weight: 1)
        let both = Self.example("both", length: 40, weight: 0)
        let limit = "longer than training.maxLength (10 tokens)"
        #expect(reason([long, both]) == "all of its traces (2) are \(limit)")
        #expect(reason([masked]) == "all of its traces (1) have no token that is trained on")
        #expect(
            reason([long, masked, both])
                == "2 of its traces are \(limit), 1 have no token that is trained on"
        )
    }
}

/// Which problems are the same.
@Suite struct ProblemTextTests {
    private func form(_ text: String) -> String {
        String(decoding: ProblemText.form(of: text), as: UTF8.self)
    }

    static let same: [(String, String)] = [
        ("Find the sum of three and four!", "Find  the SUM of three and four"),
        ("What is $\\frac{1}{2}$ of 10?", "what is \\dfrac12 of $10$"),
        ("What is 1/2 of 10?", "What is \\frac{1}{2} of 10?"), ("½ cup", "1/2 cup"),
        ("Solve $x \\le 5$.", "Solve x <= 5"), ("Solve x ≤ 5", "Solve $x\\leq5$"),
        ("There are 1,000 apples", "There are 1000 apples."), ("1{,}000 apples", "1,000 apples"),
        ("1\\,000 apples", "1000 apples"), ("Compute $2^{10}$.", "Compute 2^10"),
        ("Compute 2¹⁰", "Compute 2^10"), ("Let $\\left(x+1\\right)$ be", "Let (x+1) be"),
        ("90^\\circ", "90°"), ("90^{\\circ}", "90 °"), ("Find 3 × 4", "Find 3*4"),
        ("Find $3\\cdot4$", "Find 3 \\times 4"), ("5 − 3", "5-3"), ("What is π?", "What is \\pi?"),
        ("x² + 1", "x^2+1"), ("x^{-1}", "x^-1"), ("Tom's hat (red) is big.", "Toms hat red is big"),
        ("A 3-digit number", "a 3 digit number"), ("\\text{cm}", "cm"), ("\\sqrt{2}", "√2"),
        ("\\sqrt{2}", "sqrt(2)"), ("the $x$-axis", "the x axis"),
        ("**Find** the *sum*", "Find the sum"), ("\\[ x=1 \\]", "$$x = 1$$"),
        ("caf\u{E9}", "cafe\u{301}"), ("Ｘ＝１２", "x=12"), ("\"quoted\" text", "quoted text"),
        ("well-known", "well known"), ("\\{1,2\\}", "\\lbrace 1, 2 \\rbrace"),
        ("a_{12}", "a_12"), ("\\begin{align} x=1 \\end{align}", "x=1"), ("f'(x)", "f′(x)"),
        (".5", "0.5"), ("\\mathbb{R}", "ℝ"), ("\\overline{r}_1", "\\overline{r_1}"),
    ]

    @Test(arguments: same) func spellingsOfOneProblemMerge(_ pair: (String, String)) {
        #expect(form(pair.0) == form(pair.1))
    }

    static let different: [(String, String)] = [
        ("What is 1 + 23?", "What is 12 + 3?"), ("Compute 12 - 5.", "Compute 12 + 5."),
        ("Evaluate 2^10.", "Evaluate 210."), ("x > 5", "x < 5"), ("Is -3 a root", "Is 3 a root"),
        ("Write 31.4", "Write 3.14"), ("Write 314", "Write 3.14"), ("2 10", "210"),
        ("1, 23", "12, 3"), ("x ≤ 5", "x < 5"), ("x = 5", "x ≠ 5"), ("3/4", "3 4"), ("3/4", "34"),
        ("5!", "5"), ("|x|", "x"), ("f'(x)", "f(x)"), ("50%", "50"), ("90°", "90"),
        ("(12+3)*4", "12+3*4"), ("[0,1]", "(0,1)"), ("[0,1)", "[0,1]"), ("2^{10}", "2^{1}0"),
        ("x^{2y}", "x^2y"), ("3*4", "3 4"), ("3 *4", "3 4"), ("a-b", "ab"), ("AB-CD", "ABCD"),
        ("3-x", "3x"), ("3 - sin x", "3 sin x"), ("\\sqrt{2x}", "\\sqrt{2}x"),
        ("\\sqrt[3]{2}", "\\sqrt{2}"), ("0.\\overline{3}", "0.3"),
        ("\\overline{AB}C", "\\overline{ABC}"), ("(1,234)", "(1234)"),
        ("1, 2, ..., 10", "1, 2, 10"), ("3:4", "34"), ("3:4", "3 4"),
        ("\\frac{ab}{c}", "\\frac{a}{bc}"), ("\\frac{1}{23}", "\\frac{12}{3}"),
        ("1 1/2", "11/2"), ("1½", "11/2"), ("x,y", "xy"), ("a/b", "ab"), ("3 ± 4", "3 + 4"),
        ("€5", "£5"), ("3 @ 4", "3 # 4"), ("\\lfloor x \\rfloor", "x"), ("A ∪ B", "A ∩ B"),
        ("x^2", "x2"), ("5 - - 3", "5 - 3"), ("3.0.1", "30.1"), ("10_2", "102"),
        ("p → q", "p q"), ("0.5", "5"), (".5", "5"), ("\\sum x", "x"), ("1,450", "1,45,0"),
        ("−3", "3"), ("2(3)", "23"), ("3²", "32"),
    ]

    @Test(arguments: different) func differentProblemsDoNotMerge(_ pair: (String, String)) {
        #expect(form(pair.0) != form(pair.1))
    }

    /// Nesting and repetition that a naive reader would follow to the end of its stack.
    @Test(arguments: ["{", "^", "\\frac", "\\sqrt[", "x_{", "1,", "(", "}", "-", "^-", "\\", "*"])
    func hostileTextsEnd(_ piece: String) {
        _ = ProblemText.form(of: String(repeating: piece, count: 20_000))
    }

    private static let text = """
        A train leaves the station at noon and travels east at 60 miles per hour; how far is it \
        from the station at half past three in the afternoon?
        """

    /// Pairs would be 25 million.
    @Test func equalTextsCostNoMoreThanOthers() {
        let many = (0..<5000).map { (id: "\($0)", text: Self.text) }
        let found = Contamination(many).overlaps(of: many)
        #expect(found.count == 5000)
        #expect(found.allSatisfy { $0.map(\.benchmarkID) == ["0"] && $0[0].isExact })
    }

    @Test func nearTextsAreBounded() {
        let many = (0..<100).map { (id: "\($0)", text: Self.text + " \($0)") }
        let found = Contamination(many).overlaps(of: [("t", Self.text + " Say it in miles.")])
        #expect(found[0].count == Contamination.mostNear && found[0].allSatisfy { !$0.isExact })
    }
}

/// Marks of turns that traces from elsewhere spell.
@Suite struct TraceMarkTests {
    static let thinking = TraceMarks(
        opening: "<|im_end|>\n<|im_start|>assistant\n<think>\n",
        endOfTurn: "<|im_end|>",
        isThinking: true
    )
    static let answering = TraceMarks(
        opening: "<|im_end|>\n<|im_start|>assistant\n",
        endOfTurn: "<|im_end|>",
        isThinking: false
    )

    static let texts: [(text: String, cleaned: String)] = [
        ("<think>\n2 and 3.\n</think>\n\n5", "2 and 3.\n</think>\n\n5"),
        ("2 and 3.\n</think>\n\n5", "2 and 3.\n</think>\n\n5"),
        ("<think>\n\n</think>\n\n5", "\n</think>\n\n5"),
        ("\n <think>2", "2"),
        ("2\n</think>\n5<|im_end|>", "2\n</think>\n5"),
        ("2\n</think>\n5<|im_end|>\n<|im_end|> ", "2\n</think>\n5"),
        ("<|im_start|>assistant\n<think>\n2</think>5", "2</think>5"),
        ("2 < 3 and\n", "2 < 3 and\n"),
    ]

    @Test(arguments: texts) func aTemplatesMarksAreTakenOff(
        _ row: (text: String, cleaned: String)
    ) {
        #expect(Self.thinking.cleaned(row.text) == row.cleaned)
    }

    @Test func otherTemplatesKeepTheirMarks() {
        let text = "<think>\n2</think>5"
        #expect(Self.answering.cleaned(text) == text)
        #expect(Self.answering.cleaned("<|im_start|>assistant\n" + text) == text)
        let plain = TraceMarks(opening: "", endOfTurn: "$", isThinking: false)
        #expect(plain.cleaned("it costs 5$") == "it costs 5$")
    }

    static let odd: [(marks: TraceMarks, text: String, found: [TraceMarks.Oddity])] = [
        (thinking, "2</think>5", []), (thinking, "2 and 3", [.neverCloses]),
        (thinking, "2</think>5</think>", [.marksTwice]),
        (thinking, "<think>2</think>", [.marksTwice]),
        (thinking, "2</think>5<|im_end|>6", [.spellsMarkers]),
        (thinking, "2</think>5</s>", [.spellsMarkers]), (answering, "2 and 3", []),
        (answering, "<think>2</think>5", []), (answering, "2</think>5", [.neverOpens]),
    ]

    @Test(arguments: odd) func oddTracesAreWarnedOf(
        _ row: (marks: TraceMarks, text: String, found: [TraceMarks.Oddity])
    ) {
        #expect(row.marks.oddities(of: row.text) == row.found)
    }

    @Test func warningsNameTheTraces() throws {
        let traces = ["2</think>5", "no marks", "none either"].enumerated().map {
            SelectedTrace(id: "t\($0)", problem: "p", answer: "5", text: $1)
        }
        let (cleaned, warnings) = try Self.thinking.applied(to: traces)
        #expect(cleaned.map(\.text) == traces.map(\.text))
        #expect(
            warnings == [
                "2 of 3 traces never close the thinking that the template opens (no </think>): "
                    + "t1, t2"
            ]
        )
        let empty = SelectedTrace(id: "e", problem: "p", answer: "5", text: "<think>\n<|im_end|>")
        let failure = #expect(throws: Failure.self) { try Self.thinking.applied(to: [empty]) }
        #expect(failure?.place == "trace 'e'")
    }
}
