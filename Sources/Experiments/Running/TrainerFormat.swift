import Basics
import ChatTemplates
import Records
import Tokenizers

/// How other trainers read traces: TRL, axolotl, LLaMA-Factory.
public enum TrainerFormat: String, Sendable, CaseIterable {
    /// A conversation, which the trainer puts into the model's own chat template.
    case messages
    /// The prompt as our template has it, and what the student says; the loss is on the latter alone.
    case promptCompletion = "prompt-completion"
    /// Both as one text, all of whose tokens have a loss.
    case text
}

extension PromptSettings {
    /// A trace as other trainers read it.
    ///
    /// - Parameters:
    ///   - trace: The trace.
    ///   - format: How.
    ///   - tokenizer: The student's, whose template may be the prompt's.
    /// - Returns: A line of a JSON Lines file.
    /// - Throws: `Failure.configuration` for a trace that the format cannot tell: one with losses of
    ///   single tokens; a beginning without an end, or a prompt that is no conversation, as messages.
    public func exported(
        _ trace: SelectedTrace,
        as format: TrainerFormat,
        with tokenizer: Tokenizer
    )
        throws -> JSON
    {
        if trace.weights.map({ $0.contains { $0 != 1 } }) ?? false {
            throw Self.untold(
                trace,
                "the loss counts on some tokens only",
                "--format \(format.rawValue)"
            )
        }
        switch format {
        case .messages:
            guard trace.isComplete else {
                throw Self.untold(trace, "is the beginning of a trace only", "a message")
            }
            guard prompt == nil else {
                throw Self.untold(trace, "template.prompt is one text", "messages")
            }
            let messages = try conversation(trace, with: tokenizer)
            return [
                "messages": .array(
                    messages.map { ["role": .string($0.role), "content": .string($0.content)] }
                )
            ]
        case .promptCompletion, .text:
            let prompt = try template(for: trace.problem, after: trace.context, with: tokenizer)
                .render(problem: trace.problem)
            let completion = trace.text + (trace.isComplete ? try closing(in: tokenizer) : "")
            return format == .text
                ? ["text": .string(prompt + completion)]
                : ["prompt": .string(prompt), "completion": .string(completion)]
        }
    }

    private func conversation(_ trace: SelectedTrace, with tokenizer: Tokenizer) throws
        -> [ChatMessage]
    {
        var settings = settled(for: tokenizer)
        if !settings.isOfModel {
            for case .message(let text) in settings.template.parts { settings.system = text }
        }
        var reply = trace.text
        let open = TraceMarks.think.open
        // Our prompt may have opened the thinking already; a template gets it with the reply.
        if isThinking, !reply.hasPrefix(open) { reply = "\(open)\n\(reply)" }
        return settings.messages(trace.problem, after: trace.context)
            + [ChatMessage(role: "assistant", content: reply)]
    }

    private static func untold(_ trace: SelectedTrace, _ what: String, _ place: String) -> Failure {
        Failure(
            .configuration,
            at: "trace of '\(trace.id)'",
            "\(what), which \(place) cannot tell a trainer",
            remedy:
                "Take another format, or an arm without selection.maskBelow, unsolvedPrefix and a "
                + "matching by tokens."
        )
    }
}
