import Experiments
import Records
import Tokenizers

/// Lessons of the miniature world, made up anew for every step and never seen again.
public struct LessonBatches: BatchSource {
    /// Steps of the whole training.
    public let stepCount: Int
    private let lessonsPerStep: Int
    private let curriculum: ChainWorld.Curriculum
    private let template: PromptSettings
    private let tokenizer: Tokenizer
    private let endOfTurn: Int32

    /// The lessons that a model trained from scratch takes.
    ///
    /// - Parameters:
    ///   - scratch: The model; it says which lessons, how many a step, and for how many steps.
    ///   - seed: What the lessons are drawn from.
    ///   - template: How a problem is put.
    ///   - tokenizer: The miniature world's.
    /// - Throws: `Failure.configuration` when the vocabulary has no such end of turn.
    public init(
        of scratch: ScratchModel,
        seed: UInt64,
        template: PromptSettings,
        tokenizer: Tokenizer
    ) throws {
        stepCount = scratch.steps
        lessonsPerStep = scratch.batch
        curriculum = scratch.curriculum(run: seed)
        self.template = template
        self.tokenizer = tokenizer
        endOfTurn = try template.endOfTurnID(in: tokenizer)
    }

    /// All steps: no lesson comes twice.
    public var stepsPerEpoch: Int { stepCount }

    /// The lessons of a step, as one micro-batch: they are short.
    ///
    /// - Throws: `Failure` when the vocabulary cannot spell a lesson.
    public func batch(step index: Int) throws -> StepBatch {
        StepBatch([
            try (0..<lessonsPerStep).map { number in
                let lesson = curriculum.lesson(step: index, index: number)
                return TrainingExample(
                    id: "lesson \(index).\(number)",
                    prompt: try template.encode(problem: lesson.problem, with: tokenizer),
                    completion: try tokenizer.encode(lesson.solution, specialTokens: .asText),
                    endOfTurn: endOfTurn
                )
            }
        ])
    }
}
