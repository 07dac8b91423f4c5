import Testing

@testable import Grading

/// Answers built to be slow, deep, large or malformed cost a bounded amount of work.
@Suite struct HostileAnswerTests {
    static let hostile: [(name: String, text: String)] = [
        ("tower of powers", "9^9^9^9"),
        ("braced tower", "9^{9^{9^{9^{9}}}}"),
        ("product of towers", "9^{99999}*8^{99999}/7^{99999}"),
        ("100,000 round brackets", String(repeating: "(", count: 100_000)),
        ("balanced round brackets", nest("(", "1", ")", 100_000)),
        ("60 brackets", nest("(", "1", ")", 60)),
        ("2,000 braces", nest("{", "1", "}", 2_000)),
        ("nested fractions", nest("\\frac{1}{", "2", "}", 500)),
        ("nested roots", nest("\\sqrt{", "2", "}", 1_000)),
        ("nested text", nest("\\text{", "2", "}", 1_000)),
        ("open text", String(repeating: "\\text{", count: 1_300)),
        ("minus signs", String(repeating: "-", count: 5_000) + "1"),
        ("plus-minus signs", String(repeating: "\\pm 1", count: 1_000)),
        ("nested plus-minus", nest("(\\pm ", "1", ")", 60)),
        ("factorials", "5" + String(repeating: "!", count: 3_000)),
        ("large factorial", "300!*300!*300!*300!*300!"),
        ("factorial of a factorial", "((9!)!)!"),
        ("8,000 digits", String(repeating: "7", count: 8_000)),
        ("200,000 digits", String(repeating: "7", count: 200_000)),
        ("8,000 decimals", "0." + String(repeating: "3", count: 8_000)),
        ("huge exponent", "1e999999999999999999999"),
        ("tiny exponent", "1e-999999999999999999999"),
        ("largest power", "2^{9223372036854775807}"),
        ("smallest power", "2^{-9223372036854775808}"),
        ("long sum", (1...1_000).map { "1/\($0)" }.joined(separator: "+")),
        ("long product", (1...1_000).map { "\($0)" }.joined(separator: "*")),
        ("list of 2,000", (1...2_000).map { "\($0)" }.joined(separator: ",")),
        ("set of 600", "\\{" + (1...600).map { "\($0)" }.joined(separator: ",") + "\\}"),
        ("list of roots", (1...60).map { "\\sqrt{\($0)}" }.joined(separator: ", ")),
        ("power of a sum", "(x+y+z+1)^{1000}"),
        ("division by zero", "\\frac{1}{0}+\\frac{0}{0}+0^0+0^{-1}"),
        ("roots of negatives", "\\sqrt{-1}+\\ln(-1)+\\arcsin 2"),
        ("open matrix", "\\begin{pmatrix} 1 & 2 \\\\"),
        ("matrix without entries", "\\begin{pmatrix}\\end{pmatrix}"),
        ("lone backslash", "\\"),
        ("lone command", "\\frac"),
        ("half a fraction", "\\frac{1}"),
        ("subscript of nothing", "x_"),
        ("exponent of nothing", "x^"),
        ("separators", String(repeating: ",", count: 5_000)),
        ("dollars", String(repeating: "$", count: 5_001)),
        ("nested sets by condition", nest("\\{x : ", "x = 1", "\\}", 60)),
        (
            "set of a long condition",
            "\\{x \\in \\mathbb{Z} : " + String(repeating: "x+", count: 900) + "1 < 5\\}"
        ),
        ("nested cases", nest("\\begin{cases} 1 & x > ", "2", "\\end{cases}", 60)),
        ("words of arithmetic", String(repeating: "half ", count: 12)),
        ("words of sums", String(repeating: "plus in ", count: 8)),
        ("dozens", String(repeating: "dozen ", count: 10)),
        ("struck-out words", String(repeating: "~~a~~", count: 1_500)),
        ("open tags", String(repeating: "<s>", count: 2_500)),
        ("entities", String(repeating: "&amp;", count: 1_500)),
        ("arrows", String(repeating: "\\Rightarrow =", count: 500)),
        ("taken back", String(repeating: "5, no, ", count: 30)),
        ("taken back again", String(repeating: "The answer is 5? No, ", count: 300)),
        ("integers", String(repeating: "x, for some integer ", count: 25)),
        ("null bytes", String(repeating: "\0", count: 1_000)),
        ("invalid UTF-8", String(decoding: [0x35, 0xFF, 0xC0, 0x80, 0xED, 0xA0], as: UTF8.self)),
        ("combining marks", "5" + String(repeating: "\u{301}", count: 5_000)),
        ("other digits", "٣٤٥"),
        ("right-to-left mark", "\u{202E}5\u{202C}"),
    ]

    static func nest(_ open: String, _ middle: String, _ close: String, _ depth: Int) -> String {
        String(repeating: open, count: depth) + middle + String(repeating: close, count: depth)
    }

    @Test(arguments: hostile.indices) func workIsBounded(_ index: Int) {
        let (name, text) = Self.hostile[index]
        for other in ["\\{1, \\sqrt{2}\\}", text + "+0"] {
            for (a, b) in [(text, other), (other, text)] {
                let work = Grader.compare(a, b).work
                // The last operation may pass the limit by its own cost, at most the product of
                // two of the largest numbers.
                let limbs = WorkBudget.maximumBits / 32
                let bound = WorkBudget.limit + limbs * limbs
                #expect(work <= bound, "\(name): \(work) units")
            }
        }
    }

    @Test(arguments: hostile.indices) func lawsHold(_ index: Int) {
        let (name, text) = Self.hostile[index]
        if !Answer(text, budget: WorkBudget()).isBlank {
            #expect(Grader.equal(gold: text, prediction: text), "\(name)")
        }
        for other in ["5", text + " + 1"] {
            #expect(
                Grader.equal(gold: text, prediction: other)
                    == Grader.equal(gold: other, prediction: text),
                "\(name)"
            )
        }
    }

    @Test(arguments: hostile.indices) func extractionCopes(_ index: Int) {
        let (name, text) = Self.hostile[index]
        let boxes = String(repeating: "\\boxed{", count: 2_000)
        for completion in [text, "\\boxed{" + text, boxes + text, "answer is " + text] {
            let found = AnswerExtraction.extract(from: completion, style: .math)
            #expect((found?.text.utf8.count ?? 0) <= completion.utf8.count, "\(name)")
        }
    }
}
