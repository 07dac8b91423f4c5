import Basics

/// Something said in a conversation.
public struct ChatMessage: Sendable, Equatable {
    /// Who speaks: `system`, `user` or `assistant`.
    public var role: String
    /// What is said.
    public var content: String

    /// A message.
    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

/// A stretch of a rendered conversation.
public struct ChatSpan: Sendable, Equatable {
    /// The text.
    public var text: String
    /// Whether it was said in the conversation; the template's own words otherwise, in which
    /// special tokens are meant.
    public var isFromMessage: Bool

    /// A stretch of text.
    public init(_ text: String, isFromMessage: Bool) {
        self.text = text
        self.isFromMessage = isFromMessage
    }
}

/// A chat template as models are published with it: a program in a part of Jinja that turns a
/// conversation into text.
///
/// It is rendered as transformers renders it: `trim_blocks` and `lstrip_blocks`, `break` and
/// `continue`, `generation` blocks, `raise_exception`, `tojson` without HTML's escapes, values that
/// cannot be changed. The date is the caller's, never the clock's. What the conversation says is
/// told from the template's own words, so that a message cannot spell a special token.
///
/// Source: https://jinja.palletsprojects.com/en/stable/templates/ and `apply_chat_template` of
/// transformers.
public struct ChatTemplate: Sendable {
    /// The template's text.
    public let source: String
    private let program: Program

    /// Statements are never changed once read.
    private final class Program: @unchecked Sendable {
        let statements: [Statement]

        init(_ statements: [Statement]) { self.statements = statements }
    }

    /// The longest template, in bytes.
    public static let longest = 1 << 20

    /// Reads a template.
    ///
    /// - Throws: `Failure.badData` with the line of what is no template, or is not supported.
    public init(_ source: String) throws {
        guard source.utf8.count <= Self.longest else {
            throw Failure(.badData, "the chat template is longer than \(Self.longest) bytes")
        }
        self.source = source
        program = Program(try TemplateParser.statements(of: source))
    }

    /// What a rendering is given beside the messages.
    public struct Options: Sendable {
        /// Whether the assistant's turn is opened at the end.
        public var addsGenerationPrompt = true
        /// Whether the model is to think, for templates that ask; nil says nothing about it.
        public var enablesThinking: Bool?
        /// The token that begins texts, where the model has one.
        public var bosToken: String?
        /// The token that ends texts.
        public var eosToken: String?
        /// What `strftime_now` tells.
        public var date = TemplateDate.standard

        /// Nothing but the opening of the assistant's turn.
        public init() {}
    }

    /// The conversation as text, cut where the template's words and the conversation's meet.
    ///
    /// Takes time and memory in proportion to the conversation, with a limit that published
    /// templates stay far below.
    /// - Throws: `Failure.badData` with the line and the construct that is not supported, that
    ///   does not fit its values, or by which the template refuses the conversation.
    public func render(_ messages: [ChatMessage], _ options: Options = Options()) throws
        -> [ChatSpan]
    {
        let said = messages.map { message in
            var map = TemplateMap()
            map.set(.text("role"), .text(message.role))
            map.set(.text("content"), .text(TemplateText(message.content, fromMessage: true)))
            return TemplateValue.map(map)
        }
        var variables: [String: TemplateValue] = [
            "messages": .list(TemplateList(said)), "tools": .null, "documents": .null,
            "add_generation_prompt": .bool(options.addsGenerationPrompt),
        ]
        variables["enable_thinking"] = options.enablesThinking.map { .bool($0) }
        variables["bos_token"] = options.bosToken.map { .text($0) }
        variables["eos_token"] = options.eosToken.map { .text($0) }
        let size = messages.reduce(0) { $0 + $1.content.utf8.count }
        let evaluator = TemplateEvaluator(
            work: Self.work + 64 * size,
            date: options.date,
            variables: variables
        )
        try evaluator.run(program.statements)
        return Self.spans(of: evaluator.output)
    }

    /// The work that a rendering may take, beside what grows with the conversation.
    private static let work = 8_000_000

    private static func spans(of output: [UInt32]) -> [ChatSpan] {
        var spans: [ChatSpan] = []
        var start = 0
        for index in 1...max(1, output.count) {
            guard start < output.count else { break }
            let bit = output[start] & TemplateText.fromMessage
            guard index == output.count || output[index] & TemplateText.fromMessage != bit else {
                continue
            }
            let text = TemplateText(output[start..<index]).string
            spans.append(ChatSpan(text, isFromMessage: bit != 0))
            start = index
        }
        return spans
    }
}
