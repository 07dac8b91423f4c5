import Basics
import ExperimentSupport
import Foundation
import Records
import Testing

@testable import Experiments
@testable import Reports
@testable import Scoring
@testable import Statistics

@Suite struct ReportRunTests {
    /// Writes samples with chosen verdicts, one a letter: `r`ight, `w`rong, `u`nparsed.
    static func write(_ letters: String, of job: EvaluationJob) throws {
        let problems = try job.experiment.benchmarks[0].problems().problems
        let k = job.experiment.evaluation.samples
        let samples = letters.enumerated().map { place, letter -> JSON in
            let problem = problems[place / k]
            let wrong = problem.answer == "1" ? "2" : "1"
            let text = ["r": "#\(problem.answer)", "w": "#\(wrong)"][letter] ?? "nothing"
            return Sample(
                id: problem.id,
                benchmark: "tiny",
                index: place % k,
                text: text,
                tokenCount: 3,
                extracted: nil,
                rule: nil,
                verdict: .unparsed,
                isTruncated: letter == "u"
            ).json
        }
        try job.stage.prepare()
        try JSONLines.write(samples, to: job.stage.samples("tiny"))
        try TextFile.write(
            #"{"status":"finished","results":{"limit":null},"wall_seconds":2}"#,
            to: job.stage.manifest
        )
    }

    static func report(_ tiny: TinyExperiment, _ experiment: Experiment) -> ReportRun {
        ReportRun(
            experiment: experiment,
            surroundings: TinyExperiment.surroundings,
            environment: tiny.environment,
            resamples: 500
        )
    }

    @Test func numbersAreThoseWorkedOutByHand() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        try Self.write("rrrwwwwu", of: jobs[0])  // means 1, 1/2, 0, 0
        try Self.write("rrrrrrrw", of: jobs[1])  // means 1, 1, 1, 1/2
        let (model, table) = try Self.report(tiny, experiment).run()

        let base = try #require(model.score(arm: "base", benchmark: "tiny"))
        #expect(base.accuracy == 0.375)
        #expect(base.questions == 4 && base.samplesPerQuestion == 2 && base.seeds == 1)
        #expect(base.unparsedShare == 0.125 && base.truncatedShare == 0.125)
        // Wilson: p = 3/8, z = 1.95996, four questions twice are worth 5.007 trials.
        let interval = try #require(base.interval)
        #expect(abs(interval.lower - 0.1057) < 1e-4 && abs(interval.upper - 0.7528) < 1e-4)
        #expect(base.difference == nil)
        // Some sample is right on two questions; "u" has no vote, and a tie goes to the first.
        #expect(base.passAtK == 0.5 && base.majorityAtK == 0.5)

