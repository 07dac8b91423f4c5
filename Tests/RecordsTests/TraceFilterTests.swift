import Grading
import Testing

@testable import Records

@Suite struct TraceFilterTests {
    struct Case: Sendable {
        var name: String
        var filter = TraceFilter()
        var sources = "tts"
        var text = "4"
        var stop = StopReason.endOfTurn
        var verdict = AnswerVerdict.correct
        var expected: TraceFilter.Rejection?
    }

    @Test(arguments: [
        Case(name: "passes"),
        Case(name: "cut off", stop: .length, expected: .unfinished),
        Case(
            name: "cut off, allowed",
            filter: TraceFilter(requiresEndOfTurn: false),
            stop: .length
        ),
        Case(
            name: "no end of thinking",
            filter: TraceFilter(requiresOneThinkEnd: true),
            expected: .thinking
        ),
        Case(
            name: "one end of thinking",
            filter: TraceFilter(requiresOneThinkEnd: true),
            text: "a</think>4"
        ),
        Case(
            name: "two ends of thinking",
            filter: TraceFilter(requiresOneThinkEnd: true),
            text: "a</think></think>4",
            expected: .thinking
        ),
        Case(name: "half fallback", sources: "tsts"),
        Case(name: "more than half fallback", sources: "tss", expected: .fallback),
        Case(
            name: "any fallback allowed",
            filter: TraceFilter(maxFallbackRate: nil),
            sources: "sss"
        ),
        Case(name: "empty", sources: ""),
        Case(name: "wrong", verdict: .wrong, expected: .wrong),
        Case(name: "no answer", verdict: .unparsed, expected: .unparsed),
        Case(name: "wrong, allowed", filter: TraceFilter(requiresCorrect: false), verdict: .wrong),
        Case(
            name: "the first reason counts",
            sources: "sss",
            stop: .length,
            verdict: .wrong,
            expected: .unfinished
        ),
    ]) func rejects(_ test: Case) {
        let trace = TraceTests.trace(
            sources: test.sources,
            text: test.text,
            stop: test.stop,
            verdict: test.verdict
        )
        #expect(test.filter.rejection(of: trace) == test.expected, "\(test.name)")
    }

    static let traces = [
        TraceTests.trace(id: "a", attempt: 2, sources: "ttt"),
        TraceTests.trace(id: "a", attempt: 0, sources: "tttt"),
        TraceTests.trace(id: "a", attempt: 1, sources: "ttt"),
        TraceTests.trace(id: "b", attempt: 0, verdict: .wrong),
        TraceTests.trace(id: "c", attempt: 0),
        TraceTests.trace(id: "unasked", attempt: 0),
    ]

    @Test(arguments: [
        (TraceFilter.Choice.shortest, ["c 0", "a 1"], 2),
        (.first, ["c 0", "a 0"], 2),
        (.all, ["c 0", "a 0", "a 1", "a 2"], 0),
    ]) func chooses(_ choice: TraceFilter.Choice, _ expected: [String], _ notChosen: Int) {
        for order in [Self.traces, Self.traces.reversed()] {
            let selection = TraceFilter(choice: choice).select(
                order,
                problems: ["c", "b", "a", "d"]
            )
            #expect(selection.traces.map { "\($0.id) \($0.attempt)" } == expected)
            #expect(selection.rejections[.notChosen, default: 0] == notChosen)
            #expect(selection.rejections[.wrong] == 1)
            #expect(selection.problemCount == 4)
            #expect(selection.solvedCount == 2)
            #expect(selection.tryCount == 5)
        }
    }

    @Test func gradesAnewWhenAsked() {
        let selection = TraceFilter().select(Self.traces, problems: ["b"]) { _ in .correct }
        #expect(selection.traces.map(\.id) == ["b"])
    }
}
