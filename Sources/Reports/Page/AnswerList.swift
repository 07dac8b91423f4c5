import Basics
import Grading
import Scoring

/// The answers as the page lists them: some questions, one answer an arm, long texts cut.
struct AnswerListView {
    /// What is shown.
    let model: ReportModel
    /// How arms are drawn.
    let palette: Palette

    /// The most questions of a benchmark on the page.
    static let mostQuestions = 60
    /// The most answers on the page, over all benchmarks.
    static let mostAnswers = 4000
    /// The most Unicode scalars that are shown of a question, and of an answer.
    static let longest = (question: 600, answer: 80)

    /// How many questions of each benchmark are shown.
    private var questionCount: Int {
        let cells = max(1, model.answers.count * model.arms.count)
        return min(Self.mostQuestions, max(3, Self.mostAnswers / cells))
    }

    /// What the template names, one entry a benchmark.
    var lists: [[String: Any]] {
        model.answers.enumerated().map { index, list in
            let shown = list.questions.prefix(questionCount)
            let all = NumberText.counted(list.questions.count, "question")
            return [
                "benchmark": list.benchmark,
                "isFirst": index == 0,
                "count": shown.count < list.questions.count
                    ? "the first \(NumberText.count(shown.count)) of \(all)" : all,
                "questions": shown.map(question),
            ]
        }
    }

    private func question(_ question: AnsweredQuestion) -> [String: Any] {
        let rights = model.arms.map { arm in
            question.answers.filter { $0.arm == arm.name }.map { $0.verdict == .correct }
        }.filter { !$0.isEmpty }
        let right = rights.joined().count { $0 }
        return [
            "id": question.id,
            "problem": question.problem.shortened(to: Self.longest.question),
            "gold": question.gold.shortened(to: Self.longest.answer),
            "state": right == 0 ? "none" : right == rights.joined().count ? "all" : "some",
            "answers": model.arms.compactMap { answer($0.name, question.answers) },
        ]
    }

    /// An arm's first answer, and how many of its samples are right.
    private func answer(
        _ arm: String,
        _ answers: [GradedAnswer]
    ) -> [String: Any]? {
        let own = answers.filter { $0.arm == arm }
        guard let first = own.first else { return nil }
        let right = own.count { $0.verdict == .correct }
        var entry: [String: Any] = [
            "arm": arm, "swatch": palette.swatch(of: arm),
            "text": first.text?.shortened(to: Self.longest.answer) ?? "no answer",
            "hasText": first.text != nil,
            "kind": first.verdict == .correct ? "right" : "wrong",
            "sign": first.verdict == .correct ? "✓" : "✗",
            "verdict": first.verdict.rawValue + (first.isGuess ? ", guessed" : ""),
        ]
        if own.count > 1 { entry["share"] = "\(right) of \(own.count) right" }
        return entry
    }
}