        let tuned = try #require(model.score(arm: "direct", benchmark: "tiny"))
        #expect(tuned.accuracy == 0.875)
        let difference = try #require(tuned.difference)
        #expect(difference.estimate == 0.5)
        // d = 0, 1/2, 1, 1/2: of 8 sign choices two reach |sum| = 2, and mid-p counts them by half.
        #expect(difference.pValue == 0.125)
        #expect(difference.verdict == .notDistinguishable)
        // Not even four differences of one sign would reach 5 %.
        #expect(difference.minimumDetectable == nil && difference.limit == .fewQuestions(4))
        #expect(table.contains("4 questions are too few to detect any difference"))
        #expect(model.seedAverages.map(\.accuracy) == [0.375, 0.875])
        #expect(
            model.losses.map(\.points) == [[.init(step: 1, loss: 2.5), .init(step: 2, loss: 1.5)]]
        )
        #expect(model.manifest.contains { $0.key == "commit" && $0.value == "0123abc" })
        #expect(table.contains("87.5") && table.contains("37.5"))

        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        for name in [
            "table.md", "table.csv", "seeds.csv", "report.html", "scores.jsonl", "manifest.json",
            "plots/accuracy.svg",
        ] {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
        }
        #expect(try TextFile.readJSON("\(folder)/manifest.json")["status"]?.string == "finished")
        #expect(!table.contains(tiny.folder.path(percentEncoded: false)))

        // The results alone make the same table.
        let written = try TextFile.read("\(folder)/table.csv")
        try FileManager.default.removeItem(at: tiny.folder.appending(path: "runs"))
        var again = Self.report(tiny, experiment)
        again.counts = .scores
        let inputs = try TextFile.readJSON("\(folder)/manifest.json")["inputs"]
        #expect(inputs?.object?.members.count == 2)
        // As an older grader had counted them.
        try Self.changeScores(in: folder) { $0.grader = "1" }
        #expect(try again.run().table == table)
        #expect(try TextFile.read("\(folder)/table.csv") == written)
        #expect(
            try TextFile.readJSON("\(folder)/manifest.json")["inputs"]?.canonical
                == inputs?.canonical
        )
        let closed = try TextFile.readJSON("\(folder)/manifest.json")
        #expect(closed["results"]?["grader"]?.string == "1")
        // What scores do not have is left as it was.
        #expect(FileManager.default.fileExists(atPath: "\(folder)/plots/loss.svg"))
    }

    static func changeScores(in folder: String, _ change: (inout ScoreTable.Cell) -> Void) throws {
        var table = try ScoreTable.read("\(folder)/scores.jsonl")
        for place in table.cells.indices { change(&table.cells[place]) }
        try JSONLines.write(table.records, to: "\(folder)/scores.jsonl")
    }

    @Test func scoresTakeThePlaceOfSamplesThatAreNotThere() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        try Self.write("rrrwwwwu", of: jobs[0])
        try Self.write("rrwwwwww", of: jobs[1])
        var run = Self.report(tiny, experiment)
        try run.run()
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        try Self.changeScores(in: folder) { $0.grader = "1" }
        // Samples count where they are there, whatever the scores say.
        try Self.write("rrrrrrrw", of: jobs[1])
        try FileManager.default.removeItem(atPath: jobs[0].stage.folder)
        #expect(failure { try run.run() }?.kind == .missingInput)
        run.counts = .samplesElseScores
        let model = try run.run().model
        #expect(model.score(arm: "base", benchmark: "tiny")?.accuracy == 0.375)
        #expect(model.score(arm: "direct", benchmark: "tiny")?.accuracy == 0.875)
        let manifest = try TextFile.readJSON("\(folder)/manifest.json")
        #expect(
            manifest["results"]?["grader"]?.string == "1 (base seed 1), \(AnswerGrading.version)"
        )
        #expect(
            manifest["inputs"]?["evaluation base seed 1"]?.string == jobs[0].stage.hash
        )
        // Scores of other settings do not count.
        try Self.changeScores(in: folder) { $0.stage = String(repeating: "0", count: 64) }
        #expect(failure { try run.run() }?.kind == .missingInput)
        run.isPartial = true
        #expect(try run.run().model.arms.map(\.name) == ["direct"])
    }

    @Test func scoresThatCannotBeAreRefused() throws {
        let tiny = try TinyExperiment(questions: 1)
        let path = tiny.folder.appending(path: "scores.jsonl").path(percentEncoded: false)
        for samples in [Int.min, -1, 0, 1, Int.max] {
            try TextFile.write(
                """
                {"benchmark":"b","questions":["q","r"]}
                {"arm":"a","seed":1,"benchmark":"b","samples":\(samples),"correct":[2,2],"unparsed":0,\
                "truncated":0}
                """,
                to: path
            )
            let found = failure { _ = try ScoreTable.read(path) }
            #expect(found?.kind == .badData && found?.place?.contains("'correct'") == true)
        }
    }

    @Test func verdictsFollowTheTextsNotWhatIsStored() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        for job in try tiny.jobs(experiment) { try Self.write("rrrrrrrr", of: job) }
        let table = try ScoreTable.collect(experiment, environment: tiny.environment)
        #expect(table.cells.allSatisfy { $0.correct == [2, 2, 2, 2] })
    }

    @Test func seedsAreTheUnitOfTheAverageWhereThereAreFive() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment(samples: 1, seeds: [1, 2, 3, 4, 5])
        let tuned = ["rrrr", "rrrw", "rrrr", "rrrw", "rrww"]
        for job in try tiny.jobs(experiment) {
            try Self.write(
                job.arm.kind == .base ? "wwww" : tuned[Int(job.seed) - 1],
                of: job
            )
        }
        let (model, table) = try Self.report(tiny, experiment).run()
        let average = try #require(model.score(arm: "direct", benchmark: nil)?.difference)
        // Differences 1, .75, 1, .75, .5: mean .8, SE = √(.0175·... ) = 0.0935, t(4) = 2.7764.
        #expect(abs(average.estimate - 0.8) < 1e-12)
        let interval = try #require(average.interval)
        #expect(abs(interval.lower - 0.5402) < 1e-3 && abs(interval.upper - 1.0598) < 1e-3)
        #expect(abs((average.pValue ?? 1) - 0.00103) < 1e-4)
        #expect(average.verdict == .better)
        let seeds = try #require(model.seedComparisons.first)
        #expect(seeds.sameSign == 5)
        #expect(seeds.signFlipP == 0.0625)
        #expect(table.contains("5 of 5"))
        #expect(table.contains("0.062"))
        // The only benchmark shows the average's test, and that one alone is explained.
        #expect(table.contains("take the seed as the random unit") && !table.contains("Wilson"))
        #expect(model.score(arm: "direct", benchmark: "tiny")?.difference == average)
    }

    @Test func aMissingSampleIsNamedWithTheCommandThatMakesIt() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        try Self.write("rrrrrrrr", of: jobs[0])
        try Self.write("rrrrr", of: jobs[1])
        let found = try #require(failure { try Self.report(tiny, experiment).run() })
        let problems = try experiment.benchmarks[0].problems().problems
        #expect(found.kind == .missingInput)
        #expect(found.place?.contains(problems[2].id) == true)
        #expect(found.message.contains("sample 1"))
        #expect(found.remedy?.hasSuffix("--arm direct --seed 1") == true)
    }

    @Test func aPartialReportLeavesOutWhatIsNotThere() throws {
        let tiny = try TinyExperiment(questions: 4)
        let traces = tiny.path("traces.jsonl")
        let experiment = try tiny.experiment(
            seeds: [1, 2],
            direct: ", match: {arms: [masked]}",
            more: "  masked: {kind: direct, traces: {path: \"\(traces)\"}, training: {epochs: 2}}"
        )
        var run = Self.report(tiny, experiment)
        run.isPartial = true
        #expect(try #require(failure { try run.run() }).kind == .missingInput)
        for (arm, seed) in [("base", 1), ("base", 2), ("direct", 1)] as [(String, UInt64)] {
            let jobs = try EvaluationJob.jobs(
                of: experiment,
                arm: arm,
                seed: seed,
                environment: tiny.environment
            )
            try Self.write("rrrrwwwu", of: jobs[0])
        }
        #expect(
            try #require(failure { try Self.report(tiny, experiment).run() }).kind == .missingInput
        )
        let (model, table) = try run.run()
        #expect(model.arms.map(\.name) == ["base", "direct"])
        #expect(model.scores.allSatisfy { $0.seeds == 1 })
        #expect(table.contains("Partial report: without masked; with seed 1 of 1, 2."))
        // Scores of an arm whose traces are not selected here can be neither told from stale ones
        // nor dropped.
        run.counts = .samplesElseScores
        #expect(try run.run().table == table)
        let layout = RunLayout(experiment, environment: tiny.environment)
        let selection = try #require(try layout.selection(try experiment.arm("direct"), seed: 1))
        try FileManager.default.moveItem(
            atPath: selection.selected,
            toPath: selection.selected + ".away"
        )
        #expect(failure { try run.run() }?.kind == .missingInput)
        try FileManager.default.moveItem(
            atPath: selection.selected + ".away",
            toPath: selection.selected
        )
        run.counts = .scores
        #expect(try run.run().table == table)
        // The seed that waits for other arms is noted, but no input of this report.
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        let cells = try ScoreTable.read("\(folder)/scores.jsonl").cells
        #expect(cells.map { "\($0.arm) \($0.seed)" } == ["base 1", "direct 1", "base 2"])
        let inputs = try TextFile.readJSON("\(folder)/manifest.json")["inputs"]
        #expect(
            inputs?.object?.members.map(\.key) == [
                "evaluation base seed 1", "evaluation direct seed 1",
            ]
        )
    }

    @Test func aSampleThatIsThereTwiceIsNamed() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        for job in jobs { try Self.write("rrrrrrrr", of: job) }
        let path = jobs[0].stage.samples("tiny")
        let lines = try JSONLines.read(path) { $0 }
        try JSONLines.write(lines + [lines[3]], to: path)
        let found = try #require(failure { try Self.report(tiny, experiment).run() })
        #expect(found.kind == .badData && found.file == path)
        #expect(found.place?.hasPrefix("line 9") == true)
        #expect(found.message.contains("second time"))
        #expect(found.remedy?.contains("--arm base --seed 1") == true)
    }

    @Test func armsMustAgreeOnTheQuestions() throws {
        let tiny = try TinyExperiment()
        let experiment = try tiny.experiment()
        let jobs = try tiny.jobs(experiment)
        try TinyExperiment.run(jobs[0], limit: 4)
        try TinyExperiment.run(jobs[1], limit: 3)
        var run = Self.report(tiny, experiment)
        run.isPartial = true
        let found = try #require(failure { try run.run() })
        #expect(found.remedy?.hasSuffix("--arm direct --seed 1 --limit 4") == true)
        try TinyExperiment.run(jobs[1], limit: 4)
        #expect(try run.run().model.scores.first?.questions == 4)
    }

    @Test func aSweepShowsGainsAgainstItsParameter() throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment(
            samples: 1,
            seeds: [1, 2, 3],
            more:
                "training: {learningRate: 1e-3}\ngrid: {rate: {training.learningRate: [1e-3, 1e-2]}}"
        )
        for job in try tiny.jobs(experiment) {
            let isBase = job.arm.kind == .base
            let isHigh = job.arm.training.optimizer.learningRate > 5e-3
            try Self.write(isBase ? "rwww" : isHigh ? "rrrr" : "rrww", of: job)
        }
        let (model, table) = try Self.report(tiny, experiment).run()
        let gain = try #require(model.sweeps.first)
        #expect(gain.title == "rate: gain")
        #expect(gain.series.map(\.name) == ["direct"])
        #expect(gain.series[0].points.map(\.x) == [0.001, 0.01])
        #expect(gain.series[0].points.map(\.value) == [0.25, 0.75])
        #expect(model.sweeps[1].series.map(\.name) == ["base", "direct"])
        #expect(table.contains("## rate: gain") && table.contains("+75.0"))
        #expect(!table.contains("No arm has been scored"))
    }

    @Test func analysisOfTracesIsShown() throws {
        let tiny = try TinyExperiment(questions: 4)
        let path = tiny.path("analysis.json")
        try TextFile.write(
            """
            {"arms":[{"arm":"direct","problems":4,"problems_with_trace":3,"tries":8,
            "acceptance":null,"fallback_share":0.25,"share_below_one_percent":0.5,
            "share_below_tenth_percent":0.1,"mean_trace_length":12.5,
            "histogram":{"edges":[-2,-1,0],"counts":[3,5]},
            "samples":[{"problem":"1+1?","answer":"2",
            "tokens":[{"text":"a","writer":"teacher","p_student":0.5,"p_teacher":null}]}]}]}
            """,
            to: path
        )
        let analysis = try TraceAnalysis.read(path)
        #expect(analysis.arms.first?.shareBelowOnePercent == 0.5)
        #expect(analysis.arms.first?.acceptance == nil)
        #expect(analysis.arms.first?.histogram?.counts == [3, 5])
        #expect(analysis.arms.first?.samples.first?.tokens.first?.writer == .teacher)
        #expect(try TraceAnalysis.read(tiny.path("none.json")).arms.isEmpty)
        try TextFile.write(#"{"arms":[{"arm":"direct"}]}"#, to: path)
        let found = try #require(failure { _ = try TraceAnalysis.read(path) })
        #expect(found.kind == .badData && found.place == "arm 'direct', 'problems'")
    }
}
