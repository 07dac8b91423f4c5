import Experiments
import Testing

@testable import Reports

@Suite struct SettingTextTests {
    @Test func whatAnArmLearnsIsTold() throws {
        let experiment = try Experiment(
            text: """
                name: told
                models: {student: {path: s.gguf}, teacher: {path: t.gguf}}
                problems: {chain: {count: 4}}
                benchmarks: [{name: chain3, chain: {count: 5, operations: [3]}}]
                arms:
                  plain: {kind: student-only}
                  likely: {kind: student-only, selection: {select: lowest-perplexity}}
                  soft: {kind: student-only, training: {objective: jsd, jsdBeta: 0.25,
                    lossTemperature: 2, divergenceWeight: 0.5}}

                """,
            file: "told.yaml"
        )
        let plain = "the student's own traces that pass the filter"
        let learned = "jsd with beta 0.25 at temperature 2.0, 50 % of the loss beside cross-entropy"
        #expect(
            experiment.arms.map(\.summary) == [
                plain, "\(plain); the try that the student finds most likely",
                "\(plain); learns the teacher's distributions: \(learned)",
            ]
        )
        let training = experiment.arms.map { SettingLines.text($0.training) }
        #expect(training[0] == training[1] && training[2] == "\(training[0]), \(learned)")
    }
}
