import Basics

/// What is said to a model before its own turn: a list of parts.
///
/// Special tokens are those of the parts that are markup. Spelled out in a problem or in a system
/// message they are ordinary text, so that no problem can end its turn, and a message reaches the
/// model as it was written.
public struct PromptTemplate: Sendable, Equatable {
    /// A stretch of a prompt.
    public enum Part: Sendable, Equatable {
        /// Text of the template, in which special tokens are meant.
        case markup(String)
        /// A message that is the same for every problem, such as the system's; ordinary text.
        case message(String)
        /// Where the problem goes; ordinary text.
        case problem
    }

    /// The parts, up to where the assistant speaks.
    public var parts: [Part]
    /// The special token that ends the assistant's turn; nil stands for the tokenizer's `eosID`.
    public var endOfTurn: String?

    /// Whether a model's own chat template wrote it: then its markup is as it has to be, the token
    /// that begins texts included.
    private var isOfModel = false

    /// A template of the given parts.
    public init(_ parts: [Part], endOfTurn: String? = nil) {
        self.parts = parts
        self.endOfTurn = endOfTurn
    }

    /// What a model's own chat template made of a conversation.
    init(ofModel parts: [Part]) {
        self.parts = parts
        isOfModel = true
    }

    /// What stands for the problem in a template written as one text.
    public static let placeholder = "{problem}"

    /// A template written as one text, all of it markup but the places where `{problem}` stands.
    public init(text: String, endOfTurn: String? = nil) {
        var parts: [Part] = []
        var rest = text[...]
        while let place = rest.firstRange(of: Self.placeholder) {
            parts += [.markup(String(rest[..<place.lowerBound])), .problem]
            rest = rest[place.upperBound...]
        }
        self.init(parts + [.markup(String(rest))], endOfTurn: endOfTurn)
    }

    /// All of the markup.
    public var markup: String {
        parts.map { if case .markup(let text) = $0 { text } else { "" } }.joined()
    }

    /// The markup behind the problem, with which the assistant's turn opens; behind the last
    /// message where a model's own template wrote all of it.
    public var opening: String {
        let last = parts.lastIndex { part in
            if isOfModel, case .message = part { true } else { part == .problem }
        }
        let behind = last.map { parts[($0 + 1)...] } ?? []
        return behind.map { Self.text(of: $0, problem: "") }.joined()
    }
}

extension PromptTemplate {
    /// The system message of the method: reasoning first, the final answer in a box.
    ///
    /// Source: the predecessor code of Kim, Seo and Lee, arXiv:2509.22230.
    public static let reasoningSystem = """
        You are Qwen, created by Alibaba Cloud. You are a helpful assistant.
        You must respond to every query in the following manner:
        First, provide a step-by-step logical exploration of the problem.
        Then, provide a clear and direct response based on your reasoning, with the final answer \
        enclosed in \\boxed{}.
        """

    /// ChatML, as Qwen2.5 and SmolLM2 speak it.
    ///
    /// Without a `system` message its turn is left out; the assistant's turn begins with `reply`.
    public static func chatML(system: String? = reasoningSystem, reply: String = "") -> Self {
        var parts: [Part] = []
        if let system {
            parts = [
                .markup("<|im_start|>system\n"), .message(system), .markup("<|im_end|>\n"),
            ]
        }
        parts += [
            .markup("<|im_start|>user\n"), .problem,
            .markup("<|im_end|>\n<|im_start|>assistant\n" + reply),
        ]
        return PromptTemplate(parts, endOfTurn: "<|im_end|>")
    }

    /// ChatML with the assistant already thinking, for Qwen3 and other models that reason.
    public static func qwen3Thinking(system: String? = reasoningSystem) -> Self {
        chatML(system: system, reply: "<think>\n")
    }

    /// The problem and nothing else, for base models and miniature worlds.
    public static let plain = PromptTemplate([.problem])
}

extension PromptTemplate {
    private static func text(of part: Part, problem: String) -> String {
        switch part {
        case .markup(let text), .message(let text): text
        case .problem: problem
        }
    }

    /// The prompt for a problem as text, up to where the assistant's own text begins.
    public func render(problem: String) -> String {
        parts.map { Self.text(of: $0, problem: problem) }.joined()
    }

