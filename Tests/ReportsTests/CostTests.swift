import Basics
import ExperimentSupport
import Foundation
import Records
import TestSupport
import Testing

@testable import Experiments
@testable import Reports
@testable import Scoring

@Suite struct CostTests {
    private func write(_ stage: Stage?, seconds: Double, _ results: JSON) throws {
        let stage = try #require(stage)
        try stage.prepare()
        let manifest: JSON = [
            "status": "finished", "wall_seconds": .number(seconds), "earlier_seconds": 1,
            "results": results,
        ]
        try TextFile.write(manifest.pretty, to: stage.manifest)
    }

    /// An experiment whose tries, selections and trainings are records alone.
    ///
    /// `own` and `gated` have tries of their own, `masked` those of `gated`, `further` goes on from its
    /// student, and `distilled` asks the teacher while it trains.
    private func layout(in folder: TemporaryFolder) throws -> RunLayout {
        let text = """
            name: costs
            seeds: [1]
            models:
              student: {path: "\(folder.file("s.h5"))"}
              teacher: {path: "\(folder.file("t.h5"))"}
            problems: {chain: {count: 2, operations: [2]}}
            benchmarks: [{name: tiny, chain: {count: 2, operations: [2]}}]
            template: {preset: plain, endOfTurn: $}
            generation: {tries: 2}
            training: {epochs: 3}
            arms:
              base: {kind: base}
              own: {kind: student-only}
              gated: {kind: rsd}
              masked: {kind: rsd, selection: {maskBelow: 0.5}, match: {arms: [own]}}
              further: {kind: rsd, student: gated}
              crop: {kind: rsd, selection: {fallback: own}}
              distilled: {kind: rsd, training: {objective: forward-kl}}
              outside: {kind: direct, traces: {path: "\(folder.file("x.jsonl"))"}}
            """
        for name in ["s.h5", "t.h5", "x.jsonl"] {
            try TextFile.write("\(name)\n", to: folder.file(name))
        }
        let experiment = try Experiment(text: text, file: folder.file("costs.yaml"))
        let layout = RunLayout(experiment, environment: ["RSD_RUNS": folder.file("runs")])
        for arm in experiment.arms where arm.kind != .base {
            if arm.isGenerated {
                let tokens = arm.kind == .studentOnly ? 70 : arm.student == nil ? 100 : 130
                try write(
                    try layout.traces(arm, seed: 1),
                    seconds: 10,
                    ["tokens": .integer(tokens)]
                )
            }
            let selection = try layout.selection(arm, seed: 1)
            try write(selection, seconds: 2, [:])
            try TextFile.write("{\"of\": \"\(arm.name)\"}\n", to: try #require(selection).selected)
            let training = try layout.training(arm, seed: 1)
            try write(training, seconds: 20, ["steps": 2, "target_tokens": 5])
            try JSONLines.write(
                [
                    ["step": 0, "loss": 1, "tokens": 40], ["step": 1, "loss": 1, "tokens": 50],
                ],
                to: try #require(training).file("metrics.jsonl")
            )
        }
        return layout
    }

    private func cost(_ arm: String, _ layout: RunLayout) throws -> ReportModel.Cost {
        try #require(try CostLedger(layout).costs.first { $0.arm == arm })
    }

    @Test func anArmIsChargedAllThatItNeedsAndNothingElse() throws {
        let folder = try TemporaryFolder()
        let layout = try layout(in: folder)
        #expect(try cost("base", layout) == .free("base", 1))
        // Three epochs of five target tokens; two steps of 40 and 50; tries, selection, training,
        // each with a second of an earlier run.
        let own = try cost("own", layout)
        #expect(own.targetTokens == 15 && own.trainingTokens == 90 && own.steps == 2)
        #expect(own.sampledTokens == 70 && own.teacherTokens == 0)
        #expect(own.generationSeconds == 14 && own.trainingSeconds == 21 && own.seconds == 35)
        let gated = try cost("gated", layout)
        #expect(gated.sampledTokens == 100 && gated.teacherTokens == 100)
        // Shared tries count in full, those that it is only matched with do not.
        let masked = try cost("masked", layout)
        #expect(masked.sampledTokens == 100 && masked.generationSeconds == 14)
        #expect(masked.stage != gated.stage)
        // Its own tries and training, and those of the arm whose student it starts from.
        let further = try cost("further", layout)
        #expect(further.sampledTokens == 230 && further.trainingTokens == 180)
        #expect(further.seconds == 70)
        // Tries of another arm that take the place of its own where none passes.
        let crop = try cost("crop", layout)
        #expect(crop.sampledTokens == 170 && crop.teacherTokens == 100)
        // The teacher reads in training what the student reads.
        #expect(try cost("distilled", layout).teacherTokens == 190)
    }

    @Test func whatNobodyRecordedIsNotKnown() throws {
        let folder = try TemporaryFolder()
        let layout = try layout(in: folder)
        let outside = try cost("outside", layout)
        #expect(outside.teacherTokens == nil && outside.generationSeconds == nil)
        #expect(outside.trainingSeconds == 21 && outside.seconds == nil)
        #expect(outside.targetTokens == 15)
        let training = try #require(
            try layout.training(layout.experiment.arm("own"), seed: 1)
        )
        // A step without a row, then a stage that is under way, then numbers that cannot be.
        try JSONLines.write(
            [["step": 0, "loss": 1, "tokens": 40]],
            to: training.file("metrics.jsonl")
        )
        #expect(try cost("own", layout).trainingTokens == nil)
        #expect(try cost("own", layout).targetTokens == 15)
        try TextFile.write(#"{"status": "running"}"#, to: training.manifest)
        #expect(try cost("own", layout).trainingSeconds == nil)
        #expect(try cost("own", layout).targetTokens == nil)
        try TextFile.write(
            """
            {"status": "finished", "wall_seconds": 1e300,
            "results": {"steps": 2, "target_tokens": \(Int.max)}}
            """,
            to: training.manifest
        )
        let damaged = try cost("own", layout)
        #expect(damaged.trainingSeconds == nil && damaged.targetTokens == nil)
    }

    /// What a training that samples while it trains records of each step.
    @Test func rolloutsCountAsGeneration() throws {
        let folder = try TemporaryFolder()
        let layout = try layout(in: folder)
        let training = try #require(
            try layout.training(layout.experiment.arm("own"), seed: 1)
        )
        let rows = (0..<2).map { step -> JSON in
            [
                "step": .integer(step), "loss": 1, "tokens": 40, "sampled_tokens": 30,
                "teacher_tokens": 44, "sampling_seconds": 4.5, "teacher_seconds": 1,
                "student_seconds": 2, "target_tokens": 25,
            ]
        }
        try JSONLines.write(rows, to: training.file("metrics.jsonl"))
        let cost = try cost("own", layout)
        #expect(cost.sampledTokens == 130 && cost.teacherTokens == 88 && cost.targetTokens == 50)
        #expect(cost.generationSeconds == 23 && cost.trainingSeconds == 12)
    }

