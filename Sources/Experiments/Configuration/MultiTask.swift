import Basics
import Records
import Tokenizers

/// Two tasks in one student, told apart by the prompt: to explain, and to answer at once.
///
/// Source: Li et al. 2022, "Explanations from Large Language Models Make Small Reasoners Better",
/// arXiv:2210.06726.
public struct MultiTask: Sendable, Equatable {
    /// How much each token of an answer at once counts; those of explanations count 1 - alpha.
    public var alpha = 0.5
    /// What is asked in place of the problem where an answer at once is wanted, with `{problem}`.
    public var prompt = "{problem}\nGive the answer at once, without an explanation."

    /// What is trained of a trace: the explanation, and the answer at once.
    ///
    /// - Parameters:
    ///   - trace: An explanation; of the mere start of one, which does not say how it ends, there is no
    ///     answer.
    ///   - experiment: Says how answers are stated, and whether completions think first.
    ///   - example: Makes an example of either, of full weight.
    /// - Returns: One example or two, with their weights.
    /// - Throws: What `example` throws.
    public func examples(
        of trace: SelectedTrace,
        in experiment: Experiment,
        _ example: (SelectedTrace) throws -> TrainingExample
    ) rethrows -> [TrainingExample] {
        var explained = try example(trace)
        explained.weights = explained.weights.map { $0 * Float(1 - alpha) }
        guard trace.isComplete else { return [explained] }
        var answered = try example(answer(of: trace, in: experiment))
        answered.weights = answered.weights.map { $0 * Float(alpha) }
        return [explained, answered]
    }

    /// A trace of the answer alone.
    func answer(of trace: SelectedTrace, in experiment: Experiment) -> SelectedTrace {
        let stated =
            switch experiment.answers.style {
            case .math, .boxed: "\\boxed{\(trace.answer)}"
            case .marker:
                experiment.answers.start + trace.answer + (experiment.answers.end ?? "")
            }
        return SelectedTrace(
            id: trace.id,
            problem: prompt.replacing(PromptTemplate.placeholder, with: trace.problem),
            answer: trace.answer,
            text: (experiment.template.isThinking ? "\n</think>\n\n" : "") + stated,
            origin: trace.origin
        )
    }
}

extension MultiTask: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "alpha",
            \.alpha,
            .number(0.01...0.99),
            "How much each token of an answer at once counts; those of traces count 1 - alpha."
        ),
        Key(
            "prompt",
            \.prompt,
            ValueKind(
                "text that holds \(PromptTemplate.placeholder) once",
                parse: { json in
                    json.string.flatMap {
                        $0.ranges(of: PromptTemplate.placeholder).count == 1 ? $0 : nil
                    }
                },
                json: { .string($0) }
            ),
            shown: "the problem, then a line that asks for the answer at once",
            "What is asked in place of the problem where an answer at once is trained."
        ),
    ]
}
