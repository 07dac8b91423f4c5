import Foundation
import Testing

@testable import Grading

/// Random, mutated and malformed answers: no trap, bounded work, and the laws hold.
///
/// `RSD_FUZZ` sets the number of inputs; a full run takes 1,000,000.
@Suite struct FuzzTests {
    static let inputs = ProcessInfo.processInfo.environment["RSD_FUZZ"].flatMap { Int($0) } ?? 6_000

    @Test func anyAnswerGetsAVerdict() {
        var source = AnswerFuzzer(seed: 0x5EED)
        let bound = WorkBudget.limit + (WorkBudget.maximumBits / 32) * (WorkBudget.maximumBits / 32)
        var (mostWork, equal) = (0, 0)
        var slowest = (seconds: 0.0, text: "")
        let clock = ContinuousClock()
        for _ in 0..<Self.inputs / 2 {
            let a = source.next()
            let b = source.variant(of: a)
            var forward = (equal: false, work: 0)
            let elapsed = clock.measure { forward = Grader.compare(a, b) }
            let seconds = elapsed / .seconds(1)
            if seconds > slowest.seconds { slowest = (seconds, "\(a) | \(b)") }
            mostWork = max(mostWork, forward.work)
            equal += forward.equal ? 1 : 0
            if forward.work > bound { Issue.record("\(forward.work) units: \(a) | \(b)") }
            if Grader.compare(b, a).equal != forward.equal {
                Issue.record("not symmetric: \(a) | \(b)")
            }
            if !Answer(a, budget: WorkBudget()).isBlank, !Grader.compare(a, a).equal {
                Issue.record("does not equal itself: \(a)")
            }
            _ = AnswerExtraction.extract(from: a, style: .math)
        }
        print(
            "graded \(Self.inputs) inputs: \(equal) pairs equal, most work \(mostWork) units, "
                + "slowest \(slowest.seconds) s: \(slowest.text.prefix(120))"
        )
    }
}

/// Makes answers: LaTeX pieces in random order, and benchmark answers with random edits.
struct AnswerFuzzer {
    private var state: UInt64
    private static let answers =
        (GraderTests.pairs + KindTests.pairs).flatMap { [$0.gold, $0.prediction] }
        + PeerTests.rows.map(\.gold)
    private static let pieces = [
        "\\frac", "{", "}", "1", "23", "^", "_", "(", ")", "[", "]", ",", "\\sqrt", "x", "i", "-",
        "+", "\\text{", "\\pm", "\\mp", "!", "%", "\\circ", "/", "=", "<", "\\le", "\\ne", "\\pi",
        ".", "e5", "|", "\\begin{pmatrix}", "\\end{pmatrix}", "\\begin{array}{c}", "&", "\\\\",
        "\\{", "\\}", "\\sin", "cm", " ", "$", "\\cup", "\\log", "é", "\\overline{", "0.", "9^9^9",
        "\\approx", "\\in", "\\mathbb{R}", "\\setminus", "\\choose", "\\over", ";", ":", "\\boxed{",
        "answer is ", " is ", "\\infty", "1,000", "1 000", "'", "²", "\\quad", "and", "\u{301}",
        "\\pmod", "\\left", "\\right", "\0", "𝟙", "٣", "\\begin{cases}", "\\end{cases}", ":",
        "\\mid", "k\\in\\mathbb{Z}", " for some integer k", " per thousand", " dozen", " squared",
        " half ", " of ", "twice ", " in ", "<s>", "</s>", "&le;", "&#x", "\\Rightarrow", "①",
        ", no, ",
        "No, ", "?", " by ", "km", "_{16}", "°C", "\"", " only", "I", " left",
    ]

    init(seed: UInt64) { state = seed }

    private mutating func random(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    /// Another answer, or the same one written or edited otherwise.
    mutating func variant(of answer: String) -> String {
        switch random(6) {
        case 0: "x = \(answer)"
        case 1: "\\left(\(answer)\\right)"
        case 2: "\(answer)+0"
        case 3: edited(answer)
        default: next()
        }
    }

    /// One answer.
    mutating func next() -> String {
        if random(2) == 0 {
            return (0..<(1 + random(24))).map { _ in Self.pieces[random(Self.pieces.count)] }
                .joined()
        }
        return edited(Self.answers[random(Self.answers.count)])
    }

    private mutating func edited(_ answer: String) -> String {
        var bytes = Array(answer.utf8)
        for _ in 0..<(1 + random(4)) {
            let place = random(bytes.count + 1)
            switch random(6) {
            case 0 where place < bytes.count: bytes.remove(at: place)
            case 1 where place < bytes.count: bytes[place] = UInt8(random(256))
            case 2: bytes.insert(UInt8(random(256)), at: place)
            case 3: bytes.insert(contentsOf: Self.pieces[random(Self.pieces.count)].utf8, at: place)
            case 4: bytes += bytes[..<place].prefix(200)
            default: bytes = Array(bytes[place...] + bytes[..<place])
            }
        }
        // Invalid UTF-8 becomes replacement characters, as everywhere in this program.
        return String(decoding: bytes, as: UTF8.self)
    }
}
