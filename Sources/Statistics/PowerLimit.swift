import Basics

/// Why a comparison cannot say how small a difference it would have seen, or says nothing at all.
///
/// Formulas give numbers even here: no spread makes a standard error of 0, and with it a detectable
/// difference of 0 and an interval without width, which would claim certainty.
public enum PowerLimit: Equatable, Hashable, Sendable {
    /// No side has a right answer.
    case floor
    /// No side has a wrong answer.
    case ceiling
    /// On every question both sides are right equally often.
    case same
    /// The sides differ by one and the same amount on every question of a benchmark.
    case uniform
    /// So few questions that no outcome would reach the level of the tests.
    case fewQuestions(Int)
    /// A side or a benchmark has one question, whose spread is not known.
    case singleQuestion
    /// Even the largest possible difference would usually go unseen.
    case imprecise

    /// Below this a standard error is rounding.
    static let leastStandardError = 1e-12

    /// Whether there is nothing that a test could go by.
    public var tellsNothing: Bool { [.floor, .ceiling, .same].contains(self) }

    /// The reason, as a clause behind a comma or semicolon.
    public var reason: String {
        switch self {
        case .floor: "neither answers any question right, so nothing can be told"
        case .ceiling: "both answer every question right, so nothing can be told"
        case .same:
            "both are right equally often on every question, so p and the detectable difference "
                + "are not known"
        case .uniform:
            "every question differs by the same amount, so the interval and the detectable "
                + "difference are not known"
        case .fewQuestions(let count):
            "\(NumberText.counted(count, "question")) \(count == 1 ? "is" : "are") too few to "
                + "detect any difference"
        case .singleQuestion:
            "one question has no spread, so the interval and the detectable difference are not known"
        case .imprecise: "even a difference of 100 points would usually go unseen"
        }
    }
}

extension PowerLimit {
    /// What limits a paired comparison of the questions of some benchmarks; nil where nothing does.
    ///
    /// - Parameters:
    ///   - benchmarks: Both sides' scores on each question, a list a benchmark.
    ///   - standardError: Of the difference of the averages; NaN where a benchmark has one question.
    public init?(_ benchmarks: [[(QuestionScore, QuestionScore)]], standardError: Double) {
        let pairs = benchmarks.joined()
        if pairs.allSatisfy({ $0.correct == 0 && $1.correct == 0 }) {
            self = .floor
        } else if pairs.allSatisfy({ $0.correct == $0.samples && $1.correct == $1.samples }) {
            self = .ceiling
        } else if pairs.allSatisfy({ $0.correct * $1.samples == $1.correct * $0.samples }) {
            self = .same
        } else if SignificanceTest.leastP(questions: pairs.count) >= SignificanceTest.level {
            self = .fewQuestions(pairs.count)
        } else if standardError.isNaN {
            self = .singleQuestion
        } else if standardError <= Self.leastStandardError {
            self = .uniform
        } else if SignificanceTest.minimumDetectableEffect(standardError: standardError) > 1 {
            self = .imprecise
        } else {
            return nil
        }
    }

    /// What limits a comparison of different questions; nil where nothing does.
    ///
    /// - Parameters:
    ///   - arm: The share of right samples of each question of one side.
    ///   - base: The same of the other side.
    ///   - standardError: Of the difference; NaN where a side has one question.
    init?(_ arm: [Double], _ base: [Double], standardError: Double) {
        let all = arm + base
        if all.allSatisfy({ $0 == 0 }) {
            self = .floor
        } else if all.allSatisfy({ $0 == 1 }) {
            self = .ceiling
        } else if standardError.isNaN {
            self = .singleQuestion
        } else if standardError <= Self.leastStandardError {
            self = all.allSatisfy { $0 == all[0] } ? .same : .uniform
        } else if SignificanceTest.minimumDetectableEffect(standardError: standardError) > 1 {
            self = .imprecise
        } else {
            return nil
        }
    }
}
