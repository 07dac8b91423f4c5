import Basics
import ExperimentSupport
import Foundation
import Records
import Testing

@testable import Experiments
@testable import Reports
@testable import Scoring
@testable import Statistics

/// Files that a report reads, with numbers that cannot be, and runs that are not whole.
@Suite struct ReportInputTests {
    /// A whole analysis.json of one arm; tests spoil one value.
    static let analysis = """
        {"arms":[{"arm":"rsd","problems":4,"problems_with_trace":3,"tries":8,"acceptance":0.9,\
        "fallback_share":0.25,"share_below_one_percent":0.5,"share_below_tenth_percent":0.1,\
        "mean_trace_length":12.5,"mean_negative_log_probability":1.5,\
        "trace_length_quantiles":[[0.1,4],[0.5,9],[0.9,20]],"agreement":{"right":0.5,"equal_pairs":0.5},\
        "acceptance_by_threshold":[{"threshold":0.01,"share":0.9}],"low_by_position":[0.1,0.2],\
        "refused_by_position":[0.3],"low_tokens":[{"text":"x","share":0.5}],\
        "histogram":{"edges":[-2,-1,0],"counts":[3,5]},\
        "samples":[{"problem":"1+1?","answer":"2",\
        "tokens":[{"text":"a","writer":"teacher","p_student":0.25,"p_teacher":null}]}]}]}
        """

    static let spoiled: [(from: String, to: String, place: String)] = [
        ("\"acceptance\":0.9", "\"acceptance\":1e308", "'acceptance'"),
        ("\"acceptance\":0.9", "\"acceptance\":-0.1", "'acceptance'"),
        ("\"acceptance\":0.9", "\"acceptance\":\"much\"", "'acceptance'"),
        ("\"fallback_share\":0.25", "\"fallback_share\":1.5", "'fallback_share'"),
        ("_one_percent\":0.5", "_one_percent\":1e308", "'share_below_one_percent'"),
        ("_tenth_percent\":0.1", "_tenth_percent\":-1e308", "'share_below_tenth_percent'"),
        ("\"mean_trace_length\":12.5", "\"mean_trace_length\":1e308", "'mean_trace_length'"),
        ("probability\":1.5", "probability\":-1", "'mean_negative_log_probability'"),
        ("[0.9,20]", "[0.9,1e308]", "'trace_length_quantiles[2]'"),
        ("\"right\":0.5", "\"right\":2", "'right'"),
        ("\"equal_pairs\":0.5", "\"equal_pairs\":1e308", "'equal_pairs'"),
        (
            "{\"threshold\":0.01", "{\"threshold\":1e308",
            "'acceptance_by_threshold[0]', 'threshold'"
        ),
        ("0.01,\"share\":0.9", "0.01,\"share\":9", "'acceptance_by_threshold[0]', 'share'"),
        ("[0.1,0.2]", "[0.1,1e308]", "'low_by_position[1]'"),
        ("[0.3]", "[null]", "'refused_by_position[0]'"),
        ("\"x\",\"share\":0.5", "\"x\",\"share\":-0.5", "'low_tokens[0]', 'share'"),
        ("[-2,-1,0]", "[-1e308,-1,0]", "'histogram', 'edges[0]'"),
        ("[-2,-1,0]", "[-2,-1,-1]", "'histogram', 'counts'"),
        ("[3,5]", "[3,-5]", "'histogram', 'counts'"),
        ("[3,5]", "[3,9223372036854775807]", "'histogram', 'counts'"),
        ("\"problems\":4", "\"problems\":9223372036854775807", "'problems'"),
        ("\"problems_with_trace\":3", "\"problems_with_trace\":5", "'problems_with_trace'"),
        ("\"tries\":8", "\"tries\":-8", "'tries'"),
        ("\"p_student\":0.25", "\"p_student\":1e308", "'samples[0]', 'tokens[0]', 'p_student'"),
        ("\"p_teacher\":null", "\"p_teacher\":-2", "'samples[0]', 'tokens[0]', 'p_teacher'"),
    ]

