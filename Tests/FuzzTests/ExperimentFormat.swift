import Basics
import Foundation
import TestSupport

@testable import Experiments

/// Experiment files, with the stages that they name.
enum ExperimentFormat {
    private static let short = """
        name: tiny
        description: Two students.
        seeds: [1, 2]
        models: {student: {path: "student.h5", source: "there"}, teacher: {path: t.gguf}}
        problems: {chain: {count: 20, operations: [2, 3]}}
        benchmarks: [{name: one, chain: {count: 5, operations: [2]}, samples: 2}]
        template: {prompt: "Q: {problem}\\n", endOfTurn: $, thinking: false}
        answers: {style: marker, start: "#"}
        generation: {tries: 2, proposals: 2, teacher: {temperature: 0.7, topP: 0.9}, seed: 1}
        selection: {select: all, maxFallbackRate: 0.5, maskBelow: 0.01}
        training: {learningRate: 1e-3, epochs: 2, lora: {rank: 4, alpha: 8, targets: [q_proj]}}
        evaluation: {samples: 2, maxNewTokens: 12, batch: 4}
        arms: &arms
          base: {kind: base}
          direct: {kind: direct, traces: {path: "traces.jsonl", member: text}}
          rsd: {kind: rsd, generation: {acceptanceThreshold: 0.1}}
          more: {kind: rsd, student: rsd, match: {arms: [rsd], problems: true, targetTokens: true}}
        grid:
          g: {generation.tries: [1, 2], training.epochs: [1, 2, 3]}

        """

    static func subject(_ folder: String) throws -> any FuzzSubject {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let published = try ["micro", "arms", "sweep"].compactMap { name -> String? in
            let path = root.appending(path: "experiments/\(name).yaml").path(percentEncoded: false)
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            let text = String(decoding: try TextFile.read(path), as: UTF8.self)
            // Comments only keep the changes from what matters.
            return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                line.firstRange(of: " # ").map { line[..<$0.lowerBound] } ?? line
            }.joined(separator: "\n") + "\n"
        }
        let environment = ["RSD_RUNS": "\(folder)/runs", "RSD_RESULTS": "\(folder)/results"]
        return try TextSubject(
            "\(folder)/experiment.yaml",
            seeds: [short] + published,
            words: [
                "[1, 2]", "{}", "1e9", "100000", "&a", "*arms", "<<: *arms", "rsd", "direct",
                "kind:",
                "\n", "\n  ", "teacher-filtered", "${X:-1}", "${", "!!map", "---", "...",
            ]
        ) { path, _ in
            for variant in try Experiment.read(path).variants.prefix(20) {
                let layout = RunLayout(variant, environment: environment)
                _ = try layout.baseStages()
                for arm in variant.arms { _ = try variant.arm(arm.name) }
                _ = variant.merged.canonical
            }
        }
    }
}
