import Basics
import Foundation
import Records
import Testing

@testable import Experiments

/// What arms train on against what they are scored on.
@Suite struct ContaminationCheckTests {
    static func question(_ number: Int) -> String {
        "A farmer has \(number) baskets with three red apples in each of them, sells two apples to "
            + "every one of his five neighbours and eats one; how many are left in the evening?"
    }

    /// Four questions; a training file with the first and, nearly, the second; traces of the third.
    static func experiment(_ folder: String, more: String = "", arms: String) throws -> Experiment {
        func write(_ name: String, _ questions: [String]) throws {
            let records = questions.enumerated().map { index, text -> JSON in
                [
                    "id": .string("\(name)-\(index)"), "problem": .string(text), "answer": "1",
                    "trace": "One.",
                ]
            }
            try JSONLines.write(records, to: "\(folder)/\(name).jsonl")
        }
        try write("test", (1...4).map(question))
        try write("train", [question(1).uppercased(), "Now: " + question(2), "What is left?"])
        try write("traces", ["Something else.", question(3)])
        let text = experimentText(
            models: "models: {student: {path: m.gguf}, teacher: {path: t.gguf}}",
            problems: "problems: {path: \(folder)/train.jsonl}",
            arms: "arms:\n" + arms,
            more: more
        ).replacing(/chain: .count: 5.*?}/, with: "path: \(folder)/test.jsonl")
        try TextFile.write(text, to: "\(folder)/small.yaml")
        return try Experiment(text: text, file: "\(folder)/small.yaml")
    }

    static let arms = """
          base: {kind: base}
          rsd: {kind: rsd}
          own: {kind: direct}
        """

    @Test func problemsAndTraceFilesAreLookedFor() throws {
        try withFolder { folder in
            let file = "{path: \(folder)/traces.jsonl}"
            let experiment = try Self.experiment(
                folder,
                arms: Self.arms + "\n  r1: {kind: direct, traces: \(file)}"
            )
            let findings = try ContaminationCheck([experiment, experiment]).findings()
            #expect(findings.map(\.arms) == [["rsd", "own"], ["r1"]])
            #expect(findings.map(\.exact) == [["train-0"], ["traces-1"]])
            #expect(findings.map(\.near) == [["train-1"], []])
            #expect(findings.map(\.count) == [3, 2])
            #expect(
                findings[0].text
                    == "train.jsonl (arms rsd, own) in chain3: 1 word for word, 1 nearly, of 3"
            )
            var warnings: [String] = []
            try ContaminationCheck([experiment]).run { warnings.append($0) }
            #expect(warnings.count == 3)
            #expect(warnings[0].hasPrefix("warning: 1 of 3 records of "))
            #expect(warnings[2].hasSuffix("(arm r1) are word for word in chain3: traces-1"))
            // --dry-run says so too.
            let layout = RunLayout(experiment, environment: ["RSD_RUNS": folder])
            let plan = try StageGraph(layout).plan().text
            #expect(warnings.allSatisfy { plan.contains($0 + "\n") })
        }
    }

    @Test func tracesOfAnotherExperimentAreThoseOfItsProblems() throws {
        try withFolder { folder in
            _ = try Self.experiment(folder, arms: Self.arms)
            let lender = "\(folder)/lender.yaml"
            try FileManager.default.moveItem(atPath: "\(folder)/small.yaml", toPath: lender)
            let borrowed = "{experiment: \(lender), arm: rsd}"
            let experiment = try Self.experiment(
                folder,
                arms: "  transfer: {kind: direct, traces: \(borrowed)}"
            )
            let findings = try ContaminationCheck([experiment]).findings()
            #expect(findings.map(\.arms) == [["transfer"]])
            #expect(findings.first?.exact == ["train-0"])
        }
    }

    @Test func whatIsRefusedOrIgnored() throws {
        try withFolder { folder in
            let refused = try Self.experiment(
                folder,
                more: "contamination: refuse",
                arms: Self.arms
            )
            let said = failureText { try ContaminationCheck([refused]).run { _ in } }
            #expect(said.hasPrefix("65: \(folder)/train.jsonl: 1 of 3 records"))
            let ignored = try Self.experiment(
                folder,
                more: "contamination: ignore",
                arms: Self.arms
            )
            #expect(try ContaminationCheck([ignored]).findings().isEmpty)
            // Nothing to look in: a benchmark that is not there yet.
            try FileManager.default.removeItem(atPath: "\(folder)/test.jsonl")
            #expect(try ContaminationCheck([refused]).findings().isEmpty)
        }
    }

    @Test func nothingInCommonIsSaidAsWell() throws {
        try withFolder { folder in
            let file = "{path: \(folder)/traces.jsonl, limit: 1}"
            let experiment = try Self.experiment(
                folder,
                arms: "  r1: {kind: direct, traces: \(file)}"
            )
            let findings = try ContaminationCheck([experiment]).findings()
            #expect(findings.map(\.text) == ["traces.jsonl (arm r1) in chain3: none of 1"])
            #expect(findings[0].warnings.isEmpty)
        }
    }
}
