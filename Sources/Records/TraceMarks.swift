import Basics

/// What a template already says around a trace: how the assistant's turn opens and ends.
///
/// Traces from elsewhere often spell these marks themselves. Said twice they would be trained as
/// text that the model has to write again.
public struct TraceMarks: Sendable {
    /// The prompt behind the problem, such as `<|im_start|>assistant\n<think>\n`.
    public var opening: String
    /// The token that ends the assistant's turn.
    public var endOfTurn: String
    /// Whether a completion closes its thinking with one `</think>`.
    public var isThinking: Bool

    /// Describes a template.
    public init(opening: String, endOfTurn: String, isThinking: Bool) {
        self.opening = opening
        self.endOfTurn = endOfTurn
        self.isThinking = isThinking
    }

    /// What is odd about a trace, to be warned of.
    public enum Oddity: String, Sendable, CaseIterable {
        /// The template opens the thinking, and nothing closes it.
        case neverCloses = "never close the thinking that the template opens (no </think>)"
        /// It closes thinking that neither it nor the template opens.
        case neverOpens = "close thinking that was never opened (no <think>)"
        /// More than one opening or closing mark.
        case marksTwice = "open or close their thinking more than once"
        /// A turn's end in the middle of the text, or that of another template at its end.
        case spellsMarkers = "spell a marker of turns, such as <|im_end|>, which is trained as text"
    }

    /// What opens and closes the thinking of models that think.
    public static let think = (open: "<think>", close: "</think>")
    private static let markers = [
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>",
        "<|start_header_id|>", "<end_of_turn>", "<start_of_turn>", "</s>", "[/INST]",
        "<｜end▁of▁sentence｜>", "<|end|>",
    ]

    /// The text without the marks that the template sets itself.
    public func cleaned(_ text: String) -> String {
        closed(opened(text))
    }

    /// Takes off what opens the turn, white space before it included.
    private func opened(_ text: String) -> String {
        let trimmed = text.drop(while: \.isWhitespace)
        // The longest part of the opening that begins with a mark and that the text repeats.
        for start in opening.indices where opening[start] == "<" {
            let part = opening[start...]
            let end = part.lastIndex { !$0.isWhitespace } ?? part.startIndex
            let mark = part[...end]
            let space = part[part.index(after: end)...]
            guard trimmed.hasPrefix(mark) else { continue }
            let rest = trimmed.dropFirst(mark.count)
            return String(rest.hasPrefix(space) ? rest.dropFirst(space.count) : rest)
        }
        return text
    }

    /// Takes off the end of turn, white space behind it included.
    private func closed(_ text: String) -> String {
        var rest = text[...]
        // A plain template's end is an ordinary character, which may end a text as well.
        guard endOfTurn.count > 1 else { return text }
        while true {
            guard rest.endTrimmed.hasSuffix(endOfTurn) else { return String(rest) }
            rest = rest.endTrimmed.dropLast(endOfTurn.count)
        }
    }

    /// What is odd about a cleaned text.
    public func oddities(of text: String) -> [Oddity] {
        var found: [Oddity] = []
        let isOpen = opening.contains(Self.think.open)
        let opened = text.count(of: Self.think.open) + (isOpen ? 1 : 0)
        let closed = text.count(of: Self.think.close)
        if opened > 1 || closed > 1 { found.append(.marksTwice) }
        if closed == 0 && (isOpen || isThinking) { found.append(.neverCloses) }
        if closed > 0 && opened == 0 { found.append(.neverOpens) }
        let spelled = endOfTurn.count > 1 ? Self.markers + [endOfTurn] : Self.markers
        if spelled.contains(where: { text.count(of: $0) > 0 }) { found.append(.spellsMarkers) }
        return found
    }
}

extension TraceMarks {
    /// Traces as the template needs them, and warnings of what is odd about some.
    ///
    /// - Throws: `Failure.badData` naming a trace of which nothing is left.
    public func applied(to traces: [SelectedTrace]) throws -> (
        traces: [SelectedTrace], warnings: [String]
    ) {
        var odd: [Oddity: [String]] = [:]
        let all = try traces.map { trace -> SelectedTrace in
            guard trace.ids == nil else { return trace }
            var copy = trace
            copy.text = cleaned(trace.text)
            guard !copy.text.isBlank else {
                throw Failure(
                    .badData,
                    at: "trace '\(trace.id)'",
                    "holds nothing but the marks of its turn; expected text",
                    remedy: "Take it out of the file."
                )
            }
            for oddity in oddities(of: copy.text) { odd[oddity, default: []].append(trace.id) }
            return copy
        }
        let warnings = Oddity.allCases.compactMap { oddity -> String? in
            guard let ids = odd[oddity] else { return nil }
            let listed = ids.prefix(5).map { $0.shortened(to: 60) }.joined(separator: ", ")
            return "\(ids.count) of \(traces.count) traces \(oddity.rawValue): \(listed)"
                + (ids.count > 5 ? ", ..." : "")
        }
        return (all, warnings)
    }
}
