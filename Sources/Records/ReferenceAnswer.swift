/// How published files state their reference answers.
enum ReferenceAnswer {
    /// What a solution states behind its last `####`; an answer without that mark as it is.
    ///
    /// The commas between thousands go (`1,450` is 1450), those of lists stay (`10, 12`), and so do
    /// the spaces (`1 1/2` is one and a half).
    static func withoutSolution(_ answer: String) -> String {
        guard let mark = answer.ranges(of: "####").last else { return answer }
        let rest = answer[mark.upperBound...].drop { $0 == "#" || $0.isWhitespace }
        return withoutThousandsCommas(rest.prefix { !$0.isNewline }.endTrimmed)
    }

    /// Whether an answer states nothing: white space, in a box or between dollars too.
    static func isBlank(_ answer: String) -> Bool {
        if answer.isBlank { return true }
        let inner = answer.replacing("\\boxed", with: "").filter { !"${}".contains($0) }
        return inner.isBlank && (answer.contains("$") || answer.contains("\\boxed"))
    }

    /// Takes the commas out of numbers such as 1,234,567.
    private static func withoutThousandsCommas(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let start = rest.firstIndex(where: isDigit) {
            result += rest[..<start]
            var run = rest[start...].prefix { isDigit($0) || $0 == "," }
            while run.last == "," { run.removeLast() }
            let groups = run.split(separator: ",", omittingEmptySubsequences: false)
            let isNumber =
                groups.count > 1 && (1...3).contains(groups[0].count) && groups[0].first != "0"
                && groups.dropFirst().allSatisfy { $0.count == 3 }
            result += isNumber ? groups.joined() : String(run)
            rest = rest[run.endIndex...]
        }
        return result + rest
    }

    private static func isDigit(_ character: Character) -> Bool {
        ("0"..."9").contains(character)
    }
}
