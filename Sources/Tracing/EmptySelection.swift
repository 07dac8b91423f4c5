import Basics
import Experiments
import Records

extension ArmSelection {
    /// Why nothing is left to train on, counted from the reasons of the filter; nil where there is
    /// something.
    func emptyReason(_ answers: AnswerSettings) -> String? {
        guard kept.isEmpty else { return nil }
        if let obstacle { return obstacle }
        guard let selection, selection.tryCount > 0 else { return "it has no traces" }
        let counts = TraceFilter.Rejection.allCases.compactMap { reason in
            selection.rejections[reason].flatMap { $0 > 0 ? (reason: reason, count: $0) : nil }
        }
        let count = "\(selection.tryCount) \(selection.tryCount == 1 ? "try" : "tries")"
        if counts.count == 1 { return "none of \(count) \(missing(counts[0].reason, answers))" }
        let parts = counts.map { "\($0.count) \(fault($0.reason, answers))" }
        return "\(count): " + parts.joined(separator: ", ")
    }

    /// What helps against the most frequent reason; nil where nothing was tried.
    var emptyRemedy: String? {
        let reasons = TraceFilter.Rejection.allCases
        let counts = reasons.map { selection?.rejections[$0] ?? 0 }
        guard let most = counts.max(), most > 0, let index = counts.firstIndex(of: most) else {
            return nil
        }
        switch reasons[index] {
        case .unfinished: return "Raise generation.maxNewTokens."
        case .thinking: return "Look at template.thinking and selection.requireOneThinkEnd."
        case .fallback:
            return "Raise selection.maxFallbackRate, or lower generation.acceptanceThreshold."
        case .unparsed:
            return "Say in template.system how an answer is to be stated, or set answers.style to "
                + "what the model writes."
        case .wrong, .notChosen:
            return "Raise generation.tries, or take easier problems or a stronger model."
        }
    }

    /// How tries state their answer: `in a box`, `behind '#'`.
    private func place(_ answers: AnswerSettings) -> String {
        answers.style == .marker ? "behind '\(answers.start)'" : "in a box"
    }

    /// What none of the tries does.
    private func missing(_ reason: TraceFilter.Rejection, _ answers: AnswerSettings) -> String {
        switch reason {
        case .unfinished: "ends its turn within \(arm.generation.maxNewTokens) tokens"
        case .thinking: "holds exactly one </think>"
        case .fallback: "has at most \(fallbackLimit) of its tokens from the student"
        case .unparsed: "states its answer \(place(answers))"
        case .wrong: "has the right answer"
        case .notChosen: "was chosen"
        }
    }

    /// What is wrong with a number of tries.
    private func fault(_ reason: TraceFilter.Rejection, _ answers: AnswerSettings) -> String {
        switch reason {
        case .unfinished: "unfinished after \(arm.generation.maxNewTokens) tokens"
        case .thinking: "without exactly one </think>"
        case .fallback: "with more than \(fallbackLimit) of the tokens from the student"
        case .unparsed: "without an answer \(place(answers))"
        case .wrong: "with a wrong answer"
        case .notChosen: "not chosen"
        }
    }

    private var fallbackLimit: String { percentage(arm.selection.filter.maxFallbackRate ?? 1) }
}
