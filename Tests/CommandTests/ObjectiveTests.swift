import Basics
import Foundation
import Testing

/// Learning a teacher's distributions, with the teacher and without it.
@Suite struct ObjectiveTests {
    static let models = """
        models:
          teacher: {scratch: {hiddenSize: 24, layers: 1, heads: 2, intermediateSize: 32,
            initializerRange: 0.3, pretraining: {steps: 1, batch: 4}}}
          student: {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
            initializerRange: 0.3, pretraining: {steps: 1, batch: 4}}}

        """
    static let experiment = """
        name: objectives
        seeds: [3]
        \(models)benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        training: {learningRate: 1e-2, epochs: 2, batch: 1, maxLength: 64}
        arms:
          base: {kind: base}
          hard: {kind: direct, traces: {path: traces.jsonl}}
          soft: {kind: direct, traces: {path: traces.jsonl}, training: {objective: forward-kl}}
          both: {kind: direct, traces: {path: traces.jsonl},
            training: {objective: skew-kl, lossTemperature: 2, divergenceWeight: 0.5}}
          stored: {kind: direct, traces: {path: traces.jsonl},
            training: {objective: forward-kl, teacherTargets: targets.jsonl}}

        """

    private func metrics(_ folder: Scratch, _ arm: String) throws -> [JSON] {
        let files = folder.files(named: "metrics.jsonl", below: "runs/objectives/training")
        let path = try #require(files.first { $0.contains("/\(arm)-seed3-") })
        return try JSONLines.read(path) { $0 }
    }

    @Test func aTeacherTeachesBesideTheStudentAndFromAFile() throws {
        let folder = try Scratch()
        try folder.write(Self.experiment, "objectives.yaml")
        try folder.write(
            """
            {"problem":"1+2?","answer":"3","trace":"1+2=3, #3"}
            {"problem":"2+2?","answer":"4","trace":"2+2=4, #4"}

            """,
            "traces.jsonl"
        )
        func run(_ program: String, _ arguments: String...) throws -> Program.Result {
            try Program(program, in: folder).run(arguments)
        }
        let early = try run("rsd-generate", "targets", "objectives.yaml", "--to", "targets.jsonl")
        #expect(early.status == 66, "\(early.error)")
        let selected = try run("rsd-generate", "run", "objectives.yaml")
        #expect(selected.status == 0, "\(selected.error)")
        let plan = try run("rsd-train", "run", "objectives.yaml", "--arm", "stored", "--dry-run")
        #expect(plan.status == 66 && plan.error.contains("arms.stored.training.teacherTargets"))
        let without = try run("rsd-train", "run", "objectives.yaml", "--arm", "stored")
        #expect(without.status == 66 && without.error.contains("rsd-generate targets"))
        for arm in ["hard", "soft", "both"] {
            let trained = try run("rsd-train", "run", "objectives.yaml", "--arm", arm)
            #expect(trained.status == 0, "\(trained.error)")
        }
        // The miniature world has fewer tokens than that, so the file holds all of them.
        let targets = ["targets", "objectives.yaml", "--arm", "soft", "--to", "targets.jsonl"]
        let kept = try Program("rsd-generate", in: folder).run(targets + ["--top", "100"])
        #expect(kept.status == 0 && kept.error.contains("targets of 2 traces"), "\(kept.error)")
        let usage = try Program("rsd-generate", in: folder).run(targets + ["--top", "0"])
        #expect(usage.status == 64)
        let trained = try run("rsd-train", "run", "objectives.yaml", "--arm", "stored")
        #expect(trained.status == 0, "\(trained.error)")

        let (soft, stored) = (try metrics(folder, "soft"), try metrics(folder, "stored"))
        #expect(soft.count == 4 && stored.count == 4)
        for (one, two) in zip(soft, stored) {
            let losses = (try one.number("loss"), try two.number("loss"))
            #expect(losses.0 > 0 && abs(losses.0 - losses.1) < 1e-4)
            #expect(one["divergence"] == nil)
        }
        for step in try metrics(folder, "both") {
            let parts = (try step.number("divergence"), try step.number("cross_entropy"))
            let loss = try step.number("loss")
            #expect(parts.0 > 0 && abs(0.5 * parts.0 + 0.5 * parts.1 - loss) < 1e-5)
        }
        #expect(try metrics(folder, "hard").allSatisfy { $0["divergence"] == nil })

        // Another student numbers other tokens.
        let path = folder.path("targets.jsonl")
        let records = String(decoding: try TextFile.read(path), as: UTF8.self)
        let vocabulary = try JSON(parsing: records.split(separator: "\n")[0].description)
            .string("vocabulary")
        try folder.write(
            records.replacing(vocabulary, with: String(vocabulary.reversed())),
            "targets.jsonl"
        )
        let other = try run("rsd-train", "run", "objectives.yaml", "--arm", "stored")
        #expect(other.status == 65 && other.error.contains("another tokenizer"), "\(other.error)")

        let alone = Self.experiment.replacing("  teacher: {", with: "  ignored: {")
        try folder.write(alone, "alone.yaml")
        let mistake = try run("rsd-train", "run", "alone.yaml")
        #expect(mistake.status == 78, "\(mistake.error)")
        #expect(mistake.error.contains("forward-kl learns a teacher's"), "\(mistake.error)")
    }
}