    /// The prompt for a problem as tokens.
    ///
    /// Equal to the tokens of `render(problem:)` with special tokens parsed when neither problem
    /// nor message spells a special token: ordinary text is tokenised across the borders of
    /// parts, which split words only at special tokens. Begins with `bosID` where the tokenizer
    /// asks for that; what a model's own template wrote begins as that has it.
    ///
    /// - Throws: `Failure.configuration` when the template has a marker `<|...|>` that is no
    ///   special token of the vocabulary; `Failure.badData` when the text cannot be spelled.
    public func encode(problem: String, with tokenizer: Tokenizer) throws -> [Int32] {
        var ids: [Int32] = []
        var text: [UInt8] = []
        func flush() throws {
            try ids.append(contentsOf: tokenizer.encode(text, specialTokens: .asText))
            text.removeAll()
        }
        for part in parts {
            let bytes = Array(Self.text(of: part, problem: problem).utf8)
            guard case .markup = part else {
                text.append(contentsOf: bytes)
                continue
            }
            try tokenizer.cutAtSpecialTokens(bytes) { segment in
                switch segment {
                case .token(let id):
                    try flush()
                    ids.append(id)
                case .text(let range):
                    if !isOfModel { try PromptTemplate.checkMarkers(bytes[range]) }
                    text.append(contentsOf: bytes[range])
                }
            }
        }
        try flush()
        guard !isOfModel, tokenizer.addsBOS, let bos = tokenizer.bosID, ids.first != bos else {
            return ids
        }
        return [bos] + ids
    }

    /// What the assistant says as tokens, closed by the end of its turn.
    ///
    /// The first token begins a new piece of text, as in generation, whatever the prompt ends with.
    ///
    /// - Throws: as `encode(problem:with:)` and `endOfTurnID(in:)`.
    public func encode(completion: String, with tokenizer: Tokenizer) throws -> [Int32] {
        try tokenizer.encode(completion, specialTokens: .asText) + [endOfTurnID(in: tokenizer)]
    }

    /// The token that ends the assistant's turn.
    ///
    /// - Throws: `Failure.configuration` when the vocabulary has no such special token.
    public func endOfTurnID(in tokenizer: Tokenizer) throws -> Int32 {
        guard let endOfTurn else {
            if let id = tokenizer.eosID { return id }
            throw Failure(
                .configuration,
                at: "'end_of_turn'",
                "the tokenizer names no token that ends a text",
                remedy: "Name one of its special tokens in the template."
            )
        }
        if let id = tokenizer.id(of: endOfTurn), tokenizer.isSpecial(id) { return id }
        throw PromptTemplate.unknownMarker(endOfTurn)
    }

    /// A marker that is not a token would be spelled out letter by letter, and the model lost.
    private static func checkMarkers(_ text: ArraySlice<UInt8>) throws {
        let text = String(decoding: text, as: UTF8.self)
        guard let open = text.firstRange(of: "<|"),
            let close = text[open.upperBound...].firstRange(of: "|>")
        else { return }
        throw unknownMarker(String(text[open.lowerBound..<close.upperBound]))
    }

    private static func unknownMarker(_ marker: String) -> Failure {
        Failure(
            .configuration,
            at: "prompt template",
            "'\(marker)' is not a special token of the model's vocabulary",
            remedy: "Use the template that the model was trained with."
        )
    }
}

extension Tokenizer {
    /// Calls `body` with the special tokens of a text and with what lies between them.
    func cutAtSpecialTokens(
        _ bytes: [UInt8],
        _ body: (AddedTokens.Segment) throws -> Void
    ) rethrows {
        var start = 0
        var position = 0
        try storage.added.cut(bytes, 0..<bytes.count, specialTokens: .parse) { segment in
            switch segment {
            case .text(let range): position = range.upperBound
            case .token(let id):
                let end = position + storage.vocabulary.spellings[Int(id)].count
                if isSpecial(id) {
                    if start < position { try body(.text(start..<position)) }
                    try body(segment)
                    start = end
                }
                position = end
            }
        }
        if start < bytes.count { try body(.text(start..<bytes.count)) }
    }
}
