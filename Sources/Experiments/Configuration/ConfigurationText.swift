import Basics
import Foundation

/// The text of an experiment file on its way to the YAML reader.
///
/// Aliases are kept out of that reader's hands: it would write out what each stands for before
/// anyone can count, and a few lines of aliases of aliases stand for more than any memory holds.
/// They become scalars with a tag, which are resolved, and counted, afterwards. Braces of `${NAME}`
/// are hidden, because between `{` and `}` they would end the value.
struct ConfigurationText {
    /// The most bytes that an experiment file may have.
    static let mostBytes = 1 << 22
    /// The tag of a scalar that names what an alias stands for.
    static let aliasTag = "!rsd-alias"

    /// The text for the YAML reader.
    let text: String
    private let hidesBraces: Bool

    // Private-use characters, which YAML allows in plain text.
    private static let (open, close): (Character, Character) = ("\u{F8F0}", "\u{F8F1}")

    /// Prepares a text.
    ///
    /// - Throws: `Failure.configuration` for one that is too long.
    init(_ original: String, path: String) throws {
        guard original.utf8.count <= Self.mostBytes else {
            throw Failure(
                .configuration,
                file: path,
                "has \(original.utf8.count) bytes; expected at most \(Self.mostBytes)"
            )
        }
        hidesBraces = !original.contains(Self.open) && !original.contains(Self.close)
        let hidden =
            hidesBraces
            ? original.replacing(/\$\{([A-Za-z_][A-Za-z0-9_]*(?::-[^{}\n]*)?)\}/) { match in
                "$\(Self.open)\(match.1)\(Self.close)"
            } : original
        text = Self.taggingAliases(hidden)
    }

    /// A scalar's text, or a message about it, as the file has it.
    func original(_ text: String) -> String {
        guard hidesBraces else { return text }
        return text.replacing("\(Self.open)", with: "{").replacing("\(Self.close)", with: "}")
    }

    /// Replaces `*name` by a tagged scalar wherever it stands as a value, behind its anchor.
    private static func taggingAliases(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else {
            return text
        }
        var result: [UInt8] = []
        var anchors: Set<ArraySlice<UInt8>> = []
        let bytes = Array(text.utf8)
        var scanner = Scanner()
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let isStart = scanner.isAtValue
            scanner.take(byte, next: index + 1 < bytes.count ? bytes[index + 1] : nil)
            guard isStart, byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*") else {
                result.append(byte)
                index += 1
                continue
            }
            let name = bytes[(index + 1)...].prefix { !Self.endsName.contains($0) }
            index = name.endIndex
            if byte == UInt8(ascii: "&") {
                anchors.insert(name)
                // What the anchor names begins behind it.
                scanner.isAtValue = true
            } else if anchors.contains(name) {
                result += "\(aliasTag) ".utf8
                result += name
                continue
            }
            result.append(byte)
            result += name
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let endsName = Set(" \t\r\n,[]{}".utf8)

    /// Follows quotes, comments and what can come before a value.
    private struct Scanner {
        /// Whether a value can begin at the next byte.
        var isAtValue = true
        private var quote: UInt8?
        private var isComment = false
        private var previous = UInt8(ascii: "\n")

        mutating func take(_ byte: UInt8, next: UInt8?) {
            defer { previous = byte }
            if byte == UInt8(ascii: "\n") {
                isComment = false
                if quote == nil { isAtValue = true }
                return
            }
            if isComment { return }
            if let quote {
                let isEscaped = quote == UInt8(ascii: "\"") && previous == UInt8(ascii: "\\")
                if byte == quote && !isEscaped { self.quote = nil }
                // Two backslashes are one, which escapes nothing.
                if isEscaped && byte == UInt8(ascii: "\\") { previous = 0 }
                return
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            case UInt8(ascii: "#")
            where previous == UInt8(ascii: " ") || previous == UInt8(ascii: "\n")
                || previous == UInt8(ascii: "\t"):
                isComment = true
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if isAtValue { quote = byte }
                isAtValue = false
            case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","): isAtValue = true
            case UInt8(ascii: ":"):
                isAtValue = next.map { " \t\r\n*&\"'[{".utf8.contains($0) } ?? true
            case UInt8(ascii: "-"), UInt8(ascii: "?"):
                isAtValue = isAtValue && (next.map { " \t\r\n".utf8.contains($0) } ?? true)
            default: isAtValue = false
            }
        }
    }
}
