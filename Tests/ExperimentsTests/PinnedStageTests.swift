import Basics
import Foundation
import Testing
import Tokenizers

@testable import Experiments

/// The names of all stages, and the prompts, of the experiments in `experiments/`.
///
/// A change here makes every existing run be run again. `Fixtures/stages.txt` and
/// `Fixtures/prompts.txt` are written anew where the variable RSD_RECORD is set.
@Suite struct PinnedStageTests {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent()

    @Test func stagesKeepTheirNames() throws {
        let found = try withFolder { folder in
            for file in ExperimentFileTests.files {
                try Self.copy("\(ExperimentFileTests.folder)/\(file)", to: "\(folder)/\(file)")
            }
            let everyKey = "every-key.yaml"
            try Self.copy(Self.fixture(everyKey), to: "\(folder)/\(everyKey)")
            // What others take their traces from comes first.
            let files =
                ["micro.yaml", "qwen-gsm8k.yaml"] + ExperimentFileTests.files + [everyKey]
            return try files.flatMap { try Self.stages(of: $0, in: folder) }
        }
        try Self.compare(found, with: "stages.txt")
        #expect(found.count > 300)
    }

    @Test func promptsKeepTheirTokens() throws {
        let fixture = Self.tests.deletingLastPathComponent()
            .appending(path: "TokenizersTests/Fixtures/qwen2.json").path(percentEncoded: false)
        let tokenizer = try Tokenizer(json: TextFile.readJSON(fixture))
        let problem = "Is 1 < 2? {problem} <|im_end|>"
        let found = try ExperimentFileTests.files.map { file in
            let experiment = try Experiment.read("\(ExperimentFileTests.folder)/\(file)")
            let ids = try experiment.template.encode(problem: problem, with: tokenizer)
            return "\(file) \(ids.count) tokens \(Self.digest(ids.map(String.init)))"
        }
        try Self.compare(found, with: "prompts.txt")
    }

    static func compare(_ found: [String], with name: String) throws {
        let path = fixture(name)
        if ProcessInfo.processInfo.environment["RSD_RECORD"] != nil {
            try TextFile.write(found.joined(separator: "\n") + "\n", to: path)
        }
        let pinned = String(decoding: try TextFile.read(path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        let changed = zip(found, pinned).first { $0 != $1 }
        #expect(changed == nil, "\(name)")
        #expect(found.count == pinned.count, "\(name)")
    }

    static func fixture(_ name: String) -> String {
        tests.appending(path: "Fixtures/\(name)").path(percentEncoded: false)
    }

    /// A copy of an experiment that takes models and data from the copy's folder, with small ones.
    private static func copy(_ path: String, to copy: String) throws {
        let folder = String(copy.prefix(upTo: copy.lastIndex(of: "/") ?? copy.startIndex))
        var text = String(decoding: try TextFile.read(path), as: UTF8.self)
        for match in text.matches(of: /\$\{RSD_(?:MODELS|DATA):-[a-z]+\}\/([A-Za-z0-9._-]+)/) {
            let name = String(match.1)
            try write(name, to: "\(folder)/\(name)")
            text = text.replacing(match.0, with: "\(folder)/\(name)")
        }
        // The small files have nine records.
        text = text.replacing("skip: 7000", with: "skip: 3")
        try TextFile.write(text.replacing("experiments/", with: "\(folder)/"), to: copy)
    }

    private static func write(_ name: String, to path: String) throws {
        if name.hasSuffix(".jsonl") {
            let lines = (1...9).map {
                #"{"id": "\#(name) \#($0)", "problem": "\#($0) + 1", "answer": "\#($0 + 1)", "#
                    + #""level": \#($0 % 5), "solution": "s", "trace": "t"}"#
            }
            try TextFile.write(lines.joined(separator: "\n") + "\n", to: path)
        } else if name.hasSuffix(".csv") {
            let columns = [
                "Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2",
                "Incorrect Answer 3",
            ]
            try TextFile.write(columns.joined(separator: ",") + "\nq,a,b,c,d\n", to: path)
        } else if name.hasSuffix(".gguf") {
            try TextFile.write(name, to: path)
        } else {
            try TextFile.createFolder(path)
            try TextFile.write(name, to: "\(path)/model.safetensors")
        }
    }

    /// A line for each stage of an experiment and its variants: its names under all seeds.
    private static func stages(of file: String, in folder: String) throws -> [String] {
        let experiment = try Experiment.read("\(folder)/\(file)")
        let digests = InputDigests()
        return try experiment.variants.flatMap { variant -> [String] in
            let layout = RunLayout(
                variant,
                environment: ["RSD_RUNS": "\(folder)/runs"],
                digests: digests
            )
            let title = [experiment.name, variant.variant?.name].compactMap(\.self)
                .joined(separator: " ")
            var lines: [String] = []
            func add(_ label: String, _ stage: (UInt64) throws -> Stage?) throws {
                let hashes = try variant.seeds.compactMap { try stage($0)?.hash }
                if !hashes.isEmpty { lines.append("\(title) \(label) \(digest(hashes))") }
            }
            for role in ModelRole.allCases where (try? layout.source(role)) != nil {
                try add("base \(role.rawValue)") { try layout.base(role, seed: $0) }
            }
            for arm in variant.arms {
                try add("traces \(arm.name)") { try layout.traces(arm, seed: $0) }
                try add("selection \(arm.name)") { seed in
                    let stage = try layout.selection(arm, seed: seed)
                    // What training depends on.
                    if let stage {
                        try stage.prepare()
                        try TextFile.write("\(arm.name) \(seed)", to: stage.selected)
                    }
                    return stage
                }
                try add("training \(arm.name)") { try layout.training(arm, seed: $0) }
                try add("evaluation \(arm.name)") { try layout.evaluation(arm, seed: $0) }
            }
            return lines
        }
    }

    private static func digest(_ texts: [String]) -> String {
        var hash = SHA256()
        for text in texts { hash.update(text + "\n") }
        return String(hash.hex().prefix(16))
    }
}
