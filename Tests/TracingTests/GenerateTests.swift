import Basics
import Checkpoints
import Foundation
import Kernels
import Models
import Records
import Testing
import Tokenizers

@testable import Experiments
@testable import Tracing

/// A folder with tiny random models, some problems and an experiment; gone with this object.
final class Laboratory {
    let folder: String
    /// The words of the miniature world by id; the end of turn comes behind them.
    static let words = ChainWorld.words.filter { $0 != ChainWorld.endOfTurn }

    /// The files of the models, made once: `other` shares no word with the others.
    private static let models = Result {
        let folder = "\(NSTemporaryDirectory())/generate-tests-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try TextFile.createFolder(folder)
        let own = try ChainWorld.tokenizer
        let foreign = try Tokenizer(words: (0..<40).map { "word\($0)" }, endOfTurn: "$")
        return try [("teacher", own), ("student", own), ("other", foreign)].enumerated().map {
            seed,
            model in
            let path = "\(folder)/\(model.0).h5"
            try write(model.1, seed: UInt64(seed), to: path)
            return ("\(model.0).h5", try TextFile.read(path))
        }
    }

    init() throws {
        folder = "\(NSTemporaryDirectory())/generate-tests-\(UUID().uuidString)"
        for (name, data) in try Self.models.get() {
            try TextFile.write(data, to: "\(folder)/\(name)")
        }
        let problems = try ChainWorld.trainingProblems(count: 7, operations: [2, 3], seed: 1)
        try JSONLines.write(problems.problems.map(\.json), to: "\(folder)/problems.jsonl")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static func write(_ tokenizer: Tokenizer, seed: UInt64, to path: String) throws {
        let configuration = ModelConfiguration(
            family: .qwen3,
            vocabularySize: tokenizer.vocabularySize + 3,
            hiddenSize: 16,
            intermediateSize: 24,
            layerCount: 2,
            queryHeadCount: 2,
            keyValueHeadCount: 1,
            headDimension: 8
        )
        // An embedding of this size makes some tokens likely and others not.
        let weights = RandomWeights<Float>(seed: seed, layerCount: 2, standardDeviation: 0.4)
        let model = LanguageModel(
            name: path,
            transformer: try Transformer(configuration, weights: weights),
            tokenizer: tokenizer
        )
        try HDF5Checkpoint.write(
            CheckpointContent(
                tensors: model.checkpointTensors,
                configuration: model.configuration.json,
                tokenizer: tokenizer.toJSON()
            ),
            to: path
        )
    }

    static let arms = """
          base: {kind: base}
          direct: {kind: direct}
          teacher-filtered: {kind: teacher-filtered}
          rsd: {kind: rsd}
          student-only: {kind: student-only}
        """

    /// The text of an experiment file.
    func text(
        teacher: String = "teacher",
        problems: String = "problems",
        batch: Int = 3,
        preset: String = "paper",
        arms: String = Laboratory.arms
    ) -> String {
        """
        name: tiny
        seeds: [1]
        models:
          teacher: {path: \(folder)/\(teacher).h5, source: the teacher's home}
          student: {path: \(folder)/student.h5}
        problems: {path: \(folder)/\(problems).jsonl}
        benchmarks:
          - {name: chain3, chain: {count: 4, operations: [3]}}
        template: {preset: plain, endOfTurn: $}
        answers: {style: marker, start: "#"}
        generation:
          tries: 3
          maxNewTokens: 24
          batch: \(batch)
          preset: \(preset)
          acceptanceThreshold: 0.02
          acceptanceThresholds: [0.01, 0.02, 0.05]
        arms:
        \(arms)
        """
    }

    /// The experiment with its outputs in a folder of their own.
    func scope(_ text: String, runs: String = "runs", arm: String? = nil) throws -> Scope {
        let experiment = try Experiment(text: text, file: "tiny.yaml")
        let environment = ["RSD_RUNS": "\(folder)/\(runs)", "RSD_RESULTS": "\(folder)/results"]
        let arms = try arm.map { [try experiment.arm($0)] } ?? experiment.arms
        return Scope(
            layout: RunLayout(experiment, environment: environment),
            arms: arms.filter { $0.kind != .base }
        )
    }

    /// Generates, and stops after `steps` decoding steps of each stage when given.
    @discardableResult
    static func generate(
        _ scope: Scope,
        limit: Int? = nil,
        shard: Shard? = nil,
        merging: ShardMerging = .whenComplete,
        steps: Int? = nil
    ) throws -> [ArmSelection] {
        try scope.generate(ModelStore(), limit: limit, shard: shard, merging: merging) {
            generation in
            generation.display = ProgressDisplay(isLive: false, now: { 0 }, write: { _ in })
            let left = Counter(steps ?? .max)
            generation.isInterrupted = {
                left.value -= 1
                return left.value <= 0
            }
        }
    }

    /// The bytes of an arm's tries and of what is trained on.
    static func bytes(_ scope: Scope, _ arm: String = "rsd") throws -> [Data] {
        let arm = try scope.experiment.arm(arm)
        let traces = try #require(try scope.layout.traces(arm, seed: 1))
        let selection = try #require(try scope.layout.selection(arm, seed: 1))
        return [try TextFile.read(traces.traces()), try TextFile.read(selection.selected)]
    }

    static func stage(_ scope: Scope, _ arm: String) throws -> Stage {
        try #require(try scope.layout.traces(scope.experiment.arm(arm), seed: 1))
    }
}

/// A number that closures share.
final class Counter {
    var value: Int
    init(_ value: Int) { self.value = value }
}

@Suite struct GenerationTests {
    static let policies = ["direct", "rsd", "student-only"]

