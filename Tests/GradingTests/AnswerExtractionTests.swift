import Testing

@testable import Grading

@Suite struct AnswerExtractionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var completion: String
        var style: AnswerStyle
        var text: String?
        var rule: ExtractionRule?

        init(
            _ name: String,
            _ completion: String,
            _ text: String?,
            _ rule: ExtractionRule? = nil,
            style: AnswerStyle = .math
        ) {
            self.name = name
            self.completion = completion
            self.style = style
            self.text = text
            self.rule = rule
        }

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        // Boxes.
        Case("box", #"so \boxed{42}."#, "42", .boxed),
        Case("last box", #"\boxed{1} then \boxed{2}"#, "2", .boxed),
        Case("boxes with names", #"$x = \boxed{3}$ and $y = \boxed{4}$."#, "3, 4", .boxed),
        Case("named boxes", #"\(y_1 = \boxed{a} \), \( y_{12} = \boxed{b} \)"#, "a, b", .boxed),
        Case("a box after another step", #"$x = \boxed{3}$, so $y = \boxed{4}$"#, "4", .boxed),
        Case("a name alone connects nothing", #"\boxed{3} $y = \boxed{4}$"#, "4", .boxed),
        Case("nested braces", #"\boxed{\frac{1}{\sqrt{2}}}"#, #"\frac{1}{\sqrt{2}}"#, .boxed),
        Case("box in a box", #"\boxed{\boxed{5}}"#, "5", .boxed),
        Case("boxes in boxes with space", #"\boxed{ \fbox{ \boxed{5} } }"#, "5", .boxed),
        Case(
            "box beside a box",
            #"\boxed{\boxed{1} \text{ or } \boxed{2}}"#,
            #"\boxed{1} \text{ or } \boxed{2}"#,
            .boxed
        ),
        Case("fbox", #"\fbox{7}"#, "7", .boxed),
        Case("box without braces", #"$\boxed 5$"#, "5", .boxed),
        Case("box without braces, several digits", #"\boxed 512."#, "512", .boxed),
        Case("space before the brace", #"\boxed {5}"#, "5", .boxed),
        Case("escaped braces", #"\boxed{\{1, 2\}}"#, #"\{1, 2\}"#, .boxed),
        Case("escaped closing brace", #"\boxed{\}} and 3"#, #"\}"#, .boxed),
        Case(
            "unbalanced box falls back to the one before",
            #"\boxed{3} \boxed{\frac{1}{2"#,
            "3",
            .boxed
        ),
        Case("empty box falls back to the one before", #"\boxed{3} \boxed{ }"#, "3", .boxed),
        Case("other command", #"\boxedfoo{3} 4"#, "4", .lastNumber),
        Case("line break inside", "\\boxed{1 +\n 2}", "1 +\n 2", .boxed),
        Case("letter", #"\boxed{\text{C}}"#, #"\text{C}"#, .boxed),
        Case("unbalanced braces before", #"{ { \boxed{9}"#, "9", .boxed),
        // Reasoning.
        Case("after the reasoning", #"\boxed{1}</think> it is \boxed{2}"#, "2", .boxed),
        Case("box in the reasoning alone", #"\boxed{1}</think> it is 2"#, "2", .lastNumber),
        Case("last end of reasoning counts", #"</think>\boxed{1}</think>\boxed{2}"#, "2", .boxed),
        Case("nothing after the reasoning", #"\boxed{1}</think>"#, nil),
        Case(
            "reasoning never ends",
            #"\boxed{1}"#,
            nil,
            style: AnswerStyle(requiresReasoningEnd: true)
        ),
        Case(
            "reasoning ends",
            #"x</think>\boxed{1}"#,
            "1",
            .boxed,
            style: AnswerStyle(requiresReasoningEnd: true)
        ),
        Case(
            "own end of reasoning",
            #"\boxed{1}[/R] 2"#,
            "2",
            .lastNumber,
            style: AnswerStyle(reasoningEnd: "[/R]")
        ),
        // Phrases.
        Case("the answer is", "Hence the answer is 12.", "12", .phrase),
        Case("final answer is", "The final answer is $12$. I hope it is correct.", "$12$", .phrase),
        Case("answer colon", "Answer: C", "C", .phrase),
        Case("emphasis", "**Answer:** 12", "12", .phrase),
        Case("emphasis before the colon", "**Answer**: 12", "12", .phrase),
        Case("answer is colon", "the answer is: 3/4", "3/4", .phrase),
        Case("capitals", "THE ANSWER IS 5", "5", .phrase),
        Case("next line", "Answer:\n\n12", "12", .phrase),
        Case("displayed", "The answer is:\n\\[\n18\n\\]\nDone.", "18", .phrase),
        Case("displayed in dollars", "Answer:\n$$\nx = 18\n$$", "x = 18", .phrase),
        Case("displayed, never closed", "The answer is 4. The answer is:\n\\[\n", "4", .phrase),
        Case("a typographic minus", "x = 3 \u{2212}5", "\u{2212}5", .lastNumber),
        Case("a typographic subtraction", "x = 8\u{2212}5", "5", .lastNumber),
        Case("decimals survive", "the answer is 3.5. Done.", "3.5", .phrase),
        Case("last phrase", "the answer is 1. No, the answer is 2.", "2", .phrase),
        Case("unfinished phrase", "the answer is 1. The answer is", "1", .phrase),
        Case("a box outranks a phrase", #"\boxed{1}, so the answer is 2"#, "1", .boxed),
        Case("no phrase", "the answer isn't 4 but 5", "5", .lastNumber),
        // Tags and marks.
        Case("answer tag", "so <answer> 12 </answer>", "12", .tagged),
        Case("mark on the last line", "5 * 4 = 20\n#### 20", "20", .tagged),
        Case("heading with four marks", "#### Step 1\nThe answer is 4.", "4", .phrase),
        Case("member of an object", #"{"answer": "72"}"#, "72", .phrase),
        Case("heading of the answer", "### Final Answer\n85\n", "85", .phrase),
        // Conclusions.
        Case("conclusion", "So, Ann picks a total of 360 plums in 3 hours.", "360", .conclusion),
        Case(
            "money before an amount",
            "Therefore, Ann paid $36 for the 2 hats.",
            "36",
            .conclusion
        ),
        Case(
            "subject with a number",
            "So 5 pumps fill 72000 tubs in 4 hours.",
            "72000",
            .conclusion
        ),
        Case("compound", "Thus Ben earns $75 in a 30-day month.", "75", .conclusion),
        Case("what it is", "So the cost of 6 pens and 8 caps is $36.", "36", .conclusion),
        Case("calculation", "Hence she has 15 - 10 = 5 left of 15.", "5", .conclusion),
        Case("remark behind", "So Ann needs 8 bags for 30 days. That is a lot!", "8", .conclusion),
        Case("number behind", "So Ann has 8 of 30. Then she buys 4.", "4", .lastNumber),
        Case("no conclusion", "Ann paid 36 for 2 hats.", "2", .lastNumber),
        Case("formula", #"So \(\frac{1}{2} \cdot 8\) is it."#, "8", .lastNumber),
        // Numbers.
        Case("last number", "3 apples and 4 pears", "4", .lastNumber),
        Case("thousands", "about 1,234,567 people", "1,234,567", .lastNumber),
        Case("list", "1,2", "2", .lastNumber),
        Case("decimal", "it is 3.25.", "3.25", .lastNumber),
        Case("leading point", "it is .5", ".5", .lastNumber),
        Case("fraction", "it is 3/4", "3/4", .lastNumber),
        Case("percent", "it is 20%", "20%", .lastNumber),
        Case("negative", "it is -5", "-5", .lastNumber),
        Case("subtraction", "7-5", "5", .lastNumber),
        Case("number at the start", "-5", "-5", .lastNumber),
        Case("no number", "no idea", nil),
        Case("empty", "", nil),
        // Letters of choices.
        Case("letter in brackets", "so it is (C), not B", "B", .lastLetter, style: .choice),
        Case("last letter", "I think A is wrong. (C) fits.", "C", .lastLetter, style: .choice),
        Case(
            "article and pronoun",
            "It is B. A good choice, I think.",
            "B",
            .lastLetter,
            style: .choice
        ),
        Case("letter of a phrase", "Answer: D", "D", .phrase, style: .choice),
        Case("no letter", "Because of DNA", nil, style: .choice),
        // Strict style.
        Case("strict: no box", "the answer is 5", nil, style: .boxed),
        Case("strict: box", #"\boxed{5}"#, "5", .boxed, style: .boxed),
        // Markers.
        Case("marker", "7-5=2, 2*4=8, 8-8=0, #0$", "0", .marker, style: .marked("#", end: "$")),
        Case("last marker", "#1$ #2$", "2", .marker, style: .marked("#", end: "$")),
        Case("marker without its end", "8-8=0, #0", "0", .marker, style: .marked("#", end: "$")),
        Case("marker to the end", "#### 18", "18", .marker, style: .marked("####")),
        Case("marker without an answer", "8-8=0, #", nil, style: .marked("#", end: "$")),
        Case("no marker", "8-8=0", nil, style: .marked("#", end: "$")),
        Case(
            "marker first, then a box",
            #"\boxed{3}"#,
            "3",
            .boxed,
            style: AnswerStyle(rules: [.marker, .boxed], marker: AnswerMarker(start: "#"))
        ),
        Case("rule without a marker", "#3", nil, style: AnswerStyle(rules: [.marker])),
    ]

    @Test func lettersTakeThePlaceOfNumbers() {
        #expect(AnswerStyle.math.adapted(to: "C").rules == [.boxed, .tagged, .phrase, .lastLetter])
        #expect(AnswerStyle.math.adapted(to: "3") == .math)
        #expect(AnswerStyle.boxed.adapted(to: "C") == .boxed)
    }

    @Test(arguments: cases) func answerAndRule(_ item: Case) {
        let found = AnswerExtraction.extract(from: item.completion, style: item.style)
        #expect(found?.text == item.text)
        #expect(found?.rule == item.rule)
    }
}

extension AnswerStyle {
    fileprivate static let choice = AnswerStyle.math.adapted(to: "A")
}
