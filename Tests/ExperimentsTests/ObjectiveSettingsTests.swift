import Basics
import Foundation
import Testing

@testable import Experiments

@Suite struct ObjectiveSettingsTests {
    private static let paths =
        "models: {student: {path: FOLDER/s.gguf}, teacher: {path: FOLDER/t.gguf}}"

    /// The training stages of an arm whose training has more keys, and what they need.
    private func training(_ keys: String, models: String = paths, in folder: String) throws
        -> (stage: Stage, graph: StageGraph)
    {
        let text = experimentText(
            models: models.replacing("FOLDER", with: folder),
            arms: "arms: {base: {kind: base}, rsd: {kind: rsd, training: {\(keys)}}}"
        )
        let layout = RunLayout(
            try Experiment(text: text, file: "small.yaml"),
            environment: ["RSD_RUNS": "\(folder)/runs"]
        )
        let arm = try layout.experiment.arm("rsd")
        let selection = try #require(try layout.selection(arm, seed: 1))
        try TextFile.write("trace", to: selection.selected)
        let stage = try #require(try layout.training(arm, seed: 1))
        return (stage, try StageGraph(layout, goals: [.training]))
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        try withFolder { folder in
            for (name, text) in [("s.gguf", "s"), ("t.gguf", "t"), ("targets.jsonl", "{}")] {
                try TextFile.write(text, to: "\(folder)/\(name)")
            }
            try body(folder)
        }
    }

    @Test func onlyOtherObjectivesAreInNames() throws {
        try inFolder { folder in
            let plain = try training("epochs: 2", in: folder).stage
            let same = try training("epochs: 2, objective: cross-entropy", in: folder).stage
            #expect(plain.hash == same.hash && plain.inputs["inputs"]?["teacher"] == nil)
            var hashes: Set<String> = [plain.hash]
            for keys in [
                "objective: forward-kl", "objective: reverse-kl", "objective: jsd",
                "objective: jsd, jsdBeta: 0.1", "objective: skew-kl",
                "objective: skew-kl, skewAlpha: 0.2", "objective: jsd, lossTemperature: 2",
                "objective: jsd, divergenceWeight: 0.5",
                "objective: jsd, teacherTargets: \(folder)/targets.jsonl",
            ] {
                hashes.insert(try training("epochs: 2, \(keys)", in: folder).stage.hash)
            }
            #expect(hashes.count == 10)
        }
    }

    @Test func aTrainingDependsOnTheTeacherThatItAsks() throws {
        try inFolder { folder in
            let keys = "objective: forward-kl"
            let stored = "\(keys), teacherTargets: \(folder)/targets.jsonl"
            let before = try [keys, stored].map { try training($0, in: folder).stage }
            #expect(before[0].inputs["inputs"]?["teacher"]?.string?.count == 64)
            #expect(before[1].inputs["inputs"]?["teacher"] == nil)
            let other = "FOLDER/t.gguf"
            try TextFile.write("another", to: "\(folder)/u.gguf")
            let models = Self.paths.replacing(other, with: "FOLDER/u.gguf")
            // Traces depend on the teacher as well, so their contents are written again.
            #expect(try training(keys, models: models, in: folder).stage.hash != before[0].hash)
            #expect(try training(stored, models: models, in: folder).stage.hash == before[1].hash)
            try TextFile.write("{ }", to: "\(folder)/targets.jsonl")
            #expect(try training(stored, in: folder).stage.hash != before[1].hash)
            try FileManager.default.removeItem(atPath: "\(folder)/targets.jsonl")
            let text = failureText { _ = try training(stored, in: folder) }
            #expect(text.hasPrefix("66: ") && text.contains("rsd-generate targets small.yaml"))
        }
    }

    @Test func aTeacherFromScratchIsTrainedBefore() throws {
        for (objective, isNeeded) in [("cross-entropy", false), ("reverse-kl", true)] {
            let experiment = try experiment(
                arms: "arms: {own: {kind: student-only, training: {objective: \(objective)}}}"
            )
            let graph = try StageGraph(RunLayout(experiment), goals: [.training])
            let teacher = graph.nodes.firstIndex { $0.label == "teacher" }
            #expect((teacher != nil) == isNeeded)
            let training = try #require(graph.nodes.first { $0.kind == .training })
            #expect(teacher.map(training.needs.contains) == (isNeeded ? true : nil))
        }
    }

    @Test func theTeacherIsPartOfTheEstimate() throws {
        let estimates = try ["cross-entropy", "jsd"].map { objective -> Estimate in
            let experiment = try experiment(
                arms: "arms: {rsd: {kind: rsd, training: {objective: \(objective)}}}"
            )
            let graph = try StageGraph(RunLayout(experiment), goals: [.training])
            let node = try #require(graph.nodes.first { $0.kind == .training })
            return try #require(try node.estimate())
        }
        #expect(estimates[1].seconds > estimates[0].seconds)
        #expect(estimates[1].memoryBytes > estimates[0].memoryBytes)
        #expect(estimates[1].diskBytes == estimates[0].diskBytes)
    }

    static let alone = "models: {student: {path: m.gguf}}"
    static let mistakes: [(models: String?, keys: String, expected: String)] = [
        (
            alone, "objective: forward-kl",
            "78: small.yaml: line 6: arms.own.training.objective: forward-kl learns a teacher's "
                + "distributions, and there is no teacher\nGive models.teacher, or "
                + "training.teacherTargets, a file that rsd-generate targets wrote."
        ),
        (alone, "objective: forward-kl, teacherTargets: x.jsonl", "no failure"),
        (
            nil, "objective: forward",
            "78: small.yaml: line 6: arms.own.training.objective: found 'forward'; expected one of "
                + "cross-entropy, forward-kl, reverse-kl, jsd, skew-kl"
        ),
        (
            nil, "objective: jsd, jsdBeta: 1",
            "78: small.yaml: line 6: arms.own.training.jsdBeta: found 1; expected a number from "
                + "0.01 to 0.99"
        ),
        (
            nil, "objective: jsd, teacherTargets: x.jsonl, lossTemperature: 2",
            "78: small.yaml: line 6: arms.own.training.lossTemperature: found 2 with "
                + "teacherTargets, which hold probabilities at 1; expected 1"
        ),
    ]

    @Test(arguments: mistakes) func names(
        _ test: (models: String?, keys: String, expected: String)
    ) {
        let arms = "arms: {own: {kind: student-only, training: {\(test.keys)}}}"
        let text =
            test.models.map { experimentText(models: $0, arms: arms) } ?? experimentText(arms: arms)
        let found = failureText { _ = try Experiment(text: text, file: "small.yaml") }
        #expect(found == test.expected)
    }
}
