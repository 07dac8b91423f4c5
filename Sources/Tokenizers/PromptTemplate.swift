import Basics

/// How a system message and a problem become the text after which the assistant speaks.
///
/// A template is data: `{system}` and `{problem}` in its strings are replaced once, everything else
/// is literal. Special tokens are those written in the template; spelled out in a problem or in the
/// system message they are ordinary text, so that no problem can end its own turn.
public struct PromptTemplate: Sendable, Equatable {
    /// The system message; nil leaves the system turn out.
    public var system: String?
    /// The turn around the system message, with `{system}`.
    public var systemTurn: String
    /// The turn around the problem, with `{problem}`.
    public var userTurn: String
    /// What precedes the assistant's own text.
    public var assistantStart: String
    /// The special token that ends the assistant's turn; nil stands for the tokenizer's `eosID`.
    public var endOfTurn: String?

    /// A template of the given parts.
    public init(
        system: String? = nil,
        systemTurn: String = "",
        userTurn: String = "{problem}",
        assistantStart: String = "",
        endOfTurn: String? = nil
    ) {
        self.system = system
        self.systemTurn = systemTurn
        self.userTurn = userTurn
        self.assistantStart = assistantStart
        self.endOfTurn = endOfTurn
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
    public static let chatML = PromptTemplate(
        system: reasoningSystem,
        systemTurn: "<|im_start|>system\n{system}<|im_end|>\n",
        userTurn: "<|im_start|>user\n{problem}<|im_end|>\n",
        assistantStart: "<|im_start|>assistant\n",
        endOfTurn: "<|im_end|>"
    )

    /// ChatML with the assistant already thinking, for Qwen3 and other models that reason.
    public static let qwen3Thinking: PromptTemplate = {
        var template = chatML
        template.assistantStart += "<think>\n"
        return template
    }()

    /// The problem and nothing else, for base models and miniature worlds.
    public static let plain = PromptTemplate()
}

extension PromptTemplate {
    /// A stretch of a prompt.
    public struct Piece: Sendable, Equatable {
        /// The text.
        public var text: String
        /// Whether special tokens spelled in it are meant.
        public var isTemplate: Bool
    }

    /// The prompt for a problem, cut where template and inserted text meet.
    public func pieces(problem: String) -> [Piece] {
        var pieces: [Piece] = []
        func add(_ text: String, _ isTemplate: Bool) {
            if !text.isEmpty { pieces.append(Piece(text: text, isTemplate: isTemplate)) }
        }
        func fill(_ format: String, _ key: String, _ value: String) {
            var rest = format[...]
            while let place = rest.firstRange(of: key) {
                add(String(rest[..<place.lowerBound]), true)
                add(value, false)
                rest = rest[place.upperBound...]
            }
            add(String(rest), true)
        }
        if let system { fill(systemTurn, "{system}", system) }
        fill(userTurn, "{problem}", problem)
        add(assistantStart, true)
        return pieces
    }

    /// The prompt for a problem as text, up to where the assistant's own text begins.
    public func render(problem: String) -> String {
        pieces(problem: problem).map(\.text).joined()
    }

    /// The prompt for a problem as tokens.
    ///
    /// Equal to the tokens of `render(problem:)` with special tokens parsed when neither problem
    /// nor system message spells a special token: ordinary text is tokenised across the borders of
    /// pieces, which split words only at special tokens. Begins with `bosID` where the tokenizer
    /// asks for that.
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
        for piece in pieces(problem: problem) {
            let bytes = Array(piece.text.utf8)
            guard piece.isTemplate else {
                text.append(contentsOf: bytes)
                continue
            }
            try tokenizer.cutAtSpecialTokens(bytes) { segment in
                switch segment {
                case .token(let id):
                    try flush()
                    ids.append(id)
                case .text(let range):
                    try PromptTemplate.checkMarkers(bytes[range])
                    text.append(contentsOf: bytes[range])
                }
            }
        }
        try flush()
        if tokenizer.addsBOS, let bos = tokenizer.bosID, ids.first != bos { ids.insert(bos, at: 0) }
        return ids
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
