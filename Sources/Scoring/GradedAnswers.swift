import Experiments
import Grading
import Records

/// The answers behind the counts of a report, gathered while samples are graded.
public final class GradedAnswers {
    /// No answers yet.
    public init() {}

    /// The most answers that are kept; later ones are counted and not listed.
    static let most = 1_000_000
    /// The most Unicode scalars that are kept of an answer.
    static let longest = 500

    private var lists: [String: [AnsweredQuestion]] = [:]
    private var places: [String: [String: Int]] = [:]
    private var count = 0

    /// Adds the samples of some questions, as graded now.
    public func add(
        _ graded: some Sequence<(Problem, [Sample])>,
        of job: EvaluationJob,
        on benchmark: String
    ) {
        for (problem, samples) in graded where count + samples.count <= Self.most {
            count += samples.count
            let place = place(of: problem, on: benchmark)
            lists[benchmark]?[place].answers += samples.map { sample in
                .init(
                    arm: job.arm.name,
                    seed: job.seed,
                    sample: sample.index,
                    text: sample.extracted?.shortened(to: Self.longest),
                    verdict: sample.verdict,
                    isGuess: sample.rule.flatMap(ExtractionRule.init)?.isGuess == true
                )
            }
        }
    }

    private func place(of problem: Problem, on benchmark: String) -> Int {
        if let known = places[benchmark]?[problem.id] { return known }
        let place = lists[benchmark]?.count ?? 0
        lists[benchmark, default: []].append(
            .init(id: problem.id, problem: problem.problem, gold: problem.answer, answers: [])
        )
        places[benchmark, default: [:]][problem.id] = place
        return place
    }

    /// The answers of an experiment's own arms and seeds, one list a benchmark, arm by arm.
    public func lists(of experiment: Experiment) -> [AnswerList] {
        let arms = Dictionary(
            experiment.arms.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return experiment.benchmarks.compactMap { benchmark in
            guard let questions = lists[benchmark.name] else { return nil }
            return .init(
                benchmark: benchmark.name,
                questions: questions.map { question in
                    var own = question
                    own.answers = question.answers
                        .filter { arms[$0.arm] != nil && experiment.seeds.contains($0.seed) }
                        .sorted {
                            (arms[$0.arm] ?? 0, $0.seed, $0.sample)
                                < (arms[$1.arm] ?? 0, $1.seed, $1.sample)
                        }
                    return own
                }
            )
        }
    }
}
