import Grading
import Records

/// How far the tries at a problem agree with each other, and how often they are right.
struct TryAgreement {
    /// Reads the answer of a completion; nil where there is none.
    typealias Reader = (String) -> String?

    /// Problems with every try right, with some, and with none.
    private(set) var allRight = 0, someRight = 0, noneRight = 0
    private var tries = 0, right = 0
    private var problems = 0, agreement = 0.0

    /// Counts the tries of a selection.
    mutating func add(_ selection: ArmSelection, _ answer: Reader) {
        let byProblem = Dictionary(grouping: selection.tries) { Array($0.id.utf8) }
        for problem in selection.problems {
            let own = byProblem[Array(problem.id.utf8)] ?? []
            add(own.map { answer($0.text) }, gold: problem.answer)
        }
    }

    /// Counts the answers to one problem; nil is a try without one.
    mutating func add(_ answers: [String?], gold: String) {
        guard !answers.isEmpty else { return }
        var classes: [(answer: String, count: Int)] = []
        for answer in answers.compactMap(\.self) {
            // Equal spellings are most, and need no grader.
            let index =
                classes.firstIndex { $0.answer == answer }
                ?? classes.firstIndex { Grader.equal(gold: $0.answer, prediction: answer) }
            if let index { classes[index].count += 1 } else { classes.append((answer, 1)) }
        }
        let own = classes.filter { Grader.equal(gold: gold, prediction: $0.answer) }
            .reduce(0) { $0 + $1.count }
        tries += answers.count
        right += own
        switch own {
        case answers.count: allRight += 1
        case 0: noneRight += 1
        default: someRight += 1
        }
        guard answers.count > 1 else { return }
        problems += 1
        let pairs = classes.reduce(0) { $0 + $1.count * ($1.count - 1) }
        agreement += Double(pairs) / Double(answers.count * (answers.count - 1))
    }

    /// The counts as shares.
    var shares: TryAgreementShares {
        var shares = TryAgreementShares()
        shares.equalPairs = pairShare
        shares.right = rightShare
        shares.allRight = allRight
        shares.someRight = someRight
        shares.noneRight = noneRight
        return shares
    }

    /// The share of pairs of tries at a problem with equal answers, averaged over problems.
    ///
    /// Nil where no problem was tried twice. A try without an answer agrees with no other.
    var pairShare: Double? { problems > 0 ? agreement / Double(problems) : nil }

    /// The share of tries whose answer is right; nil without tries.
    var rightShare: Double? { tries > 0 ? Double(right) / Double(tries) : nil }
}
