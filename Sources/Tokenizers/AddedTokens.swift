/// Finds added tokens (special ones, and whole words) in text, leftmost first, longest of those.
struct AddedTokens: Sendable {
    /// One added token: its literal bytes and what they become.
    struct Entry: Sendable {
        let id: Int32
        let content: [UInt8]
        let isSpecial: Bool
    }

    /// A stretch of text, or a token found in it.
    enum Segment: Equatable {
        case text(Range<Int>)
        case token(Int32)
    }

    /// Entries by their first byte, longest first.
    private let byFirstByte: [[Entry]]
    private let isEmpty: Bool

    init(_ entries: [Entry]) {
        var table = [[Entry]](repeating: [], count: 256)
        for entry in entries {
            guard let first = entry.content.first else { continue }
            table[Int(first)].append(entry)
        }
        byFirstByte = table.map { $0.sorted { $0.content.count > $1.content.count } }
        isEmpty = entries.isEmpty
    }

    /// Calls `body` with the segments of `bytes[range]`, in order; empty texts are left out.
    ///
    /// With `.asText` a special token found stays text, the whole of it, as in the reference
    /// implementation: no other token is looked for inside.
    func cut(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        specialTokens: SpecialTokens,
        _ body: (Segment) throws -> Void
    ) rethrows {
        var start = range.lowerBound
        var position = isEmpty ? range.upperBound : start
        while position < range.upperBound {
            guard let entry = match(bytes, at: position, end: range.upperBound) else {
                position += 1
                continue
            }
            let after = position + entry.content.count
            if !entry.isSpecial || specialTokens == .parse {
                if start < position { try body(.text(start..<position)) }
                try body(.token(entry.id))
                start = after
            }
            position = after
        }
        if start < range.upperBound { try body(.text(start..<range.upperBound)) }
    }

    @inline(__always)
    private func match(_ bytes: [UInt8], at position: Int, end: Int) -> Entry? {
        let candidates = byFirstByte[Int(bytes[position])]
        if candidates.isEmpty { return nil }
        return candidates.first { entry in
            let after = position + entry.content.count
            return after <= end && bytes[position..<after].elementsEqual(entry.content)
        }
    }
}

/// What to make of a special token's spelling met in text.
public enum SpecialTokens: Sendable {
    /// The token: for text one wrote oneself, such as a prompt template.
    case parse
    /// Ordinary text, so that nobody's problem or answer can end a turn: for everything else.
    case asText
}
