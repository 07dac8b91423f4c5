import Basics
import Foundation
import Testing

/// Arms that have nothing to train on, beside others that have.
@Suite struct EmptyArmTests {
    /// An arm of traces made elsewhere, and arms whose random models answer nothing.
    static let experiment = """
        name: empty
        seeds: [3]
        models:
          teacher: &tiny {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
            pretraining: {steps: 1, batch: 4}}}
          student: *tiny
        problems: {chain: {count: 2, operations: [2]}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        generation: {tries: 4, maxNewTokens: 6}
        evaluation: {maxNewTokens: 6}
        training: {learningRate: 1e-3, epochs: 1, batch: 2, maxLength: 64}
        arms:
          base: {kind: base}
          rsd: {kind: rsd, selection: {requireEndOfTurn: false, maxFallbackRate: 1}}
          again: {kind: rsd, student: rsd}
          matched: {kind: direct, traces: {path: traces.jsonl}, match: {arms: [rsd]}}
          long: {kind: direct, traces: {path: traces.jsonl}, training: {maxLength: 4}}
          direct: {kind: direct, traces: {path: traces.jsonl}}

        """

    static func prepare(_ more: String = "") throws -> Scratch {
        let folder = try Scratch()
        try folder.write(experiment + more, "empty.yaml")
        try folder.write(
            "{\"problem\":\"1+2?\",\"answer\":\"3\",\"trace\":\"1+2=3, #3\"}\n",
            "traces.jsonl"
        )
        return folder
    }

    /// The last line that a program wrote to standard error.
    static func lastLine(_ result: Program.Result) -> String {
        result.error.split(separator: "\n").last.map(String.init) ?? ""
    }

    @Test func theOtherArmsGoOn() throws {
        let folder = try Self.prepare()
        func run(_ program: String, _ arguments: String...) throws -> Program.Result {
            try Program(program, in: folder).run(arguments)
        }
        let boxes = "none of 8 tries states its answer in a box"
        let generated = try run("rsd-generate", "run", "empty.yaml")
        #expect(generated.status == 1, "\(generated.error)")
        #expect(generated.output.contains("| direct"))
        for fragment in ["rsd (seed 3: \(boxes))", "again (seed 3: it starts", "matched (seed 3"] {
            #expect(Self.lastLine(generated).contains(fragment), "\(generated.error)")
        }
        #expect(generated.error.contains("\nSay in template.system how"), "\(generated.error)")

        let trained = try run("rsd-train", "run", "empty.yaml")
        #expect(trained.status == 1, "\(trained.error)")
        let long = "long (seed 3: all of its traces (1) are longer than training.maxLength"
        for fragment in ["rsd (seed 3: \(boxes))", "again (", "matched (", long] {
            #expect(Self.lastLine(trained).contains(fragment), "\(trained.error)")
        }
        #expect(!Self.lastLine(trained).contains("direct ("))
        #expect(folder.files(named: "model.h5", below: "runs/empty/training").count == 1)

        let scored = try run("rsd-evaluate", "run", "empty.yaml")
        #expect(scored.status == 1, "\(scored.error)")
        #expect(Self.lastLine(scored) == Self.lastLine(trained))
        let samples = folder.files(named: "chain2.jsonl", below: "runs/empty/evaluation")
        #expect(samples.count == 2)

        let report = try run("rsd-evaluate", "report", "empty.yaml")
        #expect(report.status == 0, "\(report.error)")
        for row in ["| base ", "| rsd ", "| direct "] { #expect(report.output.contains(row)) }
        #expect(report.output.contains(boxes), "\(report.output)")

        // An arm that has something is no matter of the others.
        for program in ["rsd-generate", "rsd-train", "rsd-evaluate"] {
            let only = try run(program, "run", "empty.yaml", "--arm", "direct")
            #expect(only.status == 0, "\(only.error)")
            let empty = try run(program, "run", "empty.yaml", "--arm", "rsd")
            #expect(empty.status == 1 && Self.lastLine(empty).contains(boxes), "\(empty.error)")
        }
        let selected = try run("rsd-generate", "select", "empty.yaml")
        #expect(selected.status == 1 && Self.lastLine(selected).contains(boxes))
    }
}
