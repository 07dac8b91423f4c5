/// Marks of Markdown and of web pages around and in an answer.
enum Markup {
    /// The text without fences, backticks, tags of layout and struck-out words; entities become the
    /// signs they name.
    static func removed(from bytes: [UInt8]) -> [UInt8] {
        var text = bytes
        if text.contains(UInt8(ascii: "`")) { text.removeAll { $0 == UInt8(ascii: "`") } }
        guard text.count <= WorkBudget.maximumLength else { return text }
        if text.contains(UInt8(ascii: "&")) { text = withoutEntities(text) }
        removeSpans(from: &text, open: "~~", close: "~~")
        guard text.contains(UInt8(ascii: "<")) else { return text }
        for name in ["s", "del", "strike"] {
            removeSpans(from: &text, open: "<\(name)>", close: "</\(name)>")
        }
        return withoutTags(text)
    }

    /// Removes what stands between two marks, with the marks.
    private static func removeSpans(from text: inout [UInt8], open: String, close: String) {
        let (first, last) = (Array(open.utf8), Array(close.utf8))
        while let start = text.firstRange(of: first),
            let end = text[start.upperBound...].firstRange(of: last),
            end.lowerBound > start.upperBound
        {
            text.removeSubrange(start.lowerBound..<end.upperBound)
        }
    }

    // MARK: - Tags

    private static let layout: Set<String> = [
        "b", "i", "u", "em", "strong", "p", "span", "code", "div", "font", "mark", "small", "big",
        "center", "pre", "li", "ul", "ol", "td", "tr", "table", "h1", "h2", "h3", "h4", "var", "a",
        "br", "hr", "ins", "tt", "sup", "sub",
    ]

    /// The text with tags of layout dropped; raised and lowered parts become `^{...}` and `_{...}`.
    private static func withoutTags(_ text: [UInt8]) -> [UInt8] {
        // "a<b" is no tag: one that closes must follow, unless the tag stands alone.
        let hasClosing = text.firstRange(of: Array("</".utf8)) != nil
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "<"), let tag = tag(in: text, at: index),
                hasClosing || ["br", "hr"].contains(tag.name)
            else {
                result.append(text[index])
                index += 1
                continue
            }
            switch tag.name {
            case "sup": result += Array((tag.closes ? "}" : "^{").utf8)
            case "sub": result += Array((tag.closes ? "}" : "_{").utf8)
            case "br", "hr", "p", "div", "li", "td", "tr": result.append(0x20)
            default: break
            }
            index = tag.end
        }
        return result
    }

    /// The tag of layout that begins at `index`: `<b>`, `</b>`, `<span class="x">`, `<br/>`.
    private static func tag(
        in text: [UInt8],
        at index: Int
    ) -> (name: String, closes: Bool, end: Int)? {
        let closes = text[safe: index + 1] == UInt8(ascii: "/")
        let start = index + (closes ? 2 : 1)
        let name = text[start...].prefix(8).prefix { $0.isLetter || $0.isDigit }
        let spelled = String(decoding: name, as: UTF8.self).lowercased()
        guard layout.contains(spelled), let next = text[safe: name.endIndex],
            next == UInt8(ascii: ">") || next == UInt8(ascii: "/") || next.isSpace
        else { return nil }
        let rest = text[name.endIndex...].prefix(160)
        guard let end = rest.firstIndex(of: UInt8(ascii: ">")),
            end == name.endIndex || next == UInt8(ascii: "/")
                || rest[..<end].contains(UInt8(ascii: "="))
                || rest[..<end].allSatisfy({
                    $0.isSpace || $0 == UInt8(ascii: "/")
                })
        else { return nil }
        return (spelled, closes, end + 1)
    }

    // MARK: - Entities

    private static let entities: [String: String] = [
        "nbsp": " ", "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'", "le": "\\le ",
        "ge": "\\ge ", "ne": "\\ne ", "times": "\\times ", "divide": "\\div ", "middot": "\\cdot ",
        "sdot": "\\cdot ", "minus": "-", "ndash": "-", "mdash": " -- ", "plusmn": "\\pm ",
        "deg": "°", "infin": "\\infty ", "radic": "√", "frac12": "\\frac{1}{2}",
        "frac14": "\\frac{1}{4}", "frac34": "\\frac{3}{4}", "sup2": "²", "sup3": "³",
        "isin": "\\in ", "cup": "\\cup ", "cap": "\\cap ", "empty": "\\emptyset ", "thinsp": " ",
        "ensp": " ", "emsp": " ", "sum": "\\sum ", "int": "\\int ", "euro": "€", "pound": "£",
        "cent": "¢", "dollar": "\\$", "percnt": "\\%", "equals": "=", "plus": "+",
    ]

    /// The text with `&le;`, `&pi;`, `&#8804;` and their like as what they name.
    private static func withoutEntities(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            guard byte == UInt8(ascii: "&") else {
                result.append(byte)
                continue
            }
            let name = text[index...].prefix(9).prefix {
                $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "#")
            }
            guard text[safe: name.endIndex] == UInt8(ascii: ";"),
                let sign = sign(String(decoding: name, as: UTF8.self))
            else {
                result.append(byte)
                continue
            }
            result += Array(sign.utf8)
            index = name.endIndex + 1
        }
        return result
    }

    private static func sign(_ name: String) -> String? {
        if let sign = entities[name] { return sign }
        if name == "pi" || LexerTables.letters.contains(name) { return "\\\(name) " }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let value =
            digits.lowercased().hasPrefix("x")
            ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return value.flatMap(Unicode.Scalar.init).map { Typography.plain(String($0)) }
    }
}