    @Test(arguments: spoiled)
    func senselessNumbersOfTracesAreRefused(
        _ row: (from: String, to: String, place: String)
    ) throws {
        let tiny = try TinyExperiment(questions: 1)
        let path = tiny.path("analysis.json")
        try TextFile.write(Self.analysis, to: path)
        #expect(try TraceAnalysis.read(path).arms.flatMap(\.samples).count == 1)
        #expect(Self.analysis.ranges(of: row.from).count == 1)
        try TextFile.write(Self.analysis.replacing(row.from, with: row.to), to: path)
        let found = try #require(failure { _ = try TraceAnalysis.read(path) })
        #expect(found.kind == .badData && found.file == path)
        #expect(found.place == "arm 'rsd', \(row.place)")
    }

    static let scores = """
        {"benchmark":"b","questions":["p","q"]}
        {"arm":"a","seed":1,"benchmark":"b","samples":2,"correct":[2,1],"unparsed":0,"truncated":0}
        """

    static let spoiledScores: [(from: String, to: String, place: String)] = [
        ("[2,1]", "[3,1]", "line 2, 'correct'"), ("[2,1]", "[2,1,0]", "line 2, 'correct'"),
        ("\"samples\":2", "\"samples\":65536", "line 2, 'correct'"),
        ("\"unparsed\":0", "\"unparsed\":5", "line 2, 'correct'"),
        ("\"seed\":1", "\"seed\":-1", "line 2, 'seed'"),
        ("[\"p\",\"q\"]", "[\"p\",\"p\"]", "line 1, 'questions'"),
        ("[\"p\",\"q\"]", "[]", "line 1, 'questions'"),
        ("{\"benchmark\":\"b\"", "{\"benchmark\":\"c\"", "line 2, 'benchmark'"),
        ("\"questions\":[\"p\",\"q\"]", "\"questions\":[\"p\",\"q\"],\"of\":2", "line 1, 'of'"),
        ("\"truncated\":0}", "\"truncated\":0}\n\(scores)", "line 3, 'benchmark'"),
    ]

    @Test(arguments: spoiledScores)
    func senselessScoresAreRefused(_ row: (from: String, to: String, place: String)) throws {
        let tiny = try TinyExperiment(questions: 1)
        let path = tiny.path("scores.jsonl")
        try TextFile.write(Self.scores, to: path)
        #expect(try ScoreTable.read(path).cells.count == 1)
        try TextFile.write(Self.scores.replacing(row.from, with: row.to), to: path)
        let found = try #require(failure { _ = try ScoreTable.read(path) })
        #expect(found.kind == .badData && found.file == path && found.place == row.place)
    }

    @Test func countsThatAreThereTwiceAreRefused() throws {
        let tiny = try TinyExperiment(questions: 1)
        let path = tiny.path("scores.jsonl")
        let lines = Self.scores.split(separator: "\n")
        try TextFile.write("\(Self.scores)\n\(lines[1])\n", to: path)
        let found = try #require(failure { _ = try ScoreTable.read(path) })
        #expect(found.kind == .badData && found.message.contains("a second time"))
    }

    @Test func partsOfTheQuestionsAreNoWholeReport() throws {
        let tiny = try TinyExperiment(questions: 7)
        let experiment = try tiny.experiment(samples: 1)
        for job in try tiny.jobs(experiment) { try TinyExperiment.run(job, limit: 3) }
        var run = ReportRunTests.report(tiny, experiment)
        let found = try #require(failure { try run.run() })
        #expect(found.kind == .missingInput)
        #expect(found.message.contains("the first 3 of 7 questions of tiny"))
        #expect(found.remedy?.contains("--partial") == true)
        run.isPartial = true
        let (model, table) = try run.run()
        #expect(model.scores.allSatisfy { $0.questions == 3 })
        #expect(table.contains("Partial report: with the first 3 of 7 questions of tiny."))
        // The counts know it too.
        run.counts = .scores
        #expect(try run.run().table == table)
        run.isPartial = false
        #expect(failure { try run.run() }?.kind == .missingInput)
        // A limit beyond the benchmark is no limit.
        run.counts = .samples
        for job in try tiny.jobs(experiment) { try TinyExperiment.run(job, limit: 100) }
        #expect(try run.run().model.scores.allSatisfy { $0.questions == 7 })
    }

