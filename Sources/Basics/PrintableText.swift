extension String {
    /// The text on one line, with nothing in it that a terminal obeys instead of showing.
    ///
    /// Control characters, escape codes, line breaks, marks that turn the direction of writing and
    /// invisible format characters are spelled: `\n`, `\t`, `\u{1B}`. The joiners inside emoji and
    /// some scripts stay.
    public var printable: String { spelled(keeping: []) }

    /// The same, with line feeds left as they are: for text that is meant to have lines.
    public var printableLines: String { spelled(keeping: ["\n"]) }

    /// The text with what does not print spelled, but for some characters.
    func spelled(keeping kept: Set<Unicode.Scalar>) -> String {
        guard unicodeScalars.contains(where: { !$0.isPrintable && !kept.contains($0) }) else {
            return self
        }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isPrintable || kept.contains(scalar) {
                result.append(scalar)
            } else {
                result.append(contentsOf: scalar.spelled.unicodeScalars)
            }
        }
        return String(result)
    }

    /// The text with signs for spaces, line breaks and tabs: for tokens, in which those count.
    public var withSignsForSpaces: String {
        replacingScalars([" ": "␣", "\n": "↵", "\r": "␍", "\t": "⇥"])
    }

    /// The text with other text for some scalars.
    public func replacingScalars(_ replacements: [Unicode.Scalar: String]) -> String {
        var result = ""
        for scalar in unicodeScalars {
            if let replacement = replacements[scalar] {
                result += replacement
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The first `count` Unicode scalars, and dots where there are more.
    ///
    /// Not characters: one of those can be of any length.
    public func shortened(to count: Int) -> String {
        let scalars = unicodeScalars
        guard let end = scalars.index(startIndex, offsetBy: count, limitedBy: endIndex),
            end < endIndex
        else { return self }
        return String(scalars[..<end]) + "..."
    }
}

extension Unicode.Scalar {
    /// Whether the scalar shows as itself on a terminal, or joins others that do.
    package var isPrintable: Bool {
        if isASCII { return (0x20..<0x7F).contains(value) }
        return switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
        // U+200C and U+200D: zero-width non-joiner and joiner.
        case .format: value == 0x200C || value == 0x200D
        default: true
        }
    }

    /// The scalar as Swift's string literals spell it.
    fileprivate var spelled: String {
        switch self {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(value, radix: 16, uppercase: true))}"
        }
    }
}
