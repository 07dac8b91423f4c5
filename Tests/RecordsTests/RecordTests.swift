import Basics
import ChatTemplates
import Foundation
import Grading
import Testing

@testable import Records

/// Runs a body with the path of a temporary file of the given text.
func withFile<T>(_ text: String, _ body: (String) throws -> T) throws -> T {
    let path = NSTemporaryDirectory() + "rsd-\(UUID().uuidString).jsonl"
    try TextFile.write(text, to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// The message of the failure that a body throws, with the file's folder and name left out.
func message(of body: () throws -> Void) -> String {
    do { try body() } catch let failure as Failure {
        var copy = failure
        copy.file = nil
        copy.remedy = nil
        return "\(failure.kind): \(copy)"
    } catch { return "\(error)" }
    return "no failure"
}

@Suite struct ProblemTests {
    @Test(arguments: [
        (
            #"{"id":"a","problem":"1+1"}"#,
            "badData: line 1, 'answer': missing; expected a string or a number of up to "
                + "64 bits"
        ),
        (
            "\n{\"id\":\"a\",\"problem\":\"\",\"answer\":\"2\"}",
            "badData: line 2, 'problem': is empty; expected text"
        ),
        (
            #"{"id":[7],"problem":"p","answer":"2"}"#,
            "badData: line 1, 'id': found a list; expected a string that is not empty, or a whole "
                + "number"
        ),
        (
            """
            {"id":"a","problem":"p","answer":"2"}
            {"id":"b","problem":"p","answer":"2"}
            {"id":"a","problem":"q","answer":"2"}
            """,
            "badData: line 3, 'id': 'a' occurs a second time; expected every id once"
        ),
        (
            #"{"id":"caf\u00e9","problem":"p","answer":"2"}"# + "\n"
                + #"{"id":"cafe\u0301","problem":"p","answer":"2"}"#,
            "badData: line 2, 'id': 'cafe\u{301}' occurs a second time; expected every id once"
        ),
        (
            "",
            #"badData: holds no problems; expected one {"id", "problem", "answer"} a line"#
        ),
        // Read as a number it would be another one.
        (
            #"{"id":"a","problem":"p","answer":12345678901234567891}"#,
            "badData: line 1, 'answer': found a number; expected a string or a number of up to "
                + "64 bits"
        ),
        (
            #"{"id":"a","problem":"p","answer":[2]}"#,
            "badData: line 1, 'answer': found a list; expected a string or a number of up to "
                + "64 bits"
        ),
    ]) func refuses(_ text: String, _ expected: String) throws {
        try withFile(text) { path in
            #expect(message { _ = try ProblemSet.read(path) } == expected)
        }
    }

    @Test func readsWhatItWrites() throws {
        let text = #"{"id":"a","problem":"p","answer":72,"level":{"x":[1]}}"#
        let set = try withFile(text + "\r\n") { try ProblemSet.read($0) }
        #expect(set.problems[0].answer == "72")
        let written = set.problems[0].json.compact
        #expect(written == #"{"id":"a","problem":"p","answer":"72","level":{"x":[1]}}"#)
        let again = try withFile(written) { try ProblemSet.read($0) }
        #expect(again.digest == set.digest)
    }

    @Test func limitKeepsTheFirstAndDecidesTheDigest() throws {
        let lines = (0..<5).map { #"{"id":"\#($0)","problem":"p","answer":"2"}"# }
        try withFile(lines.joined(separator: "\n")) { path in
            let all = try ProblemSet.read(path)
            let some = try ProblemSet.read(path, choosing: .init(limit: 3))
            #expect(some.problems.map(\.id) == ["0", "1", "2"])
            #expect(some.digest != all.digest)
            #expect(try ProblemSet.read(path, choosing: .init(limit: 9)).digest == all.digest)
            var choice = RecordChoice(limit: 2)
            choice.skip = 2
            #expect(try ProblemSet.read(path, choosing: choice).problems.map(\.id) == ["2", "3"])
            choice.skip = 5
            #expect(
                message { _ = try ProblemSet.read(path, choosing: choice) }
                    == "badData: holds 5 records that satisfy the conditions, and skip passes over 5"
            )
        }
    }

    @Test func namesAMissingFile() {
        #expect(
            message { _ = try ProblemSet.read("no/such.jsonl") } == "missingInput: no such file"
        )
    }
}

@Suite struct TraceTests {
    static func trace(
        id: String = "p",
        attempt: Int = 0,
        threshold: Double = 0.01,
        sources: String = "tts",
        text: String = "4",
        stop: StopReason = .endOfTurn,
        verdict: AnswerVerdict = .correct
    ) -> Trace {
        let count = sources.count
        return Trace(
            id: id,
            attempt: attempt,
            seed: 1,
            policy: .rsd,
            seedKey: "rsd/p/0",
            promptDigest: "00",
            acceptanceThreshold: threshold,
            ids: (0..<Int32(count)).map { $0 },
            source: sources.compactMap(TokenSource.init(rawValue:)),
            teacherProbability: [Float](repeating: 0.5, count: count),
            studentProbability: [Float](repeating: 0.25, count: count),
            refusals: [
                Refusal(
                    position: 1,
                    token: 9,
                    teacherProbability: 0.1,
                    studentProbability: 0.001,
                    reason: .threshold
                )
            ],
            acceptance: [Acceptance(threshold: 0.1, share: 0.75)],
            text: text,
            stop: stop,
            verdict: verdict
        )
    }

    @Test func readsWhatItWrites() throws {
        var trace = Self.trace()
        trace.seed = .max
        trace.teacherProbability[2] = .nan
        trace.studentProbability[0] = 0.01
        let json = trace.json
        let again = try Trace(json: JSON(parsing: json.compact))
        #expect(again.json.compact == json.compact)
        #expect(again.studentProbability[0] == 0.01)
        #expect(again.seed == .max)
        #expect(again.teacherProbability[2].isNaN)
    }

    @Test(arguments: [
        (
            "\"source\":\"tts\"", "\"source\":\"tt\"",
            "'source': found 2 entries; expected 3, as many as 'ids'"
        ),
        (
            "\"source\":\"tts\"", "\"source\":\"txs\"",
            "'source': found a string; expected a string of 't' and 's'"
        ),
        (
            "[0.25,0.25,0.25]", "[0.25,0.25]",
            "'p_student': found 2 entries; expected 3, as many as 'ids'"
        ),
        (
            "[0.25,0.25,0.25]", "[0.25,0.0099,0.25]",
            "'p_student'[1]: found 0.0099 for a token of the teacher; expected at least 0.01"
        ),
        (
            "[0.25,0.25,0.25]", "[0.25,null,0.25]",
            "'p_student'[1]: found nan for a token of the teacher; expected at least 0.01"
        ),
        ("[0.25,0.25,0.25]", "[0.25,1.5,0.25]", "'p_student': found 1.5; expected 0 to 1"),
        ("[[1,9,", "[[4,9,", "'refused': found position 4; expected at most 3"),
        (
            "[1,9,0.1,", "[1,9,-1e308,",
            "'refused': found [1,9,-1e+308,0.001,\"threshold\"]; expected [position, token, P_T, P_S, "
                + "reason]"
        ),
        (
            "endOfTurn", "fell over",
            "'stop': found 'fell over'; expected one of endOfTurn, endOfText, length"
        ),
        (
            "\"policy\":\"rsd\"", "\"policy\":\"oracle\"",
            "'policy': found 'oracle'; expected one of rsd, teacher, student, skd, hinted"
        ),
        (
            "\"policy\":\"rsd\"", "\"policy\":7",
            "'policy': found an integer; expected one of rsd, teacher, student, skd, hinted"
        ),
        ("\"ids\":[0,1,2]", "\"ids\":[0,-1,2]", "'ids': found -1; expected token ids"),
    ]) func refuses(_ part: String, _ replacement: String, _ expected: String) throws {
        let text = Self.trace().json.compact
        #expect(text.contains(part))
        try withFile(text.replacing(part, with: replacement) + "\n") { path in
            #expect(message { _ = try Trace.read(path) } == "badData: line 1, " + expected)
        }
    }

    @Test func studentTokensMayLieBelowTheThreshold() throws {
        var trace = Self.trace()
        trace.studentProbability[2] = 0.0001
        #expect(throws: Never.self) { try trace.checkRule() }
        trace.source[2] = .teacher
        #expect(throws: Failure.self) { try trace.checkRule() }
        trace.acceptanceThreshold = 0
        #expect(throws: Never.self) { try trace.checkRule() }
    }

    @Test func dropsATornLastLineAndRefusesATryTwice() throws {
        let lines = [Self.trace(attempt: 0), Self.trace(attempt: 1)].map { $0.json.compact }
        try withFile(lines.joined(separator: "\n") + "\n" + lines[0].prefix(40)) { path in
            let traces = try Trace.read(path)
            #expect(traces.map(\.attempt) == [0, 1])
        }
        try withFile(lines[0] + "\n" + lines[0] + "\n") { path in
            let expected = "badData: line 2, 'try': try 0 of 'p' occurs a second time"
            #expect(message { _ = try Trace.read(path) } == expected)
        }
    }

    @Test func selectedTracesReadWhatTheyWrite() throws {
        let problem = Problem(id: "p", problem: "2+2?", answer: "4")
        var selected = SelectedTrace(Self.trace(), of: problem)
        selected.weights = [0, 1, 0.5]
        let again = try withFile(selected.json.compact) { try SelectedTrace.read($0) }
        #expect(again.map(\.json.compact) == [selected.json.compact])
    }

    /// A system message, or a conversation that ends with the problem; published files also have
    /// conversations that end with the solution.
    @Test func problemsMayHaveSomethingBeforeThem() throws {
        func problem(_ members: String) throws -> Problem {
            try Problem(json: JSON(parsing: Data(#"{"id":"p","answer":"4",\#(members)}"#.utf8)))
        }
        let system = try problem(#""problem":"2+2?","system":"Be brief.""#)
        #expect(system.context == [ChatMessage(role: "system", content: "Be brief.")])
        let turns = #"{"role":"user","content":"1?"},{"role":"assistant","content":"1."}"#
        let last = #"{"role":"user","content":"2+2?"}"#
        let talk = try problem(#""messages":[\#(turns),\#(last)]"#)
        #expect(talk.problem == "2+2?" && talk.context.map(\.content) == ["1?", "1."])
        let again = try Problem(json: talk.json)
        #expect(again.context == talk.context && again.json.compact == talk.json.compact)
        let solved = try problem(#""problem":"2+2?","messages":[\#(last),\#(turns)]"#)
        #expect(solved.context.isEmpty)
        #expect(try problem(#""problem":"5?","messages":[\#(turns),\#(last)]"#).context.isEmpty)
        #expect(throws: Failure.self) { try problem(#""messages":[\#(turns)]"#) }
        let found = message {
            _ = try problem(#""messages":[{"role":"tool","content":"x"},\#(last)]"#)
        }
        #expect(found.contains("'messages'[0], 'role': found 'tool'"), "\(found)")
    }

    @Test func externalTracesNeedNoIds() throws {
        let text = """
            {"problem":"a","answer":1,"trace":"x"}
            {"id":"own","problem":"b","answer":"2","trace":"y","more":0}
            """
        let traces = try withFile(text) { try SelectedTrace.readExternal($0) }
        #expect(traces.map(\.id) == ["external-1", "own"])
        #expect(traces.map(\.text) == ["x", "y"])
        try withFile(#"{"problem":"a","answer":"1"}"#) { path in
            let expected = "badData: line 1, 'trace': missing; expected a string that is not empty"
            #expect(message { _ = try SelectedTrace.readExternal(path) } == expected)
        }
    }

    @Test func samplesReadWhatTheyWrite() throws {
        let sample = Sample(
            id: "q",
            benchmark: "b",
            index: 2,
            text: "so 3",
            ids: [1, 2],
            tokenCount: 2,
            extracted: nil,
            rule: nil,
            verdict: .unparsed,
            isTruncated: true
        )
        let line = sample.json.compact + "\n"
        let again = try withFile(line) { try Sample.read($0) }
        #expect(again.map(\.json.compact) == [sample.json.compact])
        #expect(throws: Failure.self) { try withFile(line + line) { try Sample.read($0) } }
    }

    /// A step that is a damaged number costs neither time nor memory.
    @Test func gapsOfMetricsAreCountedAsRanges() throws {
        let text = [0, 1_000_000_000_000, Int.max].map { "{\"step\":\($0),\"loss\":1}\n" }.joined()
        let file = try withFile(text) { try MetricsFile($0) }
        #expect(file.rows.map(\.step) == [0, 1_000_000_000_000] && file.damagedLines == [3])
        #expect(
            file.warning()?.hasSuffix("999999999999 steps have no row (1 to 999999999999)") == true
        )
        #expect(file.warning(upTo: 3)?.hasSuffix("2 steps have no row (1 to 2)") == true)
    }
}
