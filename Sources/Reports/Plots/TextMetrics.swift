/// Estimates how much room text takes; a picture cannot ask the reader's fonts.
enum TextMetrics {
    /// The width of text in a common sans-serif face, generously.
    static func width(_ text: String, size: Double) -> Double {
        text.unicodeScalars.reduce(0) { $0 + relativeWidth($1) } * size
    }

    /// The text, cut with an ellipsis if it is wider than the room.
    static func fitted(_ text: String, into room: Double, size: Double) -> String {
        guard width(text, size: size) > room else { return text }
        // From the front, so that the cost is that of what is kept, however long the text is.
        var rest = room / size - relativeWidth("…")
        var cut = ""
        for character in text {
            rest -= character.unicodeScalars.reduce(0) { $0 + relativeWidth($1) }
            if rest < 0 || cut.unicodeScalars.count > 1000 { break }
            cut.append(character)
        }
        return cut + "…"
    }

    private static func relativeWidth(_ scalar: Unicode.Scalar) -> Double {
        switch scalar {
        case "i", "j", "l", "t", "f", "r", "I", " ", ".", ",", ":", ";", "'", "|", "[", "]", "(",
            ")":
            0.36
        case "m", "w", "M", "W", "%", "@": 0.9
        case "A"..."Z", "−", "+", "<", ">", "=": 0.68
        case _ where scalar.properties.generalCategory == .nonspacingMark: 0
        case "\u{1100}"..."\u{FFFF}" where scalar.properties.isIdeographic: 1.05
        default: scalar.value > 0xFFFF ? 1.2 : 0.57
        }
    }
}