    @Test func tracesAreTheSameForEveryBatchShardAndInterruption() throws {
        let laboratory = try Laboratory()
        let reference = try laboratory.scope(laboratory.text(batch: 1), runs: "reference")
        let table = try Laboratory.generate(reference)
        #expect(table.map(\.arm.name) == ["direct", "teacher-filtered", "rsd", "student-only"])
        #expect(table.allSatisfy { $0.isComplete && $0.tries.count == 21 })

        func same(_ scope: Scope, _ what: String) throws {
            for arm in Self.policies {
                let equal =
                    try Laboratory.bytes(scope, arm) == Laboratory.bytes(reference, arm)
                #expect(equal, "\(what), \(arm)")
                let stage = try Laboratory.stage(scope, arm)
                #expect(stage.state == .finished, "\(what), \(arm)")
                #expect(TraceStore(stage: stage).files == [stage.traces()], "\(what), \(arm)")
            }
        }
        for batch in [3, 8] {
            let scope = try laboratory.scope(laboratory.text(batch: batch), runs: "b\(batch)")
            try Laboratory.generate(scope)
            try same(scope, "batch \(batch)")
        }
        let sharded = try laboratory.scope(laboratory.text(), runs: "shards")
        for index in [2, 1, 3] {
            let selections = try Laboratory.generate(sharded, shard: Shard(index: index, count: 3))
            #expect(selections.isEmpty == (index != 3))
            if index != 3 {
                let stage = try Laboratory.stage(sharded, "rsd")
                let isMerged = FileManager.default.fileExists(atPath: stage.traces())
                #expect(!isMerged && stage.state == .started)
            }
        }
        try same(sharded, "3 shards")
        // The whole took as long as its shards, and another look at one of them changes nothing.
        let stage = try Laboratory.stage(sharded, "rsd")
        let manifests = try (1...3).map {
            Manifest.seconds(of: try TextFile.readJSON(stage.file("manifest-\($0)-of-3.json")))
        }
        let whole = try TextFile.read(stage.manifest)
        let earlier = try TextFile.readJSON(stage.manifest)["earlier_seconds"]?.number ?? 0
        #expect(abs(earlier - manifests.reduce(0, +)) < 1e-6 && earlier > 0)
        try Laboratory.generate(sharded, shard: Shard(index: 1, count: 3))
        #expect(try TextFile.read(stage.manifest) == whole)
        try same(sharded, "a shard again")

        // Shards that leave merging to a run of its own.
        let cluster = try laboratory.scope(laboratory.text(), runs: "cluster")
        for index in 1...3 {
            let early = #expect(throws: Failure.self) {
                try Laboratory.generate(cluster, merging: .only)
            }
            #expect(early?.kind == .missingInput)
            let shard = Shard(index: index, count: 3)
            #expect(try Laboratory.generate(cluster, shard: shard, merging: .never).isEmpty)
            #expect(try Laboratory.stage(cluster, "rsd").state == .started)
        }
        #expect(try Laboratory.generate(cluster, merging: .only).count == 4)
        try same(cluster, "a merge of its own")

        let limited = try laboratory.scope(laboratory.text(), runs: "limit")
        let first = try Laboratory.generate(limited, limit: 2)
        #expect(first.allSatisfy { !$0.isComplete && $0.selection?.problemCount == 2 })
        let state = try Laboratory.stage(limited, "rsd").state
        #expect(state == .started)
        try Laboratory.generate(limited)
        try same(limited, "limit")

        let stopped = try laboratory.scope(laboratory.text(), runs: "stopped")
        var stops = 0
        for _ in 0..<100 {
            do {
                try Laboratory.generate(stopped, steps: 60)
                break
            } catch let failure as Failure {
                #expect(failure.kind == .interrupted)
                stops += 1
            }
        }
        #expect(stops > 2)
        try same(stopped, "interrupted")
    }

