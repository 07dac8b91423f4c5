import Basics
import Experiments
import Foundation
import Records
import TestSupport

@testable import Reports
@testable import Scoring
@testable import Training

/// Seeds and readers of what the report is made of, and of training's log.
enum ReportFormats {
    static func scores(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/scores.jsonl",
            seeds: [
                """
                {"benchmark":"x","questions":["a","b","c"],"digest":"00"}
                {"arm":"base","seed":1,"benchmark":"x","samples":4,"correct":[0,4,2],"unparsed":1,"truncated":0,"guessed":2,"majority":[0,1,1],"grader":"9","stage":"s"}
                {"arm":"base","seed":1,"step":40,"benchmark":"x","samples":4,"correct":[0,4,2],"unparsed":1,"truncated":0,"ranked":[0,1,1]}
                {"variant":"g/x=1","arm":"rsd","seed":2,"benchmark":"x","samples":1,"correct":[1,1,0],"unparsed":0,"truncated":3}

                """
            ],
            words: [
                "\"correct\"", "\"x\"", "65535", "65536", "[0,0,0]", "\"questions\"", "\"step\"",
            ]
        ) { path, _ in
            let table = try ScoreTable.read(path)
            try RecordFormats.check(table.records, \.self, path) { try ScoreTable.read($0).records }
            for cell in table.cells {
                _ = try table.cell(cell.variant, cell.arm, cell.seed, cell.benchmark)
            }
        }
    }

    static func analysis(_ folder: String) throws -> any FuzzSubject {
        let arm = """
            {"arm":"rsd","problems":3,"problems_with_trace":2,"tries":12,"acceptance":0.9,
            "fallback_share":0.1,"share_below_one_percent":0.01,"share_below_tenth_percent":null,
            "mean_trace_length":41.5,"mean_negative_log_probability":0.7,
            "histogram":{"edges":[-8,-4,-2,0],"counts":[1,20,300]},
            "trace_length_quantiles":[[0.1,10],[0.5,40],[0.9,90]],
            "agreement":{"right":0.75,"equal_pairs":1},
            "acceptance_by_threshold":[{"threshold":0.01,"share":0.9},{"threshold":0.1,"share":0.5}],
            "low_by_position":[0.1,0.2,0],"refused_by_position":[0,0.5,1],
            "low_tokens":[{"text":"Wait","share":0.2}],
            "samples":[{"problem":"1+1?","answer":"2","tokens":[
            {"text":"so","writer":"teacher","p_student":0.5,"p_teacher":0.9},
            {"text":" 2","writer":"student","p_student":1e-9}]}]}
            """
        return try TextSubject(
            "\(folder)/analysis.json",
            seeds: [
                "{\"experiment\":\"x\",\"arms\":[\(arm),\(arm.replacing("\"rsd\"", with: "\"base\""))]}"
            ],
            words: [
                "1.5", "-0.5", "1e-320", "\"writer\"", "\"edges\"", "\"counts\"", "[0,1]", "[1,0]",
            ]
        ) { path, random in
            let analysis = try TraceAnalysis.read(path)
            var model = ReportModel(experiment: "x")
            model.arms = ["base", "rsd"].map { .init(name: $0) }
            model.traces = analysis.arms
            model.samples = analysis.arms.flatMap(\.samples)
            try draw(model, &random)
        }
    }

    static func metrics(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/metrics.jsonl",
            seeds: [
                (1...12).map { step in
                    """
                    {"step":\(step),"loss":\(2.0 / Double(step)),"learning_rate":1e-05,\
                    "gradient_norm":0.5,"tokens":100,"seconds":0.25}

                    """
                }.joined(), "{\"step\":1,\"loss\":null}\n{\"step\":2,\"loss\":1.0}\n",
            ],
            words: ["\"step\"", "\"loss\"", "1e38", "-1e38"]
        ) { path, random in
            var model = ReportModel(experiment: "x")
            model.arms = [.init(name: "rsd")]
            model.losses = [.init(arm: "rsd", label: "", points: try LossFiles.read(path))]
            try draw(model, &random)
        }
    }

    /// Draws all that a report has, the page itself now and then.
    private static func draw(_ model: ReportModel, _ random: inout SplitMix) throws {
        let texts = ReportPlots(model).all.map(\.svg) + [ResultTable(model: model).markdown]
        if let text = texts.first(where: { $0.contains("nan") || $0.contains("inf\"") }) {
            throw FuzzFault("drawn with a number that is none: \(text.prefix(80))")
        }
        guard random.isOne(in: 50) else { return }
        _ = try ReportPage(model: model).html()
    }

    static func manifest(_ folder: String) throws -> any FuzzSubject {
        let surroundings = Manifest.Surroundings(
            command: ["rsd"],
            commit: nil,
            libraries: [],
            machine: ["cpu": "x"]
        )
        return try TextSubject(
            "\(folder)/manifest.json",
            seeds: [
                """
                {"status":"interrupted","command":["rsd-train","run"],"commit":null,
                "started":"2026-01-02T03:04:05Z","finished":"2026-01-02T03:05:05Z",
                "wall_seconds":60.5,"earlier_seconds":10,"peak_rss_bytes":1000,"seeds":[1],
                "inputs":{"a":"00"},"libraries":{},"machine":{},"results":{"limit":3},
                "configuration":null}
                """,
                "{\"status\":\"running\",\"started\":\"2026-01-02T03:04:05Z\",\"wall_seconds\":null}",
            ],
            words: ["\"finished\"", "\"running\"", "\"9999-12-31T23:59:60Z\"", "\"-1-1-1\""]
        ) { path, random in
            let record = EvaluationJob.Record(manifest: try? TextFile.readJSON(path))
            _ = record.covers(random.below(5))
            let manifest = try Manifest(
                path,
                configuration: .null,
                seeds: [1],
                inputs: [],
                surroundings: surroundings,
                parts: [path]
            )
            try manifest.close(.finished)
            _ = try TextFile.readJSON(path)
        }
    }
}

