import Basics
import ExperimentSupport
import Foundation
import Records
import Testing

@testable import Experiments
@testable import Scoring

@Suite struct SamplingRunTests {
    @Test func samplesEveryQuestionOfEveryArmAsOftenAsAsked() throws {
        let tiny = try TinyExperiment()
        let experiment = try tiny.experiment()
        try tiny.run(experiment)
        for job in try tiny.jobs(experiment) {
            let samples = try Sample.read(job.stage.samples("tiny"))
            let problems = try experiment.benchmarks[0].problems().problems
            #expect(samples.map(\.id) == problems.flatMap { [$0.id, $0.id] })
            #expect(samples.map(\.index) == problems.flatMap { _ in [0, 1] })
            #expect(samples.allSatisfy { $0.tokenCount <= 12 && !$0.text.contains("$") })
            #expect(samples.contains { $0.isTruncated })
            let manifest = try TextFile.readJSON(job.stage.manifest)
            #expect(manifest["status"]?.string == "finished")
            #expect(manifest["results"]?["benchmarks"]?["tiny"]?["samples"]?.integer == 14)
            #expect(try TinyExperiment.run(job) == 0)
        }
    }

    @Test func bytesDoNotDependOnBatchSize() throws {
        var found: Set<Data> = []
        for batch in [1, 3, 8] {
            let tiny = try TinyExperiment()
            let experiment = try tiny.experiment(batch: batch)
            let job = try tiny.jobs(experiment)[0]
            try TinyExperiment.run(job)
            found.insert(try TinyExperiment.bytes(job))
        }
        #expect(found.count == 1)
    }

