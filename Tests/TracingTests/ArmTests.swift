import Basics
import Foundation
import Models
import Records
import Testing
import Tokenizers

@testable import Experiments
@testable import Tracing

/// What arms train on beside the traces that generation made for them.
@Suite struct ArmTests {
    /// Problems p, q and r with tries: p and q solved by the teacher, q by RSD as well, r by none.
    static func scope(_ laboratory: Laboratory, arms: String) throws -> Scope {
        let problems = ["p", "q", "r"].map { id in
            Problem(
                id: id,
                problem: "1+2?",
                answer: "3",
                extra: JSONObject([("solution", "1+2=3, #3"), ("level", 2)])
            )
        }
        try JSONLines.write(problems.map(\.json), to: "\(laboratory.folder)/hand.jsonl")
        let scope = try laboratory.scope(laboratory.text(problems: "hand", arms: arms))
        func write(_ arm: String, _ tries: [Trace]) throws {
            guard (try? scope.experiment.arm(arm)) != nil else { return }
            let stage = try Laboratory.stage(scope, arm)
            try stage.prepare()
            try JSONLines.write(tries.map(\.json), to: stage.traces())
        }
        func attempts(_ id: String, _ source: String, _ text: String) -> [Trace] {
            (0..<3).map { SelectionTests.trace(id, $0, text, source: source) }
        }
        let low: [Float] = [0.5, 0.005, 0.01, 0.0001]
        try write(
            "teacher",
            attempts("q", "tttttt", "#3") + attempts("r", "tttttttt", "#4")
                + (0..<3).map {
                    SelectionTests.trace("p", $0, "#3", source: "tttt", probabilities: low)
                }
        )
        try write(
            "rsd",
            attempts("p", "tttttttt", "#4") + attempts("q", "tts", "#3")
                + attempts("r", "ttttttt", "#")
        )
        return scope
    }

    static func selection(_ scope: Scope, _ arm: String) throws -> ArmSelection {
        let selector = TraceSelector(layout: scope.layout, models: ModelStore())
        return try #require(try selector.select(scope.experiment.arm(arm), seed: 1))
    }

    /// How many target tokens training would see.
    static func volume(_ selection: ArmSelection) throws -> Int {
        let tokenizer = try ChainWorld.tokenizer
        let template = PromptSettings(preset: .plain, endOfTurn: "$")
        return try selection.selected.reduce(0) {
            $0 + (try template.example($1, with: tokenizer).targetCount)
        }
    }

