import Basics
import Foundation
import Models
import Records
import Testing
import Tokenizers

@testable import Experiments
@testable import Tracing

/// Tries of the two further policies: the student proposes, and the student that is shown the answer.
@Suite struct HintedTests {
    static let hint = "hint: \"{problem}#{answer}\""
    static let arms = """
          skd: {kind: skd, generation: {skdTopK: 6}}
          hinted: {kind: hinted, generation: {\(hint)}}
          relative:
            kind: hinted
            generation: {\(hint), relativeGate: {quantile: 0.8, samples: 5}}
            selection: {requireCorrect: false, requireEndOfTurn: false, maxFallbackRate: 1}
        """
    static let names = ["skd", "hinted", "relative"]

    @Test func triesAreTheSameForEveryBatchShardAndInterruption() throws {
        let laboratory = try Laboratory()
        let reference = try laboratory.scope(
            laboratory.text(batch: 1, arms: Self.arms),
            runs: "reference"
        )
        try Laboratory.generate(reference)
        func gate(_ scope: Scope) throws -> [OwnSurprisals] {
            try JSONLines.read(Laboratory.stage(scope, "relative").file("gate.jsonl")) {
                try OwnSurprisals(json: $0)
            }.sorted { $0.id < $1.id }
        }
        func same(_ scope: Scope, _ what: String) throws {
            for arm in Self.names {
                let equal = try Laboratory.bytes(scope, arm) == Laboratory.bytes(reference, arm)
                #expect(equal, "\(what), \(arm)")
            }
            #expect(try gate(scope) == gate(reference), "\(what)")
        }
        #expect(try gate(reference).count == 5)
        let batched = try laboratory.scope(laboratory.text(batch: 8, arms: Self.arms), runs: "b")
        try Laboratory.generate(batched)
        try same(batched, "batch 8")
        let sharded = try laboratory.scope(laboratory.text(arms: Self.arms), runs: "shards")
        for index in [2, 1] {
            try Laboratory.generate(sharded, shard: Shard(index: index, count: 2))
        }
        try same(sharded, "2 shards")

        let stopped = try laboratory.scope(laboratory.text(arms: Self.arms), runs: "stopped")
        var (stops, partGates) = (0, 0)
        for _ in 0..<200 {
            do {
                try Laboratory.generate(stopped, steps: 30)
                break
            } catch let failure as Failure {
                #expect(failure.kind == .interrupted)
                stops += 1
                if let own = try? gate(stopped), own.count < 5 { partGates += 1 }
            }
        }
        #expect(stops > 2 && partGates > 0)
        try same(stopped, "interrupted")
        // A torn line of the gate is made again.
        let path = try Laboratory.stage(stopped, "relative").file("gate.jsonl")
        let stage = try Laboratory.stage(stopped, "relative")
        try TextFile.write(TextFile.read(path).dropLast(7), to: path)
        try FileManager.default.removeItem(atPath: stage.traces())
        try Laboratory.generate(stopped)
        try same(stopped, "torn")
    }

