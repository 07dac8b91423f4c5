import Foundation
import Testing

@testable import Grading

/// The table of pairs in Fixtures/pairs.tsv, and the laws that hold for all of it.
@Suite struct GraderTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        var group: String
        var gold: String
        var prediction: String
        var isEqual: Bool

        var testDescription: String { "\(group): \(gold) | \(prediction)" }
    }

    static let pairs = pairs(of: "pairs")

    /// The pairs of a table in Fixtures, whose groups begin with "## "; "⏎" is a line end.
    static func pairs(of table: String) -> [Pair] {
        guard let url = Bundle.module.url(forResource: "Fixtures/\(table)", withExtension: "tsv"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return [] }
        var group = ""
        return text.split(separator: "\n").compactMap { line in
            if line.hasPrefix("## ") { group = String(line.dropFirst(3)) }
            if line.hasPrefix("#") { return nil }
            let columns = line.replacing("⏎", with: "\n")
                .split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count == 3 else { return nil }
            return Pair(
                group: group,
                gold: String(columns[0]),
                prediction: String(columns[1]),
                isEqual: columns[2] == "="
            )
        }
    }

    @Test func tableIsRead() {
        #expect(Self.pairs.count >= 230)
        #expect(Self.pairs.count { !$0.isEqual } >= 55)
    }

    @Test(arguments: pairs) func verdictIsTheOneSetByHand(_ pair: Pair) {
        #expect(Grader.equal(gold: pair.gold, prediction: pair.prediction) == pair.isEqual)
    }

    @Test func equalityIsSymmetric() {
        let answers = Self.pairs.flatMap { [$0.gold, $0.prediction] }
        for (index, a) in answers.enumerated() {
            // Its own partner, and a few that have nothing to do with it.
            for step in [1, 2, 3, 17, 101] {
                let b = answers[(index + step) % answers.count]
                #expect(
                    Grader.equal(gold: a, prediction: b) == Grader.equal(gold: b, prediction: a),
                    "\(a) | \(b)"
                )
            }
        }
    }

    @Test func equalityIsReflexive() {
        for answer in Self.pairs.flatMap({ [$0.gold, $0.prediction] })
        where !Answer(answer, budget: WorkBudget()).isBlank {
            #expect(Grader.equal(gold: answer, prediction: answer), "\(answer)")
        }
    }

    @Test func spacingAndDelimitersNeverMatter() {
        for pair in Self.pairs where pair.isEqual && !pair.gold.contains("$") {
            #expect(
                Grader.equal(gold: "$ \(pair.gold) $", prediction: "  \(pair.prediction). "),
                "\(pair.gold) | \(pair.prediction)"
            )
        }
    }

    @Test func verdictTellsWrongFromUnparsed() {
        let style = AnswerStyle.boxed
        #expect(Grader.verdict(gold: "5", completion: #"\boxed{5}"#, style: style) == .correct)
        #expect(Grader.verdict(gold: "5", completion: #"\boxed{6}"#, style: style) == .wrong)
        #expect(Grader.verdict(gold: "5", completion: "it is 5", style: style) == .unparsed)
        #expect(Grader.verdict(gold: "5", extracted: nil) == .unparsed)
    }

    /// Every gold answer of every benchmark equals itself, also in a box and in math delimiters.
    @Test func benchmarkAnswersEqualThemselves() throws {
        guard let folder = ProcessInfo.processInfo.environment["RSD_DATA"] else {
            print("SKIPPED: set RSD_DATA to a folder of .jsonl problems to grade their answers")
            return
        }
        var answers: Set<String> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasSuffix(".jsonl") {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            for line in text.split(separator: "\n") {
                answers.insert(try JSONDecoder().decode(Problem.self, from: Data(line.utf8)).answer)
            }
        }
        for answer in answers {
            let completion = "So the answer is \\boxed{\(answer)}."
            let found = AnswerExtraction.extract(from: completion, style: .boxed)
            #expect(
                found.map { Grader.equal(gold: answer, prediction: $0.text) } == true,
                "\(answer)"
            )
            // As mathematics too, not only as the same text.
            let budget = WorkBudget()
            if let expression = Answer(answer, budget: budget).expression {
                let again = Answer("\\displaystyle \(answer)", budget: budget).expression
                #expect(
                    again.map { Comparison(budget: budget).equal(expression, $0) } == true,
                    "\(answer)"
                )
            }
        }
        #expect(!answers.isEmpty, "no .jsonl files in \(folder)")
        print("graded \(answers.count) different benchmark answers against themselves")
    }

    private struct Problem: Decodable { var answer: String }
}
