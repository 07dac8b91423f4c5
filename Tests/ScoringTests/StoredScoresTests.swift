import Basics
import ExperimentSupport
import Experiments
import Foundation
import Testing

@testable import Scoring

/// Samples found by the digests in scores.jsonl, counted again without their models.
@Suite struct StoredScoresTests {
    @Test func samplesAreCountedAgainWithoutModels() throws {
        let tiny = try TinyExperiment()
        let experiment = try tiny.experiment()
        try tiny.run(experiment)
        let table = try ScoreTable.collect(experiment, environment: tiny.environment)
        var damaged = table
        for index in damaged.cells.indices {
            damaged.cells[index].correct = damaged.cells[index].correct.map { _ in 0 }
            damaged.cells[index].grader = "1"
        }
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        try JSONLines.write(damaged.records, to: "\(folder)/scores.jsonl")
        let models = try tiny.jobs(experiment).map {
            try $0.layout.trainedModelPath($0.arm, seed: $0.seed)
        }
        for path in Set(models) { try FileManager.default.removeItem(atPath: path) }

        var stored = try StoredScores(experiment, environment: tiny.environment)
        #expect(stored.jobs.count == Set(table.cells.map { "\($0.arm) \($0.seed)" }).count)
        for job in stored.jobs { try stored.recount(job) }
        #expect(stored.table == table)
        try stored.write()
        #expect(try ScoreTable.read(stored.path) == table)
    }

    @Test func aStageWhoseKeyIsAnotherIsRefused() throws {
        let tiny = try TinyExperiment()
        let experiment = try tiny.experiment()
        try tiny.run(experiment)
        let table = try ScoreTable.collect(experiment, environment: tiny.environment)
        let layout = RunLayout(experiment, environment: tiny.environment)
        try FileManager.default.createDirectory(
            atPath: layout.resultsFolder,
            withIntermediateDirectories: true
        )
        try JSONLines.write(table.records, to: "\(layout.resultsFolder)/scores.jsonl")
        let job = try tiny.jobs(experiment)[0]
        try TextFile.write("{}\n", to: job.stage.file("key.json"))
        let found = failure { _ = try StoredScores(experiment, environment: tiny.environment) }
        #expect(found?.kind == .badData)
        #expect(found?.file?.hasSuffix("key.json") == true)
    }
}
