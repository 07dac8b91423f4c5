import Basics
import Foundation
import Models
import Records
import Testing

@testable import Experiments

/// Runs a body in a new folder, removed afterwards.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    let path = NSTemporaryDirectory() + "rsd-\(UUID().uuidString)"
    try TextFile.createFolder(path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

@Suite struct RunLayoutTests {
    static let arms = """
        arms: {base: {kind: base}, direct: {kind: direct}, rsd: {kind: rsd}, \
        teacher-filtered: {kind: teacher-filtered}, student-only: {kind: student-only}}
        """

    static func layout(_ more: String = "", runs: String = "runs") throws -> RunLayout {
        RunLayout(
            try experiment(arms: arms, more: more),
            environment: ["RSD_RUNS": runs, "RSD_RESULTS": "results"]
        )
    }

    /// A world that is too small is told of with the file and the place that ask for more.
    @Test func tooManyChainsAreToldOfWithTheirPlace() throws {
        func text(problems: Int, benchmark: Int) -> String {
            """
            name: small
            models: {student: {path: m.h5}}
            problems: {chain: {count: \(problems), operations: [2]}}
            benchmarks: [{name: two, chain: {count: \(benchmark), operations: [2]}}]
            arms: {base: {kind: base}, own: {kind: student-only}}
            """
        }
        try withFolder { folder in
            for (problems, benchmark, place) in [
                (1_000_000, 4, "problems"), (4, 1_000_000, "benchmarks, two"),
            ] {
                let layout = RunLayout(
                    try Experiment(
                        text: text(problems: problems, benchmark: benchmark)
                            .replacing("m.h5", with: "\(folder)/m.h5"),
                        file: "small.yaml"
                    )
                )
                try TextFile.write("weights", to: "\(folder)/m.h5")
                let failure = #expect(throws: Failure.self) {
                    _ = try layout.traces(layout.experiment.arm("own"), seed: 1)
                    _ = try layout.evaluation(layout.experiment.arm("base"), seed: 1)
                }
                #expect(failure?.file == "small.yaml" && failure?.place == place)
                #expect(failure?.message.contains("different chains") == true)
                #expect(failure?.kind == .configuration)
            }
        }
    }

    /// All parts of a split model are counted, whichever of them is named.
    @Test func theSizeOfASplitModelIsThatOfItsParts() throws {
        try withFolder { folder in
            let parts = (1...3).map { "\(folder)/m-0000\($0)-of-00003.gguf" }
            for (index, path) in parts.enumerated() {
                try TextFile.write(Data(repeating: 0, count: 10 << index), to: path)
            }
            for path in parts { #expect(ModelSizes.bytes(of: path) == 70) }
            try FileManager.default.removeItem(atPath: parts[1])
            #expect(ModelSizes.bytes(of: parts[0]) == nil)
            try TextFile.write("abc", to: "\(folder)/one.gguf")
            #expect(ModelSizes.bytes(of: "\(folder)/one.gguf") == 3)
        }
    }

    /// The folders of every stage that can be named before anything has run.
    static func folders(_ layout: RunLayout, seed: UInt64 = 1) throws -> [String: String] {
        var folders: [String: String] = [:]
        for role in ModelRole.allCases {
            folders[role.rawValue] = try? layout.base(role, seed: seed)?.folder
        }
        for arm in layout.experiment.arms {
            folders["traces \(arm.name)"] = try layout.traces(arm, seed: seed)?.folder
            folders["selection \(arm.name)"] = try layout.selection(arm, seed: seed)?.folder
        }
        let base = try layout.experiment.arm("base")
        folders["evaluation base"] = try layout.evaluation(base, seed: seed).folder
        return folders
    }

    @Test func foldersAreNamedAfterTheirContents() throws {
        let folders = try Self.folders(Self.layout())
        // Recorded: a change here makes every existing run be run again.
        #expect(folders["teacher"] == "runs/small/base/teacher-seed0-72e0d5cff9f6")
        #expect(folders["student"] == "runs/small/base/student-seed1-e5347ce6e8ef")
        #expect(folders["traces rsd"] == "runs/small/traces/rsd-seed1-144d2411029f")
        #expect(folders["selection rsd"] == "runs/small/selection/rsd-seed1-cf987c5c53a7")
        #expect(folders["evaluation base"] == "runs/small/evaluation/base-seed1-a759107515d6")
        #expect(folders["traces direct"] == folders["traces teacher-filtered"])
        #expect(folders["selection direct"] != folders["selection teacher-filtered"])
        #expect(folders["traces base"] == nil)
        #expect(folders.count == 11)
    }

    static let changes: [(more: String, changed: Set<String>)] = [
        ("generation: {batch: 3}", []),
        ("generation: {draftTokens: 4}", []),
        ("training: {saveEvery: 3, keepCheckpoints: 9, recompute: layers}", []),
        ("evaluation: {batch: 3}", []),
        ("description: other words", []),
        ("generation: {acceptanceThreshold: 0.01, preset: paper, tries: 16}", []),
        (
            "generation: {acceptanceThreshold: 0.02}", ["traces rsd", "selection rsd"]
        ),
        ("selection: {maxFallbackRate: 0.4}", ["selection rsd", "selection teacher-filtered"]),
        (
            "generation: {tries: 2}",
            [
                "traces direct", "traces rsd", "traces teacher-filtered", "traces student-only",
                "selection direct", "selection rsd", "selection teacher-filtered",
                "selection student-only",
            ]
        ),
        (
            "answers: {style: boxed}",
            [
                "selection direct", "selection rsd", "selection teacher-filtered",
                "selection student-only",
            ]
        ),
        ("evaluation: {temperature: 0}", ["evaluation base"]),
        ("evaluation: {storage: q8_0}", ["evaluation base"]),
        (
            "template: {preset: plain}",
            [
                "traces direct", "traces rsd", "traces teacher-filtered", "traces student-only",
                "selection direct", "selection rsd", "selection teacher-filtered",
                "selection student-only", "evaluation base",
            ]
        ),
    ]

    @Test(arguments: changes) func keysHoldWhatMatters(_ test: (more: String, changed: Set<String>))
        throws
    {
        let before = try Self.folders(Self.layout())
        let after = try Self.folders(Self.layout(test.more))
        #expect(Set(before.keys.filter { before[$0] != after[$0] }) == test.changed)
    }

    @Test func sharedModelsAreMadeOnce() throws {
        let layout = try Self.layout()
        let names = try layout.baseStages().map { "\($0.label) \($0.seed)" }
        #expect(names == ["teacher 0", "student 1", "student 2"])
    }

    @Test func trainingDependsOnWhatWasSelected() throws {
        try withFolder { folder in
            let layout = try Self.layout(runs: folder)
            let arm = try layout.experiment.arm("rsd")
            #expect(failureText { _ = try layout.training(arm, seed: 1) }.hasPrefix("66: "))
            #expect(throws: Failure.self) { try layout.evaluation(arm, seed: 1) }
            let selection = try #require(try layout.selection(arm, seed: 1))
            try selection.prepare()
            var folders: Set<String> = []
            for text in ["one", "two", "two"] {
                try TextFile.write(text, to: selection.selected)
                // A fresh layout, as each command has: the file's time alone may not have changed.
                let training = try Self.layout(runs: folder).training(arm, seed: 1)
                folders.insert(try #require(training).folder)
            }
            #expect(folders.count == 2)
            let model = try layout.trainedModelPath(arm, seed: 1)
            #expect(model.hasSuffix("/model.h5") && model.contains("/training/rsd-seed1-"))
            let base = try layout.experiment.arm("base")
            #expect(try layout.trainedModelPath(base, seed: 2).contains("/base/student-seed2-"))
        }
    }

    @Test func stagesKnowHowFarTheyHaveCome() throws {
        try withFolder { folder in
            let stage = try #require(try Self.layout(runs: folder).base(.student, seed: 1))
            #expect(stage.state == .absent)
            try stage.prepare()
            #expect(stage.state == .started)
            #expect(
                try TextFile.readJSON(stage.file("key.json")).canonical == stage.inputs.canonical
            )
            try TextFile.write(#"{"status":"finished"}"#, to: stage.manifest)
            // What makes a model is not finished without it.
            #expect(stage.state == .started)
            try TextFile.write("weights", to: stage.model)
            #expect(stage.state == .finished)
            #expect(stage.traces(shard: (2, 3)) == stage.folder + "/traces-2-of-3.jsonl")
        }
    }

    @Test func digestsFoldersByTheirModelFiles() throws {
        try withFolder { folder in
            let digest = { try InputDigests().digest(of: folder) }
            #expect(throws: Failure.self) { try digest() }
            try TextFile.write("{}", to: "\(folder)/config.json")
            try TextFile.write("w", to: "\(folder)/model.safetensors")
            let first = try digest()
            try TextFile.write("words", to: "\(folder)/README.md")
            let second = try digest()
            #expect(first == second)
            try TextFile.write("v", to: "\(folder)/model.safetensors")
            let third = try digest()
            #expect(first != third)
        }
        let text = failureText { _ = try InputDigests().digest(of: "no.gguf", source: "Buy it.") }
        #expect(text == "66: no.gguf: no such file or folder\nBuy it.")
    }

    /// The age that counts is that of the file, not that of the link to it.
    @Test func digestsWhatALinkPointsTo() throws {
        try withFolder { folder in
            let files = FileManager.default
            let link = "\(folder)/link"
            let digests = InputDigests()
            var found: Set<String> = []
            for (name, age) in [("a", 1.0), ("b", 2.0)] {
                try TextFile.write(name, to: "\(folder)/\(name)")
                try files.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: age)],
                    ofItemAtPath: "\(folder)/\(name)"
                )
                try? files.removeItem(atPath: link)
                try files.createSymbolicLink(
                    atPath: link,
                    withDestinationPath: "\(folder)/\(name)"
                )
                found.insert(try digests.digest(of: link))
            }
            #expect(found.count == 2)
        }
    }

    @Test func plansNameWhatIsMissing() throws {
        let text = experimentText(arms: "arms: {base: {kind: base}, rsd: {kind: rsd}}")
            .replacing(
                /models: .*/,
                with: "models: {student: {path: no/s.gguf, shape: qwen2.5-0.5b, source: Ask.}, "
                    + "teacher: {path: no/t.gguf, shape: qwen2.5-1.5b}}"
            )
        let layout = RunLayout(try Experiment(text: text, file: "small.yaml"), environment: [:])
        let plan = try StageGraph(layout).plan()
        #expect(
            plan.missing == [
                Plan.Missing(key: "models.teacher", path: "no/t.gguf", source: nil),
                Plan.Missing(key: "models.student", path: "no/s.gguf", source: "Ask."),
            ]
        )
        #expect(plan.steps.allSatisfy { $0.folder == nil && $0.state == .absent })
        // Per seed: traces, and for base an evaluation, for rsd selection, training, evaluation.
        #expect(plan.steps.count == 2 * 5)
        #expect(plan.text.hasPrefix("small: 10 stages\n  traces rsd seed 1  absent  "))
        #expect(plan.text.hasSuffix("missing: no/s.gguf (models.student)\n  Ask.\n"))
    }

    /// Counts published with the models.
    @Test(arguments: [
        ("smollm2-135m", 134_515_008), ("qwen2.5-0.5b", 494_032_768),
        ("qwen2.5-1.5b", 1_543_714_304), ("qwen2.5-7b", 7_615_616_512),
        ("qwen3-0.6b", 596_049_920), ("qwen3-1.7b", 1_720_574_976),
    ]) func countsParameters(_ name: String, _ expected: Int) {
        #expect(ModelConfiguration.named(name)?.parameterCount == expected)
    }

    @Test func estimatesGrowWithTheirSizes() throws {
        let shape = try #require(ModelConfiguration.named("qwen3-0.6b"))
        let training = Estimate.training(
            tokens: 85 * 60,
            microBatchTokens: 512,
            recompute: .none,
            moments: .float32,
            keptCheckpoints: 1,
            shape: shape
        )
        // A minute and a half at 150 GFLOP/s; 8.9 GiB of weights, gradients and moments and more.
        #expect((100...140).contains(training.seconds))
        #expect((9.5e9...14e9).contains(Double(training.memoryBytes)))
        let decoding = Estimate.decoding(
            sequences: 10,
            maxNewTokens: 200,
            batch: 4,
            models: [(shape, 5000)],
            bytesPerToken: 40
        )
        #expect(decoding.diskBytes == 40_000)
        #expect(decoding.memoryBytes == 5000 + 4 * 4 * 200 * 57344)
    }
}
