import Basics
import Foundation
import Testing

/// Students scored on the way: kept while they are trained, sampled, reported as a curve.
@Suite struct CurveTests {
    private static func experiment(_ more: String) -> String {
        ObjectiveTests.experiment
            .replacing("batch: 1,", with: "batch: 1, saveEvery: 3,")
            .components(separatedBy: "  soft:")[0]
            .replacing("arms:\n", with: "evaluation: {maxNewTokens: 8\(more)}\narms:\n")
    }

    @Test func studentsAreScoredOnTheWay() throws {
        let folder = try Scratch()
        try folder.write(
            """
            {"problem":"1+2?","answer":"3","trace":"1+2=3, #3"}
            {"problem":"2+2?","answer":"4","trace":"2+2=4, #4"}

            """,
            "traces.jsonl"
        )
        @discardableResult
        func run(_ program: String, _ arguments: String...) throws -> Program.Result {
            let result = try Program(program, in: folder).run(arguments)
            #expect(result.status == 0, "\(program) \(arguments): \(result.error)")
            return result
        }
        func result(_ name: String) throws -> String {
            String(
                decoding: try TextFile.read(folder.path("results/objectives/\(name)")),
                as: UTF8.self
            )
        }
        func models() -> [String] {
            folder.files(named: nil, below: "runs/objectives/training")
                .map { URL(filePath: $0).lastPathComponent }
                .filter { $0.hasPrefix("model") }.sorted()
        }
        // Two traces, two epochs, batches of one: four steps.
        try folder.write(Self.experiment(""), "c.yaml")
        try run("rsd-generate", "run", "c.yaml")
        try run("rsd-train", "run", "c.yaml")
        try run("rsd-evaluate", "run", "c.yaml")
        #expect(models() == ["model.h5"])
        let path = try #require(
            folder.files(named: "model.h5", below: "runs/objectives/training").first
        )
        let trained = try TextFile.read(path)

        // Asked for afterwards, they take another training, to the same bytes.
        try folder.write(Self.experiment(", atSteps: [1, 3, 4, 9]"), "c.yaml")
        let plan = try run("rsd-evaluate", "run", "c.yaml", "--dry-run").output
        #expect(plan.contains("evaluation hard step 3 seed 3"), "\(plan)")
        #expect(!plan.contains("step 4 seed 3"), "\(plan)")
        let missing = try Program("rsd-evaluate", in: folder).run(["run", "c.yaml"])
        #expect(missing.status == 66 && missing.error.contains("rsd-train run"), "\(missing.error)")
        let again = try run("rsd-train", "run", "c.yaml")
        #expect(
            again.error.contains("trains again, for the weights after step 1, 3"),
            "\(again.error)"
        )
        #expect(again.error.contains("atSteps has 4, and training ends after 4 steps"))
        #expect(models() == ["model-step1.h5", "model-step3.h5", "model.h5"])
        #expect(try TextFile.read(path) == trained)
        #expect(try TextFile.read(path.replacing("model.h5", with: "model-step3.h5")) != trained)

        let sampled = try run("rsd-evaluate", "run", "c.yaml", "--arm", "hard")
        #expect(sampled.error.contains("hard step 1 seed 3 chain2"), "\(sampled.error)")
        #expect(!sampled.error.contains("hard seed 3 chain2"), "what is scored is left as it is")
        try run("rsd-evaluate", "report", "c.yaml")
        let curve = try result("curve.csv")
        let rows = try CSV(parsing: Array(curve.utf8)).rows.map {
            $0.fields.prefix(3).joined(separator: " ")
        }
        #expect(
            rows
                == [0, 1, 3, 4].flatMap { step in
                    ["hard \(step).0 chain2", "hard \(step).0 average"]
                }
        )
        #expect(try result("plots/curve.svg").contains("optimizer step"))
        let table = try result("table.md")
        // Without the runs the same report is made of the scores.
        try run("rsd-evaluate", "report", "c.yaml", "--from-scores")
        #expect(try result("curve.csv") == curve)
        #expect(try result("table.md") == table)
        try run("rsd-evaluate", "rescore", "c.yaml", "--from-scores")

        // What has been scored needs its weights no more.
        for name in ["model-step1.h5", "model-step3.h5"] {
            try FileManager.default.removeItem(atPath: path.replacing("model.h5", with: name))
        }
        #expect(try !run("rsd-train", "run", "c.yaml").error.contains("trains again"))
        try run("rsd-evaluate", "run", "c.yaml")
    }
}
