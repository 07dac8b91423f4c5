import Basics
import Foundation
import Testing

@testable import Experiments

@Suite struct ScoredStepsTests {
    private static let arms =
        "arms: {base: {kind: base}, own: {kind: student-only}, rsd: {kind: rsd, atSteps: [2, 1]}, "
        + "off: {kind: rsd, atSteps: []}}"

    @Test func stepsEndBeforeTheEndOfTraining() {
        #expect(ScoredSteps.listed([1, 5, 9]).steps(before: 9) == [1, 5])
        #expect(ScoredSteps.every(4).steps(before: 12) == [4, 8])
        #expect(ScoredSteps.every(4).steps(before: 0) == [])
    }

    @Test func anArmHasStepsOfItsOwnOrThoseOfAll() throws {
        let experiment = try experiment(arms: Self.arms, more: "evaluation: {atSteps: 3}")
        #expect(try experiment.scoredSteps(of: experiment.arm("base")) == nil)
        #expect(try experiment.scoredSteps(of: experiment.arm("own")) == .every(3))
        #expect(try experiment.scoredSteps(of: experiment.arm("rsd")) == .listed([1, 2]))
        #expect(try experiment.scoredSteps(of: experiment.arm("off")) == .listed([]))
    }

    @Test(arguments: ["0", "-1", "1.5", "often", "[1, 0]", "[2, 2]", "[1, x]"])
    func otherStepsAreRefused(_ steps: String) {
        let text = failureText { _ = try experiment(more: "evaluation: {atSteps: \(steps)}") }
        #expect(text.hasPrefix("78: small.yaml: line 7: evaluation.atSteps: found"), "\(text)")
        #expect(text.contains("expected a list of different whole numbers of at least 1"))
    }

    @Test func aBaseArmHasNoSteps() {
        let text = failureText {
            _ = try experiment(arms: "arms: {base: {kind: base, atSteps: 3}}")
        }
        #expect(
            text
                == "78: small.yaml: line 6: arms.base.atSteps: an arm of kind base trains nothing; "
                + "expected no atSteps"
        )
    }

    @Test func anArmThatIsNotScoredIsNotScoredOnTheWay() throws {
        let experiment = try experiment(
            arms: "arms: {base: {kind: base}, tutor: {kind: rsd, evaluate: false}}",
            more: "evaluation: {atSteps: 3}"
        )
        #expect(try experiment.scoredSteps(of: experiment.arm("tutor")) == nil)
    }

    @Test func theyAreStagesOfTheGraphAndRenameNoOther() throws {
        try withFolder { folder in
            // Four problems in batches of 16, five epochs: five steps, before anything is known.
            func names(_ more: String) throws -> [String] {
                let layout = RunLayout(
                    try experiment(arms: Self.arms, more: more),
                    environment: ["RSD_RUNS": folder]
                )
                return StageGraphTests.names(try StageGraph(layout, goals: [.evaluation]))
            }
            let all = try names("evaluation: {atSteps: 2}")
            #expect(
                all.filter { $0.hasPrefix("evaluation") && $0.hasSuffix(" 1") } == [
                    "evaluation base 1", "evaluation own 1", "evaluation own step 2 1",
                    "evaluation own step 4 1", "evaluation rsd 1", "evaluation rsd step 1 1",
                    "evaluation rsd step 2 1", "evaluation off 1",
                ]
            )
            #expect(try names("").contains("evaluation own step 2 1") == false)

            let plain = RunLayout(try experiment(), environment: ["RSD_RUNS": folder])
            let scored = RunLayout(
                try experiment(more: "evaluation: {atSteps: 2}"),
                environment: ["RSD_RUNS": folder]
            )
            let arm = try plain.experiment.arm("rsd")
            let selection = try #require(try plain.selection(arm, seed: 1))
            try TextFile.write("{}\n", to: selection.selected)
            let training = try #require(try plain.training(arm, seed: 1))
            #expect(try scored.training(arm, seed: 1)?.folder == training.folder)
            let end = try plain.evaluation(arm, seed: 1)
            #expect(try scored.evaluation(arm, seed: 1).folder == end.folder)
            let step = try scored.evaluation(arm, seed: 1, step: 2)
            #expect(step.folder != end.folder && step.folder.contains("/rsd-step2-seed1-"))
        }
    }

    @Test func aTrainingThatKeptNoWeightsIsNotDone() throws {
        try withFolder { folder in
            let layout = RunLayout(
                try experiment(more: "evaluation: {atSteps: 2}"),
                environment: ["RSD_RUNS": folder]
            )
            let arm = try layout.experiment.arm("rsd")
            try TextFile.write(
                "{}\n",
                to: try #require(try layout.selection(arm, seed: 1)).selected
            )
            let stage = try #require(try layout.training(arm, seed: 1))
            try TextFile.write(
                #"{"status": "finished", "results": {"steps": 5}}"#,
                to: stage.manifest
            )
            try TextFile.write("", to: stage.model)
            let graph = try StageGraph(layout, goals: [.training])
            let node = try #require(
                graph.nodes.first { $0.kind == .training && $0.label == "rsd" && $0.seed == 1 }
            )
            #expect(stage.state == .finished && stage.stepCount == 5)
            #expect(try layout.missingWeights(arm, seed: 1, stage) == [2, 4])
            #expect(try node.state(of: stage) == .started)
            // Weights may go once they have been scored.
            try TextFile.write("", to: stage.model(afterStep: 2))
            let scored = try layout.evaluation(arm, seed: 1, step: 4)
            try TextFile.write(#"{"status": "finished"}"#, to: scored.manifest)
            #expect(try node.state(of: stage) == .finished)
            #expect(try layout.scoredSteps(arm, seed: 1) == [2, 4])
        }
    }
}
