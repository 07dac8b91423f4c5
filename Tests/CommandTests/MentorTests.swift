import Basics
import Foundation
import Testing

/// An arm that trains the teacher, and arms that are taught by what it has trained.
@Suite struct MentorTests {
    static let experiment = """
        name: mentor
        seeds: [3, 4]
        models:
          teacher: {scratch: {hiddenSize: 24, layers: 1, heads: 2, intermediateSize: 32,
            sharedAcrossSeeds: true, pretraining: {steps: 3, batch: 4}}}
          student: {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
            pretraining: {steps: 2, batch: 4}}}
        problems: {chain: {count: 2, operations: [2]}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        answers: {style: marker, start: "#"}
        generation: {tries: 2, maxNewTokens: 6}
        selection: {requireCorrect: false, requireEndOfTurn: false}
        evaluation: {maxNewTokens: 6}
        training: {learningRate: 1e-2, epochs: 2, batch: 2, maxLength: 64}
        arms:
          base: {kind: base}
          tutor:
            kind: direct
            traces: {path: traces.jsonl}
            model: teacher
            training: {lora: {rank: 4}}
            evaluate: false
          rsd: {kind: rsd, teacher: tutor}
          filtered: {kind: teacher-filtered, teacher: tutor}
          tries: {kind: direct, teacher: tutor, selection: {requireEndOfTurn: false}}
          soft: {kind: student-only, teacher: tutor, training: {objective: reverse-kl}}
          untaught: {kind: rsd}

        """

    @Test func aTrainedTeacherTeaches() throws {
        let folder = try Scratch()
        try folder.write(Self.experiment, "mentor.yaml")
        try folder.write(
            (0..<4).map { _ in
                "{\"problem\":\"1+2?\",\"answer\":\"3\",\"trace\":\"1+2=3, #3\"}\n"
            }.joined(),
            "traces.jsonl"
        )
        func run(_ program: String, _ arguments: String...) throws -> Program.Result {
            let result = try Program(program, in: folder).run(arguments)
            #expect(result.status == 0, "\(result.error)")
            return result
        }
        let plan = try run("rsd-train", "run", "mentor.yaml", "--dry-run")
        #expect(plan.output.contains("training tutor seed 3"), "\(plan.output)")
        #expect(!plan.output.contains("evaluation tutor"), "\(plan.output)")
        // One arm alone brings along what teaches it.
        _ = try run("rsd-generate", "run", "mentor.yaml", "--arm", "rsd", "--seed", "4")
        #expect(folder.files(named: "model.h5", below: "runs/mentor/training").count == 1)
        _ = try run("rsd-generate", "run", "mentor.yaml")
        _ = try run("rsd-train", "run", "mentor.yaml")
        _ = try run("rsd-evaluate", "run", "mentor.yaml")
        // Two seeds of six arms; the two arms of the teacher's tries share theirs.
        #expect(folder.files(named: "model.h5", below: "runs/mentor/training").count == 12)
        let traces = folder.files(named: "traces.jsonl", below: "runs/mentor/traces")
        #expect(traces.count == 8)
        let tries = try traces.map { try TextFile.read($0) }
        #expect(Set(tries).count == 8, "what is taught by another teacher has other tries")
        let report = try run("rsd-evaluate", "report", "mentor.yaml")
        #expect(!report.output.contains("| tutor"), "\(report.output)")
        #expect(report.output.contains("| soft"), "\(report.output)")

        // All is done: the same commands write nothing anew.
        func contents() -> [String: Data] {
            let files = ["model.h5", "traces.jsonl", "selected.jsonl", "manifest.json"]
            let found = files.flatMap { folder.files(named: $0, below: "runs/mentor") }
            return Dictionary(
                uniqueKeysWithValues: found.map { ($0, (try? TextFile.read($0)) ?? Data()) }
            )
        }
        let before = contents()
        _ = try run("rsd-generate", "run", "mentor.yaml")
        _ = try run("rsd-train", "run", "mentor.yaml")
        #expect(contents() == before)

        _ = try run("rsd-evaluate", "run", "mentor.yaml", "--arm", "tutor")
        let samples = folder.files(named: "chain2.jsonl", below: "runs/mentor/evaluation")
        #expect(samples.count { $0.contains("/tutor-seed") } == 2)
        let again = try run("rsd-evaluate", "report", "mentor.yaml")
        #expect(!again.output.contains("| tutor"), "\(again.output)")
    }
}
