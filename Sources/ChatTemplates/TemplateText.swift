/// Text in a template: Unicode scalars, as Python counts them, each of which knows where it came
/// from.
///
/// A scalar with the bit `fromMessage` is part of what somebody said in the conversation. It keeps
/// the bit through whatever the template does to it: cut, trimmed, replaced around, joined, brought
/// to capitals. So the words of a message are told from the template's own wherever they end up.
/// Nothing else looks at the bit: texts of the same scalars are equal.
struct TemplateText: Sendable, Equatable, Comparable {
    static let fromMessage: UInt32 = 1 << 31

    private(set) var scalars: [UInt32]

    init(_ scalars: [UInt32] = []) { self.scalars = scalars }
    init(_ scalars: ArraySlice<UInt32>) { self.scalars = Array(scalars) }
    init(_ text: String, fromMessage: Bool = false) {
        let bit = fromMessage ? TemplateText.fromMessage : 0
        scalars = text.unicodeScalars.map { $0.value | bit }
    }

    var count: Int { scalars.count }
    var isEmpty: Bool { scalars.isEmpty }

    /// The scalar at a place, without the bit.
    subscript(_ index: Int) -> UInt32 { scalars[index] & ~TemplateText.fromMessage }

    /// The text as Swift has it.
    var string: String {
        var string = ""
        for scalar in scalars { string.unicodeScalars.append(Self.scalar(scalar)) }
        return string
    }

    mutating func append(_ other: TemplateText) { scalars += other.scalars }
    mutating func append(_ other: String) { append(TemplateText(other)) }
    mutating func append(_ scalar: UInt32) { scalars.append(scalar) }

    static func scalar(_ value: UInt32) -> Unicode.Scalar {
        Unicode.Scalar(value & ~fromMessage) ?? "\u{FFFD}"
    }

    static func == (a: Self, b: Self) -> Bool {
        a.count == b.count && a.matches(b, at: 0, in: b.count)
    }

    static func == (a: Self, b: String) -> Bool { a == TemplateText(b) }

    static func < (a: Self, b: Self) -> Bool {
        a.scalars.lexicographicallyPrecedes(b.scalars) { $0 & ~fromMessage < $1 & ~fromMessage }
    }
}

// Searching and cutting.
extension TemplateText {
    /// Whether `other` stands at a place of this text.
    func holds(_ other: TemplateText, at place: Int) -> Bool {
        place >= 0 && place + other.count <= count && matches(other, at: place, in: other.count)
    }

    private func matches(_ other: TemplateText, at place: Int, in length: Int) -> Bool {
        for index in 0..<length where self[place + index] != other[index] { return false }
        return true
    }

    /// Where `other` begins first, from a place on.
    func find(_ other: TemplateText, from start: Int = 0) -> Int? {
        guard start + other.count <= count else { return nil }
        return (start...(count - other.count)).first { holds(other, at: $0) }
    }

    /// Where `other` begins last, before or at a place.
    func findLast(_ other: TemplateText, endingBy end: Int? = nil) -> Int? {
        let last = (end ?? count) - other.count
        guard last >= 0 else { return nil }
        return (0...last).reversed().first { holds(other, at: $0) }
    }

    func contains(_ other: TemplateText) -> Bool { find(other) != nil }

    func slice(_ range: Range<Int>) -> TemplateText { TemplateText(scalars[range]) }

    /// The text between occurrences of a separator, at most `limit` of which are used.
    func split(_ separator: TemplateText, limit: Int = .max) -> [TemplateText] {
        var pieces: [TemplateText] = []
        var start = 0
        while pieces.count < limit, let place = find(separator, from: start) {
            pieces.append(slice(start..<place))
            start = place + separator.count
        }
        return pieces + [slice(start..<count)]
    }

    /// The same from the end.
    func splitFromEnd(_ separator: TemplateText, limit: Int = .max) -> [TemplateText] {
        var pieces: [TemplateText] = []
        var end = count
        while pieces.count < limit, let place = findLast(separator, endingBy: end) {
            pieces.append(slice(place + separator.count..<end))
            end = place
        }
        return (pieces + [slice(0..<end)]).reversed()
    }

