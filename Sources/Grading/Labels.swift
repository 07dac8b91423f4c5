/// Answers made of labels: the letters of an order or a choice, and numbered statements.
enum Labels {
    private static let longest = 48

    /// Whether two answers of labels are the same; nil where they are none for certain.
    ///
    /// `C, B, A, D` is `CBAD`, in order; `I and III only` is `III, I`.
    static func same(_ a: String, _ b: String) -> Bool? {
        guard a.utf8.count <= longest, b.utf8.count <= longest else { return nil }
        if let x = letters(of: a), let y = letters(of: b), x.isRun != y.isRun,
            x.letters == y.letters
        {
            return true
        }
        if let x = numerals(of: a), let y = numerals(of: b) { return x == y }
        return nil
    }

    /// Capital letters one by one, or in one run.
    private static func letters(of key: String) -> (letters: [UInt8], isRun: Bool)? {
        var bytes = Array(key.utf8)
        if bytes.first == UInt8(ascii: "("), bytes.last == UInt8(ascii: ")") {
            bytes = Array(bytes.dropFirst().dropLast())
        }
        guard let first = bytes.first, (0x41...0x5A).contains(first) else { return nil }
        let words = bytes.split { $0.isSpace || ",;->".utf8.contains($0) || $0 >= 0x80 }
            .filter { !$0.elementsEqual("and".utf8) }
        let letters = words.flatMap(\.self)
        guard letters.count > 1, letters.count <= 12,
            letters.allSatisfy({ (0x41...0x5A).contains($0) })
        else { return nil }
        if words.count == 1 { return (letters, true) }
        // "A-B" may be a difference.
        guard letters.count > 2 || !bytes.contains(UInt8(ascii: "-")) else { return nil }
        return words.allSatisfy { $0.count == 1 } ? (letters, false) : nil
    }

    private static let roman: Set<String> = [
        "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X",
    ]

    /// The numbers of the statements that "II only" and "I and III" name, of which there is no other.
    private static func numerals(of key: String) -> Set<String>? {
        guard key.utf8.first.map({ "IVXOo".utf8.contains($0) }) ?? false else { return nil }
        var found: Set<String> = []
        for word in key.split(whereSeparator: { " ,.&".contains($0) }).map(String.init) {
            if roman.contains(word) {
                found.insert(word)
            } else if !["and", "only", "Only"].contains(word) {
                return nil
            }
        }
        return found.isEmpty ? nil : found
    }
}