    @Test func maskedTracesLoseTheirImprobableTargets() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(
            laboratory,
            arms: """
                  teacher: {kind: teacher-filtered}
                  masked: {kind: teacher-filtered, selection: {maskBelow: 0.01}}
                  human: {kind: direct, traces: {problems: solution}, selection: {maskBelow: 1}}
                """
        )
        #expect(try Self.selection(scope, "teacher").selected.allSatisfy { $0.weights == nil })
        let masked = try Self.selection(scope, "masked").selected
        #expect(masked.map(\.weights) == [[1, 0, 1, 0], [1, 1, 1, 1, 1, 1]])
        // Texts from elsewhere are scored first.
        let human = try Self.selection(scope, "human").selected
        let ids = try ChainWorld.tokenizer.encode("1+2=3, #3$", specialTokens: .parse)
        #expect(human.allSatisfy { $0.ids == ids && $0.weights?.count == ids.count })
        #expect(human[0].weights?.contains(0) == true)
    }

    @Test func unsolvedProblemsGiveTheirFirstTokens() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(
            laboratory,
            arms: """
                  rsd: {kind: rsd}
                  prefix: {kind: rsd, selection: {unsolvedPrefix: 5}}
                  whole: {kind: rsd, selection: {unsolvedPrefix: 7}}
                """
        )
        // All seven tokens of the try at "r" would teach its wrong answer, and to stop there.
        #expect(try Self.selection(scope, "whole").selected.map(\.id) == ["p", "q"])
        #expect(try Self.selection(scope, "rsd").selected.map(\.id) == ["q"])
        let selection = try Self.selection(scope, "prefix")
        #expect(selection.selected.map(\.id) == ["p", "q", "r"])
        #expect(selection.selected.map { $0.ids?.count } == [5, 3, 5])
        #expect(selection.selected.map(\.isComplete) == [false, true, false])
        #expect(selection.selection?.prefixCount == 2 && selection.selection?.solvedCount == 1)
        let text = selection.selected[0].text
        #expect(text == (0..<5).map { Laboratory.words[$0] }.joined())
        // The start of a trace does not teach to stop there; the whole one does.
        let tokenizer = try ChainWorld.tokenizer
        let end = try scope.experiment.template.endOfTurnID(in: tokenizer)
        let ends = try selection.selected.map {
            try scope.experiment.template.example($0, with: tokenizer).ids.last == end
        }
        #expect(ends == [false, true, false])
        // Nor where its tokens are not those of the student, and it is taken as text.
        var start = selection.selected[0]
        start.ids = nil
        start.text = "1+2"
        let ids = try scope.experiment.template.example(start, with: tokenizer).ids
        #expect(ids.last != end && tokenizer.text(of: ids, skipSpecial: false).hasSuffix("1+2"))
    }

    @Test func anArmIsNotMatchedWithOneThatHasNoTries() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(
            laboratory,
            arms: """
                  rsd: {kind: rsd}
                  alone: {kind: student-only}
                  both: {kind: rsd, match: {arms: [alone]}}
                """
        )
        let failure = #expect(throws: Failure.self) { try Self.selection(scope, "both") }
        #expect(failure?.kind == .missingInput && failure?.place == "arms.both.match")
        #expect(failure?.remedy?.hasSuffix("--arm alone") == true)
    }

    @Test func matchedArmsHaveEqualProblemsAndTargets() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(
            laboratory,
            arms: """
                  teacher: {kind: teacher-filtered}
                  rsd: {kind: rsd}
                  human: {kind: direct, traces: {problems: solution}}
                  drawn: {kind: direct, traces: {problems: solution}, match: {arms: [teacher]}}
                  both: {kind: teacher-filtered, match: {arms: [rsd], problems: true}}
                  first:
                    kind: direct
                    traces: {problems: solution}
                    match: {arms: [rsd, teacher], problems: true}
                  other: {kind: rsd, match: {arms: [teacher], problems: true}}
                """
        )
        func volume(_ arm: String) throws -> Int {
            try Self.volume(Self.selection(scope, arm))
        }
        // Each trace made by hand lacks its end of turn, which training appends.
        #expect(try volume("teacher") == 5 + 7)
        #expect(try volume("rsd") == 4)
        let solution = try ChainWorld.tokenizer.encode("1+2=3, #3$", specialTokens: .parse).count
        #expect(try volume("human") == 3 * solution)
        // Whole traces are drawn until the budget is reached.
        #expect(try volume("drawn") == 12)
        let drawn = try Self.selection(scope, "drawn").selected
        #expect(drawn.count == (12 + solution - 1) / solution)
        // Only q is solved by both.
        for arm in ["both", "first", "other"] {
            #expect(try volume(arm) == 4, "\(arm)")
            let selected = try Self.selection(scope, arm).selected
            #expect(selected.map(\.id) == ["q"], "\(arm)")
        }
        let both = try Self.selection(scope, "both").selected[0]
        #expect(both.ids?.count == 7 && both.weights?.filter { $0 > 0 }.count == 4)
        // The stage depends on the arms it is matched with.
        let folders = try ["both", "teacher"].map {
            try scope.layout.selection(scope.experiment.arm($0), seed: 1)?.folder
        }
        #expect(folders[0] != folders[1])
    }

    @Test func anIteratedArmStartsFromATrainedStudent() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(
            laboratory,
            arms: """
                  rsd: {kind: rsd}
                  again: {kind: rsd, student: rsd}
                """
        )
        let (first, again) = (
            try scope.experiment.arm("rsd"), try scope.experiment.arm("again")
        )
        #expect(throws: Failure.self) { try scope.layout.traces(again, seed: 1) }
        try scope.write(Self.selection(scope, "rsd"))
        let training = try #require(try scope.layout.training(first, seed: 1))
        #expect(try scope.layout.studentPath(again, seed: 1) == training.model)
        let plain = try scope.layout.traces(first, seed: 1)?.folder
        #expect(try scope.layout.traces(again, seed: 1)?.folder != plain)
        // A trained student in place: its tries are judged by it.
        try TextFile.createFolder(training.folder)
        try FileManager.default.copyItem(
            atPath: "\(laboratory.folder)/teacher.h5",
            toPath: training.model
        )
        try TextFile.write("{\"status\": \"finished\"}", to: training.manifest)
        let only = Scope(layout: scope.layout, arms: [again])
        let selections = try Laboratory.generate(only)
        #expect(selections.map(\.arm.name) == ["again"])
        let tries = selections[0].tries
        #expect(tries.count == 9)
        // Teacher and student are one model here, so nothing is refused for being strange to it.
        let own = tries.flatMap { zip($0.teacherProbability, $0.studentProbability) }
        #expect(own.allSatisfy { $0 == $1 })
    }

    @Test func recordsAreChosenByConditionAndSeed() throws {
        let laboratory = try Laboratory()
        let path = "\(laboratory.folder)/many.jsonl"
        let problems = (0..<30).map { index in
            Problem(
                id: "p\(index)",
                problem: "1+2?",
                answer: "3",
                extra: JSONObject([("level", .integer(index % 5 + 1))])
            )
        }
        try JSONLines.write(problems.map(\.json), to: path)
        func ids(_ keys: String) throws -> [String] {
            let text = laboratory.text().replacing(
                "path: \(laboratory.folder)/problems.jsonl",
                with: "path: \(path), \(keys)"
            )
            return try laboratory.scope(text).layout.problems(seed: 1).problems.map(\.id)
        }
        let easy = try ids("where: {level: [1, 2]}")
        #expect(easy == problems.indices.filter { $0 % 5 < 2 }.map { "p\($0)" })
        let drawn = try ids("where: {level: [1, 2]}, limit: 4, seed: 3")
        #expect(drawn.count == 4 && Set(drawn).isSubset(of: easy))
        #expect(drawn == easy.filter(drawn.contains), "the order of the file is kept")
        #expect(try drawn == ids("where: {level: [1, 2]}, limit: 4, seed: 3"))
        #expect(try drawn != ids("where: {level: [1, 2]}, limit: 4, seed: 4"))
        #expect(try ids("limit: 2") == ["p0", "p1"])
        #expect(throws: Failure.self) { try ids("where: {level: 9}") }
    }
}