    @Test func bytesDoNotDependOnShards() throws {
        let whole = try TinyExperiment()
        let first = try whole.jobs(whole.experiment())[0]
        try TinyExperiment.run(first)
        let expected = try TinyExperiment.bytes(first)
        func files(_ job: EvaluationJob) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: job.stage.folder)
                .filter { $0.hasPrefix("shard-") }.sorted()
        }
        // Seven questions with two samples each; the last shard of nine has none.
        for count in [2, 3, 9] {
            let tiny = try TinyExperiment()
            let job = try tiny.jobs(tiny.experiment())[0]
            for index in (1...count).reversed() {
                #expect(!job.record.isFinished)
                try TinyExperiment.run(job, shard: Shard(index: index, count: count))
            }
            #expect(try TinyExperiment.bytes(job) == expected, "\(count)")
            #expect(try job.record.isFinished && files(job) == [])
        }
        // A merge of its own; a shard of another number has made some of the samples too.
        let cluster = try TinyExperiment()
        let job = try cluster.jobs(cluster.experiment())[0]
        try TinyExperiment.run(job, shard: Shard(index: 2, count: 4), merging: .never)
        try FileManager.default.moveItem(
            atPath: job.stage.file("shard-2-of-4"),
            toPath: job.stage.file("aside")
        )
        for index in 1...2 {
            #expect(failure { try TinyExperiment.run(job, merging: .only) }?.kind == .missingInput)
            let shard = Shard(index: index, count: 2)
            #expect(try TinyExperiment.run(job, shard: shard, merging: .never) > 0)
            #expect(try TinyExperiment.run(job, shard: shard, merging: .never) == 0)
        }
        try FileManager.default.moveItem(
            atPath: job.stage.file("aside"),
            toPath: job.stage.file("shard-2-of-4")
        )
        #expect(try files(job) == ["shard-1-of-2", "shard-2-of-2", "shard-2-of-4"])
        #expect(!job.record.isFinished)
        #expect(try TinyExperiment.run(job, merging: .only) == 0)
        #expect(try TinyExperiment.bytes(job) == expected)
        #expect(try job.record.isFinished && files(job) == [])
    }

    @Test func bytesDoNotDependOnInterruptions() throws {
        let whole = try TinyExperiment()
        let first = try whole.jobs(whole.experiment())[0]
        try TinyExperiment.run(first)
        let expected = try TinyExperiment.bytes(first)

        let broken = try TinyExperiment()
        let job = try broken.jobs(broken.experiment())[0]
        var stops = 0
        for allowed in [9, 14, 20, 26, 1000] {
            var calls = 0
            let stop = failure {
                try TinyExperiment.run(job) {
                    calls += 1
                    return calls > allowed
                }
            }
            guard let stop else { break }
            stops += 1
            #expect(stop.kind == .interrupted && stop.kind.exitCode == 75)
            #expect(job.record == .init(manifest: ["status": "interrupted"]))
            // What a killed process leaves: half a line.
            let path = job.stage.samples("tiny")
            var torn = (try? TextFile.read(path)) ?? Data()
            torn.append(Data(#"{"id":"torn"#.utf8))
            try TextFile.write(torn, to: path)
        }
        #expect(stops > 1)
        #expect(try TinyExperiment.bytes(job) == expected)
        #expect(job.record.isFinished)
    }

    @Test func aLimitTakesTheFirstQuestionsAndLaterRunsAddTheRest() throws {
        let tiny = try TinyExperiment()
        let job = try tiny.jobs(tiny.experiment())[0]
        #expect(try TinyExperiment.run(job, limit: 3) == 6)
        let part = try TinyExperiment.bytes(job)
        #expect(job.record.limit == 3)
        #expect(try TinyExperiment.run(job, limit: 2) == 0)
        #expect(job.record.limit == 3)
        #expect(try TinyExperiment.run(job) == 8)
        #expect(job.record.limit == nil && job.record.isFinished)
        #expect(try TinyExperiment.bytes(job).starts(with: part))
        #expect(try TinyExperiment.run(job, limit: 3) == 0)
    }

    @Test func armsMeetTheSameRandomNumbers() throws {
        // The same weights under another name must say the same.
        let tiny = try TinyExperiment()
        try TinyExperiment.writeModel(seed: 1, to: tiny.path("tuned.h5"))
        let jobs = try tiny.jobs(tiny.experiment())
        for job in jobs { try TinyExperiment.run(job) }
        #expect(try TinyExperiment.bytes(jobs[0]) == TinyExperiment.bytes(jobs[1]))
        let other = try TinyExperiment()
        let seeded = try other.jobs(other.experiment(seeds: [1, 2]))
        for job in seeded { try TinyExperiment.run(job) }
        #expect(try Set(seeded.map { try TinyExperiment.bytes($0) }).count == 4)
    }

    @Test func anUntrainedArmSaysHowToTrainIt() throws {
        let tiny = try TinyExperiment()
        let experiment = try tiny.experiment()
        let job = try tiny.jobs(experiment)[1]
        try FileManager.default.removeItem(
            atPath: job.layout.trainedModelPath(job.arm, seed: 1)
        )
        let found = try #require(failure { try job.checkModel() })
        #expect(found.kind == .missingInput)
        #expect(found.remedy?.contains("rsd-train run") == true)
        #expect(found.remedy?.contains("--arm direct") == true)
    }

    @Test func aSecondProcessIsKeptOut() throws {
        let tiny = try TinyExperiment()
        let job = try tiny.jobs(tiny.experiment())[0]
        try job.stage.prepare()
        let lock = try RunLock(job.stage.lock)
        #expect(failure { try TinyExperiment.run(job) }?.kind == .busy)
        lock.release()
        #expect(try TinyExperiment.run(job) == 14)
    }

    /// Every bit of a finished file counts, wherever it is.
    @Test func flippedBitsAreFound() throws {
        let tiny = try TinyExperiment()
        let job = try tiny.jobs(tiny.experiment())[0]
        try TinyExperiment.run(job)
        let path = job.stage.samples("tiny")
        let whole = try TinyExperiment.bytes(job)
        for place in stride(from: 3, to: whole.count, by: max(1, whole.count / 40)) {
            var flipped = whole
            flipped[place] ^= UInt8(1 << (place % 7))
            try flipped.write(to: URL(filePath: path))
            let found = failure { try TinyExperiment.run(job) }
            // A flip may also take a sample out of sight, which is then made again.
            if found == nil {
                #expect(try TinyExperiment.bytes(job) == whole, "byte \(place)")
            } else {
                #expect(found?.kind == .badData, "byte \(place): \(String(describing: found))")
            }
        }
        try whole.write(to: URL(filePath: path))
        #expect(try TinyExperiment.run(job) == 0)
    }

    /// Deleting the lines that are named and running again gives the file back.
    @Test func damagedLinesAreNamedTogether() throws {
        let tiny = try TinyExperiment()
        let job = try tiny.jobs(tiny.experiment())[0]
        try TinyExperiment.run(job)
        let path = job.stage.samples("tiny")
        let whole = try TinyExperiment.bytes(job)
        var lines = whole.split(separator: 0x0A).map { Data($0) }
        for number in [2, 5, 6] { lines[number - 1] = Data(repeating: 0, count: 70) }
        try Data(lines.joined(separator: [0x0A]) + [0x0A]).write(to: URL(filePath: path))
        let found = try #require(failure { try TinyExperiment.run(job) })
        #expect(found.kind == .badData && found.place?.hasPrefix("line 2") == true)
        #expect(found.message.contains("3 lines are damaged: 2 and 5 to 6"), "\(found)")
        #expect(found.remedy?.contains("sed -i '2d;5d;6d'") == true, "\(found)")
        let kept = lines.enumerated().filter { ![1, 4, 5].contains($0.offset) }.map(\.element)
        try Data(kept.joined(separator: [0x0A]) + [0x0A]).write(to: URL(filePath: path))
        #expect(try TinyExperiment.run(job) == 3)
        #expect(try TinyExperiment.bytes(job) == whole)
    }

    @Test func rescoringChangesVerdictsAndNothingElse() throws {
        let tiny = try TinyExperiment()
        let job = try tiny.jobs(tiny.experiment())[0]
        try TinyExperiment.run(job)
        let original = try TinyExperiment.bytes(job)
        #expect(try Rescoring(job).run() == [.init(benchmark: "tiny", changed: 0, total: 14)])
        #expect(try TinyExperiment.bytes(job) == original)

        var samples = try Sample.read(job.stage.samples("tiny"))
        for index in samples.indices.prefix(3) {
            samples[index].verdict = samples[index].verdict == .correct ? .wrong : .correct
        }
        try JSONLines.write(samples.map(\.json), to: job.stage.samples("tiny"))
        // A finished file that was edited: for the report damaged, graded again if that is wished.
        let found = failure { try TinyExperiment.run(job) }
        #expect(found?.kind == .badData && found?.file == job.stage.samples("tiny"))
        var warnings: [String] = []
        #expect(
            try Rescoring(job) { warnings.append($0) }.run() == [
                .init(benchmark: "tiny", changed: 3, total: 14)
            ]
        )
        #expect(warnings.count == 1 && warnings[0].contains("damaged or was edited"))
        #expect(try TinyExperiment.run(job) == 0)
        #expect(try TinyExperiment.bytes(job) == original)
        #expect(job.record.isFinished)
    }
}
