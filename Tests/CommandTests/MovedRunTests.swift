import Basics
import Foundation
import Testing

/// A folder of runs with adapters that is moved, and the model under them with it.
@Suite struct MovedRunTests {
    /// An experiment that trains adapters on the model at a path.
    private static func experiment(_ model: String) -> String {
        """
        name: moved
        seeds: [3]
        models: {student: {path: \(model)}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        answers: {style: marker, start: "#"}
        training: {learningRate: 1e-2, epochs: 2, batch: 2, maxLength: 64, saveEvery: 1,
          keepCheckpoints: 2, lora: {rank: 2, alpha: 4}}
        evaluation: {maxNewTokens: 12}
        arms:
          direct: {kind: direct, traces: {path: traces.jsonl}}

        """
    }

    private func succeed(_ name: String, _ arguments: [String], in folder: Scratch) throws -> String
    {
        let result = try Program(name, in: folder).run(arguments)
        #expect(result.status == 0, "\(name) \(arguments): \(result.error)")
        return result.output
    }

    /// Training goes on, samples are drawn and a prompt is completed as where it began.
    @Test func goesOnWhereItWasMovedTo() throws {
        let folder = try KilledTrainingTests.prepare()
        let manager = FileManager.default
        let base = try #require(folder.files(named: "model.h5", below: "runs/killed/base").first)
        try manager.createDirectory(atPath: folder.path("old"), withIntermediateDirectories: false)
        try manager.moveItem(atPath: base, toPath: folder.path("old/student.h5"))
        try folder.write(Self.experiment(folder.path("old/student.h5")), "moved.yaml")
        _ = try succeed("rsd-generate", ["select", "moved.yaml"], in: folder)
        _ = try succeed("rsd-train", ["run", "moved.yaml"], in: folder)
        _ = try succeed("rsd-evaluate", ["run", "moved.yaml"], in: folder)
        let prompt = ["--prompt", "1+1?", "--raw", "--max-tokens", "8"]
        func model() throws -> String {
            let found = folder.files(named: "model.h5", below: "runs/moved/training")
            #expect(found.count == 1)
            return try #require(found.first)
        }
        func samples() throws -> Data {
            let found = folder.files(named: "chain2.jsonl", below: "runs/moved/evaluation")
            #expect(found.count == 1)
            return try TextFile.read(try #require(found.first))
        }
        let (said, drawn) = (
            try succeed("rsd-evaluate", ["sample", "--model", model()] + prompt, in: folder),
            try samples()
        )

        // Neither the weights' last step nor the samples are there any more, nor the old places.
        try manager.removeItem(atPath: model())
        try manager.removeItem(atPath: folder.path("runs/moved/evaluation"))
        let moved = try Scratch()
        for (old, new) in [
            ("runs", "runs"), ("traces.jsonl", "traces.jsonl"), ("old/student.h5", "student.h5"),
        ] {
            try manager.moveItem(atPath: folder.path(old), toPath: moved.path(new))
        }
        try moved.write(Self.experiment("student.h5"), "moved.yaml")
        _ = try succeed("rsd-train", ["run", "moved.yaml"], in: moved)
        _ = try succeed("rsd-evaluate", ["run", "moved.yaml"], in: moved)
        let weights = moved.files(named: "model.h5", below: "runs/moved/training")
        #expect(weights.count == 1)
        let log = moved.files(named: "metrics.jsonl", below: "runs/moved/training")
        // It went on from the last checkpoint: no step was made twice.
        let steps = try log.map { try JSONLines.read($0) { $0["step"]?.integer } }
        #expect(steps == [(0..<8).map { $0 }])
        let found = moved.files(named: "chain2.jsonl", below: "runs/moved/evaluation")
        #expect(try found.map { try TextFile.read($0) } == [drawn])
        let again = ["sample", "--model", try #require(weights.first)] + prompt
        #expect(try succeed("rsd-evaluate", again, in: moved) == said)

        // What was trained before the move and names its base by the old place only.
        let checkpoint = try #require(
            moved.files(named: "step-000007.h5", below: "runs/moved/training").first
        )
        let lost = try Program("rsd-evaluate", in: moved).run(
            ["sample", "--model", checkpoint] + prompt
        )
        #expect(lost.status == 66 && lost.error.contains("--base"), "\(lost.error)")
        _ = try succeed(
            "rsd-evaluate",
            ["sample", "--model", checkpoint, "--base", "student.h5"] + prompt,
            in: moved
        )
    }
}
