/// What grading says about one completion.
public enum AnswerVerdict: String, Sendable, Equatable, CaseIterable {
    /// The stated answer is equivalent to the gold answer.
    case correct
    /// An answer was stated, and it is not equivalent.
    case wrong
    /// No answer was found in the completion.
    case unparsed
}

/// Decides whether a stated answer means the same as the gold answer.
///
/// Deterministic, offline, and bounded: every comparison spends from a fixed budget of work
/// (`WorkBudget`), so hostile answers cost milliseconds and never memory or a hang.
///
/// Laws, which the tests check:
/// - reflexive: `equal(a, a)` for every text that is not blank;
/// - symmetric: `equal(a, b) == equal(b, a)`.
///
/// Gold and prediction may therefore be swapped in `equal`, under every rule: a unit, a name
/// (`x =`), a sentence or brackets may be missing on either side, a decimal of six or more places
/// may stand for the exact number on either side, and an inequality for its interval. They may
/// not be swapped in `verdict`, which looks for the answer in one of them alone.
///
/// What is not understood is compared as text: words without letter case, letters of formulas with
/// it. A number with words behind it is the number alone only where the words are the names of
/// things; words that change what it says ("million", "or less", "north") count.
///
/// A unit with its number converted is equal: `5 km` and `5000 m`. A base, and a residue class with
/// its modulus, may not be left out unless the value stays: `12_5` is 7, `12 \pmod 7` is 5.
///
/// Not transitive: `5 cm` and `5 km` both equal `5` (a unit may be left out) but not each other,
/// and a long decimal equals every number that rounds to it.
public enum Grader {
    /// Names the rules in force; stored with every score and raised when a verdict could change.
    public static let version = "6"

    /// Whether two answers are equivalent, in mathematics or as text.
    ///
    /// - Parameters:
    ///   - gold: The reference answer, LaTeX or plain.
    ///   - prediction: The answer under test, already extracted.
    /// - Returns: `false` also where either is blank.
    public static func equal(gold: String, prediction: String) -> Bool {
        compare(gold, prediction).equal
    }

    /// The verdict on an answer that `AnswerExtraction` found, or did not find.
    public static func verdict(gold: String, extracted: ExtractedAnswer?) -> AnswerVerdict {
        guard let extracted else { return .unparsed }
        return equal(gold: gold, prediction: extracted.text) ? .correct : .wrong
    }

    /// Extracts the answer of a completion and grades it.
    public static func verdict(gold: String, completion: String, style: AnswerStyle)
        -> AnswerVerdict
    {
        verdict(gold: gold, extracted: AnswerExtraction.extract(from: completion, style: style))
    }

    /// `equal` together with the units of work it spent.
    static func compare(_ gold: String, _ prediction: String) -> (equal: Bool, work: Int) {
        let budget = WorkBudget()
        let a = Answer(gold, budget: budget)
        let b = Answer(prediction, budget: budget)
        let equal = Comparison(budget: budget).equal(a, b)
        return (equal, budget.spent)
    }
}