    @Test func aFileOfCostsReadsBack() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("costs.csv")
        #expect(try CostFile.read(path).isEmpty)
        let costs = ReportExample.realistic().costs + [.init(arm: "a,\"b\"", seed: 7)]
        try TextFile.write(CostFile.text(costs), to: path)
        #expect(try CostFile.read(path) == costs)
        let good = CostFile.text([.free("a", 1)])
        for (bad, expected) in [
            (good.replacing("a,1,", with: "a,-1,"), "seed"),
            (good.replacing("0.0,", with: "soon,"), "generation_seconds"),
            (good.replacing("0.0,", with: "1e99,"), "generation_seconds"),
            (good.replacing("steps", with: "step"), "columns"),
        ] {
            try TextFile.write(bad, to: path)
            let found = failure { _ = try CostFile.read(path) }
            #expect(found?.kind == .badData && found?.message.contains(expected) == true)
        }
    }

    @Test func costsStandBesideAccuracyAndOutsideTheTables() throws {
        let model = ReportExample.realistic()
        let table = CostTable(model: model).markdown
        #expect(table.contains("| rsd"))
        let files = try ReportFiles.render(model)
        func text(_ path: String) -> String { files.first { $0.path == path }?.text ?? "" }
        #expect(text("costs.md") == table && !text("costs.csv").isEmpty)
        #expect(ParsedXML(text("plots/costs.svg")).error == nil)
        #expect(text("plots/costs.svg").contains("Machine time"))
        #expect(text("report.html").contains("id=\"costs\""))
        // What CI compares is the same with and without costs.
        var free = model
        free.costs = []
        let others = try ReportFiles.render(free)
        #expect(!others.contains { $0.path.contains("cost") })
        for path in ["table.md", "table.csv", "traces.csv"] {
            #expect(text(path) == others.first { $0.path == path }?.text, "\(path)")
        }
    }

    @Test func aReportWithoutRunsTakesTheCostsOfTheLast() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        for job in try tiny.jobs(experiment) { try ReportRunTests.write("rrrrwwww", of: job) }
        let layout = RunLayout(experiment, environment: tiny.environment)
        let arm = try experiment.arm("direct")
        try write(try layout.training(arm, seed: 1), seconds: 20, ["steps": 2, "target_tokens": 5])
        var run = ReportRunTests.report(tiny, experiment)
        let costs = try run.run().model.costs
        #expect(costs.map(\.trainingSeconds) == [0, 21])
        try FileManager.default.removeItem(at: tiny.folder.appending(path: "runs"))
        run.counts = .scores
        #expect(try run.run().model.costs == costs)
        // Costs of another training are not this one's.
        let path = "\(layout.resultsFolder)/costs.csv"
        let other = costs.map { cost in
            var copy = cost
            copy.stage = cost.stage.map { _ in "0f" }
            return copy
        }
        try TextFile.write(CostFile.text(other), to: path)
        _ = try tiny.experiment()
        #expect(try run.run().model.costs.last?.trainingSeconds == nil)
    }
}
