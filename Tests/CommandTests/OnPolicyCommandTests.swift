import Basics
import Foundation
import Testing

/// An arm whose student writes what it is trained on, from the command line.
@Suite struct OnPolicyCommandTests {
    private static func experiment(batch: Int) -> String {
        """
        name: own
        seeds: [3]
        \(ObjectiveTests.models)problems: {chain: {count: 5, operations: [2]}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        answers: {style: marker, start: "#"}
        training: {learningRate: 1e-2, batch: 2, maxLength: 40, saveEvery: 1}
        evaluation: {maxNewTokens: 8}
        arms:
          base: {kind: base}
          own: {kind: on-policy, onPolicy: {maxNewTokens: 12, steps: 4, samplerStorage: float32, batch: \(batch)}}

        """
    }

    @Test func nothingIsGeneratedForIt() throws {
        let folder = try Scratch()
        try folder.write(Self.experiment(batch: 1), "own.yaml")
        let generate = Program("rsd-generate", in: folder)
        let asked = try generate.run(["run", "own.yaml", "--arm", "own"])
        #expect(asked.status == 78)
        #expect(asked.error.contains("its student writes what it is trained on"), "\(asked.error)")
        #expect(asked.error.contains("rsd-train run own.yaml --arm own"))
        #expect(try generate.run(["run", "own.yaml"]).status == 0)
    }

    @Test func itsCostIsSaidToBeAGuess() throws {
        let folder = try Scratch()
        try folder.write(Self.experiment(batch: 1), "own.yaml")
        let plan = try Program("rsd-train", in: folder).run(["run", "own.yaml", "--dry-run"])
        let guess = "(mostly a guess: rollouts of 6 tokens, half their limit)"
        #expect(plan.status == 0 && plan.output.contains(guess), "\(plan.output)")
    }

    /// Neither threads nor the number of rollouts written at once matter.
    @Test func theSameBytesWhateverHappens() throws {
        var models: [Data] = []
        for (batch, threads) in [(1, 1), (2, 3)] {
            let folder = try Scratch()
            try folder.write(Self.experiment(batch: batch), "own.yaml")
            let train = Program("rsd-train", in: folder)
            let trained = try train.run(["run", "own.yaml"], threads: threads)
            #expect(trained.status == 0, "\(trained.error)")
            let path = try #require(
                folder.files(named: "model.h5", below: "runs/own/training").first
            )
            models.append(try Data(contentsOf: URL(filePath: path)))
            let scored = try Program("rsd-evaluate", in: folder).run(["run", "own.yaml"])
            #expect(scored.status == 0, "\(scored.error)")
            let reported = try Program("rsd-evaluate", in: folder).run(["report", "own.yaml"])
            #expect(reported.status == 0, "\(reported.error)")
            #expect(reported.output.contains("own"))
        }
        #expect(models[0] == models[1])
    }
}
