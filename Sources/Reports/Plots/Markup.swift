/// Escapes text for XML and HTML.
enum Markup {
    /// Text that is safe as element content and inside a quoted attribute.
    ///
    /// Works on Unicode scalars: a quote or `<` followed by a combining mark is one `Character`,
    /// which an escape by characters lets through. Characters that XML 1.0 forbids (most control
    /// characters, noncharacters) become U+FFFD, and so do the marks that turn the direction of
    /// writing, which reach beyond the text that they are in.
    static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
            case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
            case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
            case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
            case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
            case "\t", "\n", "\r": escaped.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}",
                "\u{2066}"..."\u{2069}", "\u{FFFE}", "\u{FFFF}":
                escaped.append("\u{FFFD}")
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
