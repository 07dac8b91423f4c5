import Basics
import ChatTemplates

extension Tokenizer {
    /// The prompt that the model's own chat template makes of a conversation.
    ///
    /// What the conversation says is ordinary text in it, whatever it spells; special tokens are
    /// those of the template's own words. Its tokens are those of `apply_chat_template` in
    /// transformers where no message spells a special token.
    /// - Parameters:
    ///   - messages: The conversation.
    ///   - options: What the template is told beside it; the tokens that begin and end texts are
    ///     filled in.
    /// - Returns: The prompt, without a place for a problem.
    /// - Throws: `Failure.configuration` when the model has no template; what rendering throws.
    public func prompt(_ messages: [ChatMessage], _ options: ChatTemplate.Options) throws
        -> PromptTemplate
    {
        let spans = try render(messages, options)
        let parts = spans.map { span -> PromptTemplate.Part in
            span.isFromMessage ? .message(span.text) : .markup(span.text)
        }
        return PromptTemplate(ofModel: parts)
    }

    /// The token with which the model's own chat template ends the assistant's turn.
    ///
    /// The first special token behind what the assistant said; where the template writes none, the
    /// token that ends texts.
    /// - Throws: As `prompt(_:_:)`; `Failure.configuration` when there is neither.
    public func endOfTurn(_ options: ChatTemplate.Options) throws -> String {
        var options = options
        options.addsGenerationPrompt = false
        let said = "1"
        let spans = try render(
            [
                ChatMessage(role: "user", content: "0"),
                ChatMessage(role: "assistant", content: said),
            ],
            options
        )
        let last = spans.lastIndex { $0.isFromMessage && $0.text == said }
        var end: Int32?
        for span in last.map({ spans[($0 + 1)...] }) ?? [] where end == nil {
            cutAtSpecialTokens(Array(span.text.utf8)) { segment in
                if case .token(let id) = segment { end = end ?? id }
            }
        }
        if let end = end ?? eosID { return text(of: [end], skipSpecial: false) }
        throw Failure(
            .configuration,
            at: "'endOfTurn'",
            "neither the model's chat template nor its tokenizer says what ends a turn",
            remedy: "Name one of its special tokens in the template."
        )
    }

    private func render(_ messages: [ChatMessage], _ options: ChatTemplate.Options) throws
        -> [ChatSpan]
    {
        var options = options
        options.bosToken = bosID.map { text(of: [$0], skipSpecial: false) }
        options.eosToken = eosID.map { text(of: [$0], skipSpecial: false) }
        do { return try readTemplate().render(messages, options) } catch let failure as Failure {
            throw failure.at("the model's chat template")
        }
    }

    /// The template as a program, read once.
    private func readTemplate() throws -> ChatTemplate {
        try storage.readTemplate.withLock { read in
            if let template = read { return template }
            guard let chatTemplate else {
                throw Failure(
                    .configuration,
                    "there is none",
                    remedy: "Name one of the presets in template.preset."
                )
            }
            let template = try ChatTemplate(chatTemplate)
            read = template
            return template
        }
    }
}
