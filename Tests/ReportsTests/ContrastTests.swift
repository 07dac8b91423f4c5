import Foundation
import Testing

@testable import Reports
@testable import Scoring
@testable import Statistics

/// The page's colours against each other, measured as WCAG 2.2 does: text needs a ratio of 4.5
/// (1.4.3, level AA), what a plot is read by 3 (1.4.11).
@Suite struct ContrastTests {
    /// The relative luminance of `#rgb` or `#rrggbb`, WCAG 2.2.
    static func luminance(_ color: String) throws -> Double {
        var digits = Array(color.dropFirst())
        if digits.count == 3 { digits = digits.flatMap { [$0, $0] } }
        let bytes = try #require(digits.count == 6 ? UInt32(String(digits), radix: 16) : nil)
        let linear = [16, 8, 0].map { shift -> Double in
            let value = Double(bytes >> UInt32(shift) & 0xFF) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    static func ratio(_ one: String, _ other: String) throws -> Double {
        let pair = try [luminance(one), luminance(other)].sorted()
        return (pair[1] + 0.05) / (pair[0] + 0.05)
    }

    @Test func ratiosAreThoseOfTheStandard() throws {
        #expect(try abs(Self.ratio("#000", "#ffffff") - 21) < 1e-9)
        #expect(try abs(Self.ratio("#777777", "#fff") - 4.48) < 0.005)
    }

    /// The custom properties of the page, on light and on dark paper.
    static func themes() throws -> [[String: String]] {
        let page = try ReportPage(model: ReportExample.realistic()).html()
        let parts = page.split(separator: "prefers-color-scheme", omittingEmptySubsequences: false)
        func colors(_ text: Substring) -> [String: String] {
            let found = text.matches(of: /--([a-z0-9-]+):\s*(#[0-9a-fA-F]+)/)
            return Dictionary(found.map { (String($0.1), String($0.2)) }) { _, last in last }
        }
        // Light rules, dark rules with the light series behind them, dark series.
        try #require(parts.count == 3)
        let split = try #require(parts[1].firstRange(of: "--series-1"))
        let series = colors(parts[1][split.lowerBound...])
        let light = colors(parts[0]).merging(series) { $1 }
        let dark = colors(parts[1][..<split.lowerBound]).merging(colors(parts[2])) { $1 }
        return [light, dark]
    }

    static let texts: [(ink: String, paper: String)] = [
        ("ink", "paper"), ("ink", "wash"), ("ink", "student"), ("soft", "paper"),
        ("soft", "wash"), ("low", "paper"), ("low", "wash"), ("low", "student"),
        ("better-ink", "better"), ("worse-ink", "worse"),
    ]

    @Test(arguments: texts) func textIsReadable(_ pair: (ink: String, paper: String)) throws {
        for theme in try Self.themes() {
            let ink = try #require(theme[pair.ink])
            let paper = try #require(theme[pair.paper])
            #expect(try Self.ratio(ink, paper) >= 4.5, "\(pair.ink) \(ink) on \(paper)")
        }
    }

    @Test func marksStandOutFromThePaper() throws {
        for theme in try Self.themes() {
            let paper = try #require(theme["paper"])
            let marks = theme.filter { $0.key.hasPrefix("series-") }
            #expect(marks.count == Palette.colors.count + 1)
            for (name, color) in marks {
                #expect(try Self.ratio(color, paper) >= 3, "\(name) \(color) on \(paper)")
            }
            for name in ["focus", "student-edge"] {
                let color = try #require(theme[name])
                #expect(try Self.ratio(color, paper) >= 3, "\(name) \(color) on \(paper)")
            }
        }
    }
}