    @Test(arguments: [1, 200, 5000]) func aTornFileIsResumed(cut: Int) throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(laboratory.text(), arm: "rsd")
        try Laboratory.generate(scope)
        let whole = try Laboratory.bytes(scope)
        let stage = try Laboratory.stage(scope, "rsd")
        // A killed process leaves records in the order of completion, the last one cut anywhere.
        let lines = whole[0].split(separator: 0x0A)
        var torn = Data(lines.reversed().joined(separator: [0x0A]))
        torn.removeLast(min(cut, torn.count - 1))
        try TextFile.write(torn, to: stage.traces())
        try Laboratory.generate(scope)
        #expect(try Laboratory.bytes(scope) == whole)
    }

    @Test(arguments: ["paper", "reference-code"])
    func everyStoredTokenSatisfiesItsRule(preset: String) throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(laboratory.text(preset: preset))
        try Laboratory.generate(scope)
        let student = try ModelStore().model(.student, of: scope.layout, seed: 1)
        let template = scope.experiment.template
        let endOfTurn = try template.endOfTurnID(in: student.tokenizer)
        let problems = try scope.layout.problems(seed: 1).problems
        var sources: [String: Set<TokenSource>] = [:]
        for arm in Self.policies {
            for trace in try Trace.read(Laboratory.stage(scope, arm).traces()) {
                sources[arm, default: []].formUnion(trace.source)
                let problem = try #require(problems.first { $0.id == trace.id })
                let prompt = try template.encode(
                    problem: problem.problem,
                    with: student.tokenizer
                )
                // Scoring afterwards, in other passes, sees what generation saw.
                let scores = try SequenceScoring(student)
                    .probabilities(of: trace.ids, after: prompt)
                #expect(scores.count == trace.ids.count)
                for (index, probability) in trace.studentProbability.enumerated() {
                    #expect(abs(scores[index] - probability) < 1e-5)
                    if arm == "rsd" && trace.source[index] == .teacher {
                        #expect(probability >= 0.02)
                    }
                }
                for refusal in trace.refusals where refusal.reason == .threshold {
                    #expect(refusal.studentProbability < 0.02)
                }
                #expect(trace.teacherProbability.allSatisfy { $0.isNaN == (arm == "student-only") })
                #expect((trace.ids.last == endOfTurn) == (trace.stop == .endOfTurn))
                #expect(trace.ids.count <= 24 && !trace.text.contains("$"))
                #expect(trace.acceptance.count == (arm == "student-only" ? 0 : 3))
            }
        }
        #expect(sources["direct"] == [.teacher])
        #expect(sources["rsd"] == [.teacher, .student])
        #expect(sources["student-only"] == [.student])
    }

    @Test func theStudentAloneNeedsNoTeacher() throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(
            laboratory.text(teacher: "nowhere"),
            arm: "student-only"
        )
        #expect(try Laboratory.generate(scope)[0].tries.count == 21)
    }

    @Test func badInputHasItsExitCode() throws {
        let laboratory = try Laboratory()
        try TextFile.write("", to: "\(laboratory.folder)/empty.jsonl")
        try TextFile.write("{\"id\":\"a\"}\n", to: "\(laboratory.folder)/broken.jsonl")
        try TextFile.write(
            "{\"id\":\"a\",\"problem\":\"What?\",\"answer\":1}\n",
            to: "\(laboratory.folder)/unspellable.jsonl"
        )
        let external = """
              base: {kind: base}
              direct: {kind: direct, traces: {path: nowhere.jsonl, source: the web}}
            """
        let cases: [(text: String, code: Int32, words: [String])] = [
            (laboratory.text(teacher: "nowhere"), 66, ["nowhere.h5", "the teacher's home"]),
            (laboratory.text(problems: "nowhere"), 66, ["nowhere.jsonl"]),
            (laboratory.text(problems: "empty"), 65, ["empty.jsonl"]),
            (laboratory.text(problems: "broken"), 65, ["broken.jsonl", "line 1", "problem"]),
            (laboratory.text(problems: "unspellable"), 65, ["problem a", "What"]),
            (laboratory.text(teacher: "other"), 78, ["other.h5", "student.h5"]),
            (laboratory.text(arms: external), 66, ["nowhere.jsonl", "the web"]),
        ]
        for (text, code, words) in cases {
            let scope = try laboratory.scope(text)
            do {
                try Laboratory.generate(scope)
                Issue.record("no failure with \(words)")
            } catch let failure as Failure {
                #expect(failure.kind.exitCode == code, "\(failure)")
                for word in words { #expect(failure.description.contains(word), "\(failure)") }
            }
        }
    }

    @Test func speedIsMeasured() throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(laboratory.text())
        let store = ModelStore()
        let teacher = try store.model(.teacher, of: scope.layout, seed: 1)
        let student = try store.model(.student, of: scope.layout, seed: 1)
        for student in [nil, student] {
            let json = try DecodingSpeed.measure(
                teacher: teacher,
                student: student,
                .init(batch: 2, promptTokens: 5, tokens: 4)
            ).json
            for key in [
                "prompt_tokens_per_second", "long_prompt_tokens_per_second",
                "decode_tokens_per_second", "model_bytes", "kv_cache_bytes", "peak_rss_bytes",
            ] {
                #expect((json[key]?.number ?? 0) > 0, "\(key)")
            }
            #expect(((json["rsd_tokens_per_second"]?.number ?? 0) > 0) == (student != nil))
            #expect(json["acceptance"]?.isNull == (student == nil))
        }
    }
}
