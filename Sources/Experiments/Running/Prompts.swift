import Basics
import ChatTemplates
import Models
import Records
import Tokenizers

extension LanguageModel {
    /// Warns where a template makes a model think that has no token to think with.
    ///
    /// Nothing fails there: the mark is spelled out in ordinary tokens. But a model that was
    /// trained to think has the marks as tokens, and one that was not does not close them.
    public func warnOfSpelledMarks(_ template: PromptSettings) {
        guard let warning = spelledMarks(template) else { return }
        StandardError.write(line: "warning: \(name): \(warning)")
    }

    /// What there is to warn of; nil where nothing is.
    func spelledMarks(_ template: PromptSettings) -> String? {
        let markup = try? template.template(for: "", with: tokenizer).markup
        let marks = [TraceMarks.think.open, TraceMarks.think.close].filter { mark in
            (template.isThinking || (markup?.contains(mark) ?? false))
                && tokenizer.id(of: mark) == nil
        }
        guard !marks.isEmpty else { return nil }
        let spelled = marks.map { mark in
            let ids = try? tokenizer.encode(mark, specialTokens: .asText)
            return "\(mark) (\(ids.map { "\($0.count) ordinary tokens" } ?? "it cannot write it"))"
        }
        return "the template asks it to think, but its vocabulary has no "
            + "\(spelled.joined(separator: " and no ")): it was probably not trained to; take a model "
            + "that was, or another template.preset"
    }
}

extension PromptSettings {
    /// The template as a model gets it: the settings' own, or what the model's makes of a problem.
    ///
    /// - Parameters:
    ///   - problem: The problem.
    ///   - context: What is said before it, which stands in place of the settings' system message
    ///     where it has one of its own.
    ///   - tokenizer: The model's.
    /// - Returns: The template, with a place for the problem or with the problem in it.
    /// - Throws: `Failure` for what the template has no place for, or does not say as it is told to.
    func template(for problem: String, after context: [ChatMessage] = [], with tokenizer: Tokenizer)
        throws -> PromptTemplate
    {
        let settled = settled(for: tokenizer)
        guard settled.isOfModel else {
            guard context.allSatisfy({ $0.role == "system" }) else {
                throw Failure(
                    .configuration,
                    at: "template.preset",
                    "'\(preset.rawValue)' has no place for the turns before the problem",
                    remedy: "Take preset model, the model's own template."
                )
            }
            return settled.template
        }
        let template = try tokenizer.prompt(messages(problem, after: context), chatOptions)
        let opening = template.opening
        guard
            isThinking || !opening.contains(TraceMarks.think.open)
                || opening.contains(TraceMarks.think.close)
        else {
            throw Failure(
                .configuration,
                at: "template.thinking",
                "the model's own template makes it think, by a \(TraceMarks.think.open) that opens "
                    + "its turn",
                remedy: "Set template.thinking to true."
            )
        }
        return template
    }

    /// The conversation up to the assistant's turn.
    func messages(_ problem: String, after context: [ChatMessage]) -> [ChatMessage] {
        let own = context.first { $0.role == "system" }?.content
        let system = (own ?? system).map { [ChatMessage(role: "system", content: $0)] } ?? []
        let shown = examples.flatMap { example in
            [
                ChatMessage(role: "user", content: example.problem),
                ChatMessage(role: "assistant", content: example.response),
            ]
        }
        let earlier = context.first?.role == "system" ? context.dropFirst() : context[...]
        return system + shown + earlier + [ChatMessage(role: "user", content: problem)]
    }

    private var chatOptions: ChatTemplate.Options {
        var options = ChatTemplate.Options()
        options.enablesThinking = isThinking
        options.date = date
        return options
    }

    /// The prompt for a problem as tokens.
    ///
    /// - Parameters:
    ///   - problem: The problem.
    ///   - context: What is said before it.
    ///   - tokenizer: The model's.
    /// - Returns: The tokens up to the assistant's turn.
    /// - Throws: `Failure` when the vocabulary cannot spell it, or the model's own template has no
    ///   place for it.
    public func encode(
        problem: String,
        after context: [ChatMessage] = [],
        with tokenizer: Tokenizer
    ) throws -> [Int32] {
        try template(for: problem, after: context, with: tokenizer)
            .encode(problem: problem, with: tokenizer)
    }

    /// What the template says around a trace, for a student whose tokenizer is asked for where it
    /// matters.
    ///
    /// - Throws: What getting the tokenizer throws, and rendering its model's template.
    public func marks(with tokenizer: () throws -> Tokenizer) throws -> TraceMarks {
        let tokenizer = isOfModel ? try tokenizer() : nil
        return TraceMarks(
            opening: try tokenizer.map { try template(for: "0", with: $0) }?.opening
                ?? template.opening,
            endOfTurn: try tokenizer.map { try closing(in: $0) } ?? endOfTurn,
            isThinking: isThinking
        )
    }

    /// The token that ends the assistant's turn, as text.
    func closing(in tokenizer: Tokenizer) throws -> String {
        let end = settled(for: tokenizer).endOfTurn
        return end.isEmpty ? try tokenizer.endOfTurn(chatOptions) : end
    }

    /// What the assistant says in a trace as tokens, closed by the end of its turn where it is
    /// complete.
    ///
    /// - Throws: `Failure` when the vocabulary cannot spell it.
    public func completion(of trace: SelectedTrace, with tokenizer: Tokenizer) throws -> [Int32] {
        if let ids = trace.ids { return ids }
        let closed = PromptTemplate([], endOfTurn: try closing(in: tokenizer))
        let ids = try closed.encode(completion: trace.text, with: tokenizer)
        return trace.isComplete ? ids : ids.dropLast()
    }

    /// A trace as training sees it: the prompt, and the completion whose tokens are targets.
    ///
    /// - Throws: `Failure` when the vocabulary cannot spell it or has no such end of turn.
    public func example(_ trace: SelectedTrace, with tokenizer: Tokenizer) throws
        -> TrainingExample
    {
        TrainingExample(
            id: trace.id,
            prompt: try encode(problem: trace.problem, after: trace.context, with: tokenizer),
            completion: try completion(of: trace, with: tokenizer),
            weights: trace.weights,
            isComplete: trace.isComplete,
            endOfTurn: try endOfTurnID(in: tokenizer)
        )
    }

    /// The token that ends the assistant's turn.
    ///
    /// - Throws: `Failure.configuration` when the vocabulary has no such special token.
    public func endOfTurnID(in tokenizer: Tokenizer) throws -> Int32 {
        try PromptTemplate([], endOfTurn: closing(in: tokenizer)).endOfTurnID(in: tokenizer)
    }
}