    @Test(arguments: [[1], [1, 2]]) func aPartOfASweepIsNamed(_ seeds: [Int]) throws {
        let tiny = try TinyExperiment(questions: 5)
        let experiment = try tiny.experiment(
            samples: 1,
            seeds: seeds,
            more:
                "training: {learningRate: 1e-3}\ngrid: {rate: {training.learningRate: [1e-3, 1e-2]}}"
        )
        let jobs = try tiny.jobs(experiment)
        for job in jobs { try TinyExperiment.run(job, limit: 2) }
        var run = ReportRunTests.report(tiny, experiment)
        #expect(failure { try run.run() }?.kind == .missingInput)
        run.isPartial = true
        #expect(try run.run().table.contains("the first 2 of 5 questions of tiny"))
        try FileManager.default.removeItem(atPath: jobs[0].stage.folder)
        #expect(failure { try run.run() }?.kind == .configuration)
    }

    static let partial: [ReportRun.Counts] = [.samples, .scores]

    @Test(arguments: partial)
    func aReportOfNothingSaysSo(_ counts: ReportRun.Counts) throws {
        let tiny = try TinyExperiment(questions: 4)
        let experiment = try tiny.experiment()
        var run = ReportRunTests.report(tiny, experiment)
        run.isPartial = true
        run.counts = counts
        let folder = RunLayout(experiment, environment: tiny.environment).resultsFolder
        if counts == .scores { try TextFile.write("", to: "\(folder)/scores.jsonl") }
        let found = try #require(failure { try run.run() })
        #expect(found.kind == .missingInput)
        #expect(found.message.hasPrefix("nothing has been scored yet"))
        #expect(found.remedy?.contains("rsd-evaluate run") == true)
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/report.html"))
    }

    @Test(arguments: [-1, 0]) func aSenselessLimitIsNoLimit(_ limit: Int) {
        let manifest: JSON = ["status": "finished", "results": ["limit": .integer(limit)]]
        let record = EvaluationJob.Record(manifest: manifest)
        #expect(!record.isFinished && record.limit == nil)
    }

    /// What was cut off behind the last row is told of where the number of steps is known.
    @Test func lostMetricsAreToldOf() throws {
        let path = NSTemporaryDirectory() + "rsd-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try TextFile.write("{\"step\":0,\"loss\":1}\n{\"step\":1,\"loss\":2}\n", to: path)
        var warnings: [String] = []
        for end in [nil, 2, 5] {
            #expect(try LossFiles.read(path, upTo: end) { warnings.append($0) }.count == 2)
        }
        #expect(warnings == ["warning: \(path): 3 steps have no row (2 to 4)"])
    }

    /// A digit that is another one leaves every line readable; the manifest's digest tells of it.
    @Test func changedMetricsAreToldOf() throws {
        let tiny = try TinyExperiment()
        defer { try? FileManager.default.removeItem(at: tiny.folder) }
        let experiment = try tiny.experiment()
        let layout = RunLayout(experiment, environment: tiny.environment)
        let stage = try #require(try layout.training(experiment.arm("direct"), seed: 1))
        let path = stage.file("metrics.jsonl")
        let text = "{\"step\":0,\"loss\":2.5}\n{\"step\":1,\"loss\":1.5}\n"
        try TextFile.write(text, to: path)
        let manifest = try Manifest(
            stage.manifest,
            configuration: .null,
            seeds: [1],
            inputs: [],
            surroundings: TinyExperiment.surroundings
        )
        try manifest.close(.finished, outputs: ["metrics.jsonl"])
        var warnings: [String] = []
        #expect(try LossFiles.curves(layout) { warnings.append($0) }.count == 1)
        #expect(warnings.isEmpty)
        try TextFile.write(text.replacing("2.5", with: "2.4"), to: path)
        #expect(try LossFiles.curves(layout) { warnings.append($0) }.count == 1)
        #expect(warnings.count == 1 && warnings[0].hasPrefix("warning: \(path): is damaged"))
        // One warning is enough.
        try TextFile.write(text + "x\n", to: path)
        _ = try LossFiles.curves(layout) { warnings.append($0) }
        #expect(warnings.count == 2 && warnings[1].contains("1 line is damaged"))
    }
}
