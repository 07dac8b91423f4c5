import Experiments
import Grading
import Kernels
import Records
import Statistics

/// Extracts and grades answers as an experiment says.
struct AnswerGrading: Sendable {
    /// Names the rules of the grader in force.
    static let version = Grader.version

    /// How completions state their answers.
    let style: AnswerStyle

    /// Takes the style of an experiment.
    init(_ experiment: Experiment) {
        style = experiment.sampleStyle
    }

    /// What a completion answers, and whether that is right.
    ///
    /// Where the reference answer is the letter of a choice, the last letter takes the place of the
    /// last number.
    func grade(_ text: String, gold: String) -> (answer: ExtractedAnswer?, verdict: AnswerVerdict) {
        let answer = AnswerExtraction.extract(from: text, style: style.adapted(to: gold))
        return (answer, Grader.verdict(gold: gold, extracted: answer))
    }

    /// Whether the answer that most samples of a question give is right.
    static func majority(_ samples: [Sample], gold: String) -> Bool {
        guard samples.count > 1 else { return samples.first?.verdict == .correct }
        return SampleMetrics.majority(
            samples.map(\.extracted),
            isEqual: { Grader.equal(gold: $0, prediction: $1) },
            isCorrect: { Grader.equal(gold: gold, prediction: $0) }
        )
    }

    /// Samples graded again, on all threads, each with the reference answer of its question.
    func regraded(_ samples: [(sample: Sample, gold: String)]) -> [Sample] {
        ThreadPool.map(samples) { regraded($0.sample, gold: $0.gold) }
    }

    /// A sample graded again from its text.
    func regraded(_ sample: Sample, gold: String) -> Sample {
        let (answer, verdict) = grade(sample.text, gold: gold)
        var copy = sample
        copy.extracted = answer?.text
        copy.rule = answer?.rule.rawValue
        copy.verdict = verdict
        return copy
    }
}
