import Basics
import Testing

@testable import Records

@Suite struct TrainingDataTests {
    static func example(_ id: String, prompt: Int, completion: Int) -> TrainingExample {
        TrainingExample(
            id: id,
            prompt: (0..<Int32(prompt)).map { $0 + 100 },
            completion: (0..<Int32(completion)).map { $0 + 200 },
            endOfTurn: 7
        )
    }

    @Test func trainsTheCompletionAndItsEndAlone() {
        let example = Self.example("a", prompt: 2, completion: 2)
        #expect(example.ids == [100, 101, 200, 201, 7])
        #expect(example.weights == [0, 0, 1, 1, 1])
        #expect(Array(example.inputs) == [100, 101, 200, 201])
        #expect(example.targets == [-1, 200, 201, 7])
        #expect(Array(example.targetWeights) == [0, 1, 1, 1])
        #expect(example.targetCount == 3)
    }

    @Test func appendsTheEndOfTurnOnce() {
        let example = TrainingExample(
            id: "a",
            prompt: [1],
            completion: [5, 7],
            weights: [0, 0.5],
            endOfTurn: 7
        )
        #expect(example.ids == [1, 5, 7])
        #expect(example.targets == [-1, 7])
        #expect(example.weights == [0, 0, 0.5])
        #expect(example.targetCount == 1)
    }

    @Test func appliesTheLengthLimit() throws {
        let all = [
            Self.example("fits", prompt: 2, completion: 3),
            Self.example("long", prompt: 2, completion: 9),
            Self.example("prompt", prompt: 8, completion: 1),
        ]
        let truncated = try TrainingSet(all, maxLength: 6, overlong: .truncate)
        #expect(truncated.examples.map(\.id) == ["fits", "long"])
        #expect(truncated.examples[1].ids == [100, 101, 200, 201, 202, 203])
        #expect(truncated.examples[1].weights.count == 6)
        #expect((truncated.truncatedCount, truncated.droppedCount) == (1, 1))
        let dropped = try TrainingSet(all, maxLength: 6, overlong: .drop)
        #expect(dropped.examples.map(\.id) == ["fits"])
        #expect((dropped.truncatedCount, dropped.droppedCount) == (0, 2))
        var silent = all[0]
        silent.weights = silent.weights.map { _ in 0 }
        let spoken = try TrainingSet([silent, all[0]], maxLength: 6, overlong: .error)
        #expect(spoken.examples == [all[0]] && spoken.droppedCount == 1, "nothing to learn from it")
        let expected = "badData: 'long': has 12 tokens; expected at most 6"
        #expect(
            message { _ = try TrainingSet(all, maxLength: 6, overlong: .error) } == expected
        )
        #expect(throws: NothingToTrainOn.self) {
            try TrainingSet(all, maxLength: 1, overlong: .drop)
        }
    }
}