    @Test func everyStoredTokenSatisfiesItsRule() throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(laboratory.text(arms: Self.arms))
        try Laboratory.generate(scope)
        let student = try ModelStore().model(.student, of: scope.layout, seed: 1)
        let teacher = try ModelStore().model(.teacher, of: scope.layout, seed: 1)
        let template = scope.experiment.template
        let problems = try scope.layout.problems(seed: 1).problems
        let ratios = try JSONLines.read(Laboratory.stage(scope, "relative").file("gate.jsonl")) {
            try OwnSurprisals(json: $0)
        }.flatMap(\.ratios)
        let all = ratios.sorted()
        let threshold = all[Int((0.8 * Double(all.count)).rounded(.up)) - 1]
        var sources: [String: Set<TokenSource>] = [:]
        for arm in Self.names {
            for trace in try Trace.read(Laboratory.stage(scope, arm).traces()) {
                sources[arm, default: []].formUnion(trace.source)
                let problem = try #require(problems.first { $0.id == trace.id })
                func probabilities(_ model: LanguageModel, _ text: String) throws -> [Float] {
                    let prompt = try template.encode(problem: text, with: model.tokenizer)
                    return try SequenceScoring(model).probabilities(of: trace.ids, after: prompt)
                }
                let prompt = try template.encode(problem: problem.problem, with: student.tokenizer)
                #expect(trace.promptDigest == TraceRecord.promptDigest(prompt))
                let own = try probabilities(student, problem.problem)
                let other =
                    try arm == "skd"
                    ? probabilities(teacher, problem.problem)
                    : probabilities(student, "\(problem.problem)#\(problem.answer)")
                for index in trace.ids.indices {
                    #expect(abs(own[index] - trace.studentProbability[index]) < 1e-5)
                    #expect(abs(other[index] - trace.teacherProbability[index]) < 1e-5)
                    let isGated = trace.source[index] == .teacher
                    #expect(arm != "hinted" || !isGated || own[index] >= 0.02)
                }
                let reasons: [String: Refusal.Reason] = [
                    "skd": .topK, "hinted": .threshold, "relative": .relative,
                ]
                #expect(trace.refusals.allSatisfy { $0.reason == reasons[arm] })
                #expect(arm != "relative" || trace.acceptanceThreshold == 0)
            }
            #expect(sources[arm] == [.teacher, .student], "\(arm)")
        }
        #expect(threshold > 0)
        // What is trained on is the problem as it is, without the hint.
        let selected = try ArmTests.selection(scope, "relative").selected
        #expect(!selected.isEmpty)
        for trace in selected {
            let problem = try #require(problems.first { $0.id == trace.id })
            #expect(trace.problem == problem.problem)
            let example = try template.example(trace, with: student.tokenizer)
            let prompt = try template.encode(problem: problem.problem, with: student.tokenizer)
            #expect(Array(example.ids.prefix(example.promptCount)) == prompt)
        }
    }

    @Test func aHintNeedsWhatItNames() throws {
        let laboratory = try Laboratory()
        let arms = "  hinted: {kind: hinted, generation: {hint: \"{problem}{proof}\"}}"
        let scope = try laboratory.scope(laboratory.text(arms: arms))
        let failure = #expect(throws: Failure.self) { try Laboratory.generate(scope) }
        #expect(failure?.kind == .badData)
        #expect(failure?.description.contains("'proof', which generation.hint names") == true)
        let problem = Problem(
            id: "a",
            problem: "1+{answer}",
            answer: "{problem}",
            extra: JSONObject([("proof", "so")])
        )
        // What is put in is not looked at again.
        let text = try Hint("{proof} {problem} {answer} \\boxed{3}").text(of: problem)
        #expect(text == "so 1+{answer} {problem} \\boxed{3}")
    }

    @Test func tracesOfAnotherArmStandInWhereNoTryPasses() throws {
        let laboratory = try Laboratory()
        let scope = try ArmTests.scope(
            laboratory,
            arms: """
                  teacher: {kind: teacher-filtered}
                  rsd: {kind: rsd}
                  crop: {kind: rsd, selection: {fallback: teacher}}
                """
        )
        let (own, spare, both) = (
            try ArmTests.selection(scope, "rsd"), try ArmTests.selection(scope, "teacher"),
            try ArmTests.selection(scope, "crop")
        )
        #expect(own.selected.map(\.id) == ["q"] && spare.selected.map(\.id) == ["p", "q"])
        #expect(both.selected.map(\.id) == ["p", "q"])
        #expect(both.selected[0].ids == spare.selected[0].ids)
        #expect(both.selected[1].ids == own.selected[0].ids)
        #expect(both.selection?.solvedCount == 2)
        // The stage depends on both arms, and comes behind the tries of both.
        let graph = try StageGraph(scope.layout, goals: [.selection])
        let node = try #require(
            graph.nodes.first { $0.arm?.name == "crop" && $0.kind == .selection }
        )
        #expect(node.needs.map { graph.nodes[$0].label } == ["rsd", "teacher"])
        let folders = try ["crop", "rsd"].map {
            try scope.layout.selection(scope.experiment.arm($0), seed: 1)?.hash
        }
        #expect(folders[0] != folders[1])
    }
}
