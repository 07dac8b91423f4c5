import Basics
import Foundation
import Records
import Testing

@testable import Experiments

/// Answers at once beside explanations, and a model that compares its own answers: what a file says.
@Suite struct NeighbourTests {
    static let mistakes: [(more: String, expected: String)] = [
        (
            "training: {multiTask: {alpha: 1}}",
            "training.multiTask.alpha: found 1; expected a number from 0.01 to 0.99"
        ),
        (
            "training: {multiTask: {prompt: \"At once!\"}}",
            "training.multiTask.prompt: found 'At once!'; expected text that holds {problem} once"
        ),
        (
            "training: {multiTask: {}, objective: forward-kl, teacherTargets: t.jsonl}",
            "training.multiTask: trains answers that teacherTargets do not hold; expected one of the two"
        ),
        (
            "evaluation: {rank: {}}",
            "evaluation.rank: compares samples of a question, and there is one of each; expected "
                + "samples of at least 2"
        ),
        (
            "evaluation: {samples: 3, rank: {prompt: \"{problem}\"}}",
            "evaluation.rank.prompt: found '{problem}'; expected text that holds {problem} and "
                + "{answers} once each"
        ),
        (
            "evaluation: {samples: 3, rank: {answer: \"{text}{text}{number}\"}}",
            "evaluation.rank.answer: found '{text}{text}{number}'; expected text that holds {number} "
                + "and {text} once each"
        ),
        (
            "evaluation: {samples: 3, rank: {best: 1}}",
            "evaluation.rank.best: unknown key; known keys: prompt, answer"
        ),
    ]

    @Test(arguments: mistakes) func mistakesAreNamed(_ test: (more: String, expected: String)) {
        let text = failureText { _ = try experiment(more: test.more) }
        #expect(text == "78: small.yaml: line 7: \(test.expected)")
    }

    @Test func rolloutsHaveNoAnswersBeside() {
        let text = failureText {
            _ = try experiment(
                arms: "arms: {base: {kind: base}, own: {kind: on-policy, "
                    + "training: {objective: reverse-kl, multiTask: {}}}}"
            )
        }
        #expect(
            text == "78: small.yaml: line 6: arms.own.training.multiTask: trains an answer beside "
                + "each trace, and rollouts have none; expected null"
        )
    }

    @Test func stagesAreNamedByThemOnlyWhereTheyAreAsked() throws {
        func names(_ more: String) throws -> [String: String] {
            let layout = RunLayout(try experiment(more: more), environment: [:])
            return [
                "training": layout.experiment.training.json.compact,
                "evaluation": layout.experiment.evaluation.json.compact,
            ]
        }
        let plain = try names("")
        #expect(try names("evaluation: {atSteps: 3}") == plain)
        #expect(plain.values.allSatisfy { !$0.contains("multiTask") && !$0.contains("rank") })
        let asked = try names(
            "training: {multiTask: {alpha: 0.25}}\nevaluation: {samples: 2, rank: {}}"
        )
        #expect(asked["training"]?.contains(#""multiTask":{"alpha":0.25"#) == true)
        #expect(asked["evaluation"]?.contains(#""rank":{"prompt""#) == true)
    }

    @Test func aTraceMakesAnExplanationAndAnAnswer() throws {
        let task = MultiTask(alpha: 0.25, prompt: "At once: {problem}")
        let trace = SelectedTrace(id: "p", problem: "1+2?", answer: "3", text: "1+2=3, #3")
        func examples(_ trace: SelectedTrace, _ more: String) throws -> [TrainingExample] {
            try task.examples(of: trace, in: try experiment(more: more)) { trace in
                TrainingExample(
                    id: trace.problem,
                    prompt: [1],
                    completion: trace.text.utf8.map { Int32($0) },
                    isComplete: trace.isComplete,
                    endOfTurn: 0
                )
            }
        }
        func text(_ example: TrainingExample) -> String {
            String(
                decoding: example.ids.dropFirst().filter { $0 > 0 }.map { UInt8($0) },
                as: UTF8.self
            )
        }
        let pair = try examples(trace, "answers: {style: marker, start: \"#\", end: \".\"}")
        #expect(pair.map(\.id) == ["1+2?", "At once: 1+2?"])
        #expect(pair.map(text) == ["1+2=3, #3", "#3."])
        // Prompts count nothing, the end of the turn as much as the rest.
        #expect(pair[0].weights == [0] + [Float](repeating: 0.75, count: 10))
        #expect(pair[1].weights == [0, 0.25, 0.25, 0.25, 0.25])
        #expect(pair.map(\.targetCount) == [10, 4])
        #expect(try examples(trace, "").map(text)[1] == "\\boxed{3}")
        let thinking = "template: {preset: qwen3-thinking}"
        #expect(try examples(trace, thinking).map(text)[1] == "\n</think>\n\n\\boxed{3}")
        var start = trace
        start.isComplete = false
        #expect(try examples(start, "").map(\.id) == ["1+2?"])
    }
}