/// TensorBoard's event files, which training reads again when it goes on.
struct EventSubject: FuzzSubject {
    private let folder: String
    private let mutator: ByteMutator

    init(_ folder: String) throws {
        self.folder = "\(folder)/events"
        try TextFile.createFolder(self.folder)
        var seed = MarkedBytes()
        for step in 0..<4 {
            let event = Event(time: 1.5, step: step, scalars: step == 0 ? [] : [("loss", 0.5)])
            let payload = event.bytes(version: step == 0)
            seed.endPart()
            seed.append(UInt64(payload.count))
            seed.append(TFRecord.checksum(TFRecord.frame(payload).prefix(8).map(\.self)))
            seed.append(payload)
            seed.append(TFRecord.checksum(payload))
        }
        mutator = ByteMutator(seeds: [seed])
    }

    func input(_ random: inout SplitMix) -> [UInt8] {
        guard random.isOne(in: 2) else { return mutator.next(&random) }
        // Sound frames around damaged messages.
        return (0..<3).flatMap { step in
            var payload = Event(time: 1, step: step, scalars: [("loss", 1), ("b", 2)]).bytes()
            ByteMutator.overwrite(&payload, [], &random)
            return TFRecord.frame(payload)
        }
    }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        let path = "\(folder)/events.out.tfevents.1.host"
        try Data(input).write(to: URL(filePath: path))
        let file = try EventFile(folder: folder, keepingStepsBelow: random.below(5))
        try file.append(step: 9, [("loss", 1)])
        let payloads = TFRecord.payloads(of: [UInt8](try TextFile.read(path)))
        guard let last = payloads.last, Event.step(of: last) == 9 else {
            throw FuzzFault("the step that was added cannot be read")
        }
    }
}
