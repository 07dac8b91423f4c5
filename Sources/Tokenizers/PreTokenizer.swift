/// How text is cut into the pieces within which byte pairs are merged.
///
/// Each published pattern is a hand-written scanner: the alternatives of the pattern, tried in
/// order at each place. `\p{L}`, `\p{N}` and `\s` are Unicode's general categories L and N and the
/// property White_Space, as in the engine (Oniguruma) that the reference implementation uses.
enum PreTokenizer: String, Sendable, CaseIterable {
    /// GPT-2.
    case gpt2 = "gpt-2"
    /// Qwen2, Qwen2.5 and Qwen3: newlines end pieces, every digit is alone.
    case qwen2
    /// Llama 3: as Qwen2, with digits in groups of three from the left.
    case llama3 = "llama-bpe"
    /// SmolLM and StarCoder: every number scalar is alone, and GPT-2 between them.
    case smolLM = "smollm"
    /// No cutting; for vocabularies of whole words.
    case whole

    /// Calls `body` with each piece of `bytes[range]`, in order, without gaps.
    func cut(_ bytes: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) throws -> Void) rethrows {
        let scanner = TextScanner(bytes: bytes, end: range.upperBound)
        var start = range.lowerBound
        switch self {
        case .whole:
            if !range.isEmpty { try body(range) }
        case .gpt2:
            while start < range.upperBound {
                let end = scanner.endOfGPT2Piece(from: start)
                try body(start..<end)
                start = end
            }
        case .qwen2, .llama3:
            let longestNumber = self == .llama3 ? 3 : 1
            while start < range.upperBound {
                let end = scanner.endOfQwenPiece(from: start, longestNumber: longestNumber)
                try body(start..<end)
                start = end
            }
        case .smolLM:
            while start < range.upperBound {
                var position = start
                var next = scanner.scalar(at: position)
                while next.kind != .number {
                    position += next.length
                    if position == range.upperBound { break }
                    next = scanner.scalar(at: position)
                }
                // What lies between numbers is a text of its own: no look-ahead past its end.
                try PreTokenizer.gpt2.cut(bytes, start..<position, body)
                start = position
                if start < range.upperBound {
                    try body(start..<start + next.length)
                    start += next.length
                }
            }
        }
    }
}

extension TextScanner {
    /// The end of the first match of
    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
    func endOfGPT2Piece(from start: Int) -> Int {
        let first = scalar(at: start)
        if bytes[start] == 0x27, let end = endOfContraction(from: start, anyCase: false) {
            return end
        }
        guard first.kind.isWhitespace else {
            return run(of: first.kind, from: start + first.length)
        }
        if bytes[start] == 0x20, start + 1 < end {
            let second = scalar(at: start + 1)
            if !second.kind.isWhitespace {
                return run(of: second.kind, from: start + 1 + second.length)
            }
        }
        return endOfSpace(from: start)
    }

    /// The end of the first match of
    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}|`
    /// ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, n being `longestNumber`.
    func endOfQwenPiece(from start: Int, longestNumber: Int) -> Int {
        let first = scalar(at: start)
        let next = start + first.length
        switch first.kind {
        case .letter: return run(of: .letter, from: next)
        case .number:
            var position = next
            for _ in 1..<longestNumber where position < end {
                let digit = scalar(at: position)
                guard digit.kind == .number else { break }
                position += digit.length
            }
            return position
        case .newline: return endOfNewlines(from: start)
        case .space, .other: break
        }
        if bytes[start] == 0x27, let end = endOfContraction(from: start, anyCase: true) {
            return end
        }
        let second = next < end ? scalar(at: next) : nil
        if second?.kind == .letter { return run(of: .letter, from: next) }
        if first.kind == .other { return run(of: .newline, from: run(of: .other, from: next)) }
        if bytes[start] == 0x20, second?.kind == .other {
            return run(of: .newline, from: run(of: .other, from: next))
        }
        return endOfNewlines(from: start)
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at an apostrophe.
    ///
    /// Ignoring case follows Unicode's simple case folding, by which "ſ" (U+017F) is an s; no other
    /// scalar outside ASCII folds to one of these letters.
    private func endOfContraction(from start: Int, anyCase: Bool) -> Int? {
        func letter(_ offset: Int) -> UInt8 {
            guard start + offset < end else { return 0 }
            let byte = bytes[start + offset]
            return anyCase && byte &- 0x41 < 26 ? byte | 0x20 : byte
        }
        switch (letter(1), letter(2)) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _),
            (UInt8(ascii: "d"), _):
            return start + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        case (0xC5, 0xBF) where anyCase: return start + 3
        default: return nil
        }
    }

    /// The end of `\s*[\r\n]+`, or of `endOfSpace` where the whitespace holds no newline.
    private func endOfNewlines(from start: Int) -> Int {
        var position = start
        var afterNewline: Int?
        while position < end {
            let next = scalar(at: position)
            guard next.kind.isWhitespace else { break }
            position += next.length
            if next.kind == .newline { afterNewline = position }
        }
        return afterNewline ?? endOfSpace(from: start)
    }

    /// The end of `\s+(?!\S)|\s+`: whitespace before a word leaves its last scalar to the word.
    private func endOfSpace(from start: Int) -> Int {
        var position = start
        var last = start
        while position < end {
            let next = scalar(at: position)
            guard next.kind.isWhitespace else { return last == start ? position : last }
            last = position
            position += next.length
        }
        return position
    }
}
