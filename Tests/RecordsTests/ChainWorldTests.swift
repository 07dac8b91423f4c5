import Basics
import Kernels
import Testing

@testable import Records

@Suite struct ChainWorldTests {
    /// Recomputes `a`, sign, `b` without the code under test.
    static func value(_ left: Int, _ sign: Character, _ right: Int) -> Int {
        let exact = sign == "+" ? left + right : sign == "-" ? left - right : left * right
        return ((exact % 10) + 10) % 10
    }

    /// The answer of a problem's text, read from left to right.
    static func answer(_ problem: String) -> Int? {
        let symbols = Array(problem)
        guard symbols.last == "?", var result = symbols.first?.wholeNumberValue else { return nil }
        for index in stride(from: 1, to: symbols.count - 1, by: 2) {
            guard let digit = symbols[index + 1].wholeNumberValue else { return nil }
            result = value(result, symbols[index], digit)
        }
        return result
    }

    @Test func evaluatesTheExampleOfTheDocumentation() {
        let chain = ChainWorld.Chain(digits: [7, 5, 4, 8], operators: ["-", "*", "-"])
        var draws = Draws(RandomStream(seed: 1, name: "test"), item: 0)
        #expect(chain.text == "7-5*4-8?")
        #expect(ChainWorld.solution(chain, .terse, &draws) == "7-5=2, 2*4=8, 8-8=0, #0")
    }

    @Test(arguments: [0.0, 0.25, 1.0]) func everyLessonIsCorrectAndCovered(share: Double) throws {
        let curriculum = ChainWorld.Curriculum(reflectiveShare: share, seed: 7)
        var reflective = 0
        for index in 0..<400 {
            let lesson = curriculum.lesson(step: index / 64, index: index % 64)
            reflective += lesson.style == .reflective ? 1 : 0
            let answer = try #require(Self.answer(lesson.problem))
            #expect(lesson.solution.hasSuffix("#\(answer)"), "\(lesson)")
            for match in lesson.solution.matches(of: /([0-9])([-+*])([0-9])=([0-9])/) {
                let (_, left, sign, right, result) = match.output
                #expect(
                    Self.value(Int(left)!, sign.first!, Int(right)!) == Int(result),
                    "\(lesson)"
                )
            }
            let spoken = /([0-9]) (plus|minus|times) ([0-9]) (?:gives|makes) ([0-9])/
            let steps = lesson.solution.matches(of: spoken)
            for match in steps {
                let (_, left, word, right, result) = match.output
                let sign: Character = word == "plus" ? "+" : word == "minus" ? "-" : "*"
                #expect(Self.value(Int(left)!, sign, Int(right)!) == Int(result), "\(lesson)")
            }
            #expect(lesson.style == .terse ? steps.isEmpty : !steps.isEmpty)
            let text = lesson.problem + lesson.solution + ChainWorld.endOfTurn
            let ids = try #require(ChainWorld.tokens(text), "\(text)")
            #expect(ids.map { ChainWorld.words[Int($0)] }.joined() == text)
            #expect(ids.count { $0 < 10 } == text.count(where: \.isNumber), "digits stand alone")
        }
        #expect(abs(Double(reflective) / 400 - share) < 0.08)
    }

    @Test func wordsAreDistinctAndEachIsUsed() throws {
        #expect(Set(ChainWorld.words).count == ChainWorld.words.count)
        #expect((40...50).contains(ChainWorld.words.count))
        let curriculum = ChainWorld.Curriculum(reflectiveShare: 0.5, seed: 3)
        var used: Set<Int32> = []
        for index in 0..<200 {
            let lesson = curriculum.lesson(step: 0, index: index)
            used.formUnion(try #require(ChainWorld.tokens(lesson.problem + lesson.solution + "$")))
        }
        #expect(used.count == ChainWorld.words.count)
    }

    @Test func trainingNeverMeetsABenchmark() throws {
        var heldOut: Set<String> = []
        for operations in 2...6 {
            let set = try ChainWorld.benchmark(
                name: "chain\(operations)",
                count: 300,
                operations: [operations]
            )
            #expect(set.problems.count == 300)
            for problem in set.problems {
                #expect(problem.problem.count == 2 * operations + 2)
                #expect(Self.answer(problem.problem).map(String.init) == problem.answer)
                #expect(heldOut.insert(problem.problem).inserted)
            }
        }
        let training = try ChainWorld.trainingProblems(count: 800, operations: [2, 3], seed: 1)
        #expect(training.problems.allSatisfy { !heldOut.contains($0.problem) })
        let curriculum = ChainWorld.Curriculum(reflectiveShare: 0.5, operations: [2], seed: 1)
        for index in 0..<800 {
            #expect(!heldOut.contains(curriculum.lesson(step: 1, index: index).problem))
        }
    }

    @Test func largerBenchmarksBeginWithSmallerOnes() throws {
        let small = try ChainWorld.benchmark(name: "c", count: 20, operations: [4])
        let large = try ChainWorld.benchmark(name: "c", count: 40, operations: [4])
        #expect(large.problems.prefix(20).map(\.problem) == small.problems.map(\.problem))
        #expect(small.digest != large.digest)
    }

    @Test func seedsDecideTheDraw() throws {
        let draw = { (seed: UInt64) in
            try ChainWorld.trainingProblems(count: 50, operations: [2, 3, 4], seed: seed).digest
        }
        #expect(try draw(1) == draw(1))
        #expect(try draw(1) != draw(2))
    }

    @Test func asksForNoMoreThanTheWorldHolds() {
        #expect(throws: Failure.self) {
            try ChainWorld.benchmark(name: "chain2", count: 1300, operations: [2])
        }
    }
}