    /// The words between white space; behind `limit` of them, the rest as it is.
    func words(limit: Int = .max) -> [TemplateText] {
        var pieces: [TemplateText] = []
        var index = 0
        while true {
            while index < count, Self.isSpace(self[index]) { index += 1 }
            guard index < count else { return pieces }
            guard pieces.count < limit else { return pieces + [slice(index..<count)] }
            let start = index
            while index < count, !Self.isSpace(self[index]) { index += 1 }
            pieces.append(slice(start..<index))
        }
    }

    /// The lines, without their ends; nothing behind a last line end.
    var lines: [TemplateText] {
        var lines: [TemplateText] = []
        var start = 0
        var index = 0
        while index < count {
            let scalar = self[index]
            index += 1
            guard Self.lineEnds.contains(scalar) else { continue }
            lines.append(slice(start..<index - 1))
            if scalar == 0x0D, index < count, self[index] == 0x0A { index += 1 }
            start = index
        }
        return start < count ? lines + [slice(start..<count)] : lines
    }

    private static let lineEnds: Set<UInt32> = [
        0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029,
    ]

    /// Which ends of a text are trimmed.
    enum Ends { case both, start, end }

    /// The text without what stands at its ends: white space, or any of the given scalars.
    func trimmed(_ ends: Ends, of scalars: TemplateText? = nil) -> TemplateText {
        let set = scalars.map { chosen in Set((0..<chosen.count).map { chosen[$0] }) }
        func goes(_ index: Int) -> Bool {
            set?.contains(self[index]) ?? Self.isSpace(self[index])
        }
        var (start, end) = (0, count)
        if ends != .end { while start < end, goes(start) { start += 1 } }
        if ends != .start { while end > start, goes(end - 1) { end -= 1 } }
        return slice(start..<end)
    }

    /// White space as Python has it: Unicode's, and four separators.
    static func isSpace(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x20, 0x09...0x0D, 0x1C...0x1F: true
        case ..<0x80: false
        default: Self.scalar(scalar).properties.isWhitespace
        }
    }
}

// Letters.
extension TemplateText {
    /// Each scalar replaced by a text that comes from where it came from.
    func mapped(_ replacement: (Unicode.Scalar.Properties, _ index: Int) -> String) -> TemplateText
    {
        var result: [UInt32] = []
        result.reserveCapacity(count)
        for (index, scalar) in scalars.enumerated() {
            let bit = scalar & Self.fromMessage
            for new in replacement(Self.scalar(scalar).properties, index).unicodeScalars {
                result.append(new.value | bit)
            }
        }
        return TemplateText(result)
    }

    var uppercased: TemplateText { mapped { properties, _ in properties.uppercaseMapping } }
    var lowercased: TemplateText {
        mapped { properties, index in
            self[index] == 0x3A3 ? finalSigma(index) : properties.lowercaseMapping
        }
    }

    /// A capital sigma becomes the final one behind a letter and before none.
    private func finalSigma(_ index: Int) -> String {
        func letter(_ places: some Sequence<Int>) -> Bool {
            let next = places.first { !Self.scalar(self[$0]).properties.isCaseIgnorable }
            return next.map { Self.scalar(self[$0]).properties.isCased } ?? false
        }
        return letter((0..<index).reversed()) && !letter(index + 1..<count) ? "ς" : "σ"
    }

    /// The first letter a capital, the others small.
    var capitalized: TemplateText {
        var result = slice(0..<min(1, count)).mapped { properties, _ in properties.titlecaseMapping
        }
        result.append(slice(min(1, count)..<count).lowercased)
        return result
    }

    /// The first letter of each run of letters a capital.
    var titlecased: TemplateText {
        mapped { properties, index in
            index > 0 && Self.scalar(self[index - 1]).properties.isCased
                ? properties.lowercaseMapping : properties.titlecaseMapping
        }
    }

    func allSatisfy(_ condition: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        !isEmpty && scalars.allSatisfy { condition(Self.scalar($0).properties) }
    }
}
