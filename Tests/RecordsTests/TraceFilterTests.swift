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
        // Equal probabilities: the earlier one.
        (.lowestPerplexity, ["c 0", "a 0"], 2),
    ]) func chooses(_ choice: TraceFilter.Choice, _ expected: [String], _ notChosen: Int) throws {
        for order in [Self.traces, Self.traces.reversed()] {
            let selection = try TraceFilter(choice: choice).select(
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

    /// Tries of one problem by what the student thinks of their tokens.
    static func tries(_ probabilities: [[Float]]) -> [Trace] {
        probabilities.enumerated().map { attempt, values in
            var trace = TraceTests.trace(
                id: "a",
                attempt: attempt,
                sources: String(repeating: "t", count: values.count)
            )
            trace.studentProbability = values
            return trace
        }
    }

    /// Means of -ln P: 0.69, 0.69, 0.52, infinite, and none known.
    @Test func prefersWhatTheStudentFindsLikely() throws {
        let tries = Self.tries([[0.5, 0.5], [0.25, 1], [0.5, 0.5, 0.8], [0, 1], [.nan, 1]])
        func kept(_ tries: [Trace]) throws -> [Int] {
            try TraceFilter(choice: .lowestPerplexity).select(tries, problems: ["a"]).traces
                .map(\.attempt)
        }
        #expect(try kept(tries) == [2])
        #expect(try kept(tries.reversed()) == [2])
        #expect(try kept(Array(tries.prefix(2))) == [0])
        #expect(try kept(Array(tries.suffix(2))) == [3])
    }

    /// Ratios of ranks to surprisals: 2 / 1.39, 3 / 2.77, 101 / 4.6 and, of what is certain, infinite.
    @Test func prefersUnlikelyTokensOfLowRank() throws {
        let tries = Self.tries([[0.5, 0.5], [0.25, 0.25], [0.01, 1], [1, 1]])
        let ranks = [[1, 1], [1, 2], [100, 1], [1, 1]]
        var asked: [Int] = []
        let selection = try TraceFilter(choice: .rankSurprisal).select(
            tries,
            problems: ["a"],
            ranks: {
                asked.append($0.attempt)
                return ranks[$0.attempt]
            }
        )
        #expect(selection.traces.map(\.attempt) == [1] && asked == [0, 1, 2, 3])
        #expect(selection.rejections[.notChosen] == 3)
        // Without a choice there is nothing to ask.
        let only = try TraceFilter(choice: .rankSurprisal).select([tries[2]], problems: ["a"])
        #expect(only.traces.map(\.attempt) == [2])
    }

    @Test func gradesAnewWhenAsked() throws {
        let selection = try TraceFilter().select(Self.traces, problems: ["b"]) { _ in .correct }
        #expect(selection.traces.map(\.id) == ["b"])
    }
}
