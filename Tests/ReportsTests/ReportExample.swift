import Foundation
import Records

@testable import Reports
@testable import Scoring
@testable import Statistics

/// Report models for tests: here a realistic one, in ReportEdgeCases.swift small and broken ones.
enum ReportExample {
    /// Five arms, four benchmarks, five seeds: about what a miniature experiment yields.
    static func realistic() -> ReportModel {
        var random = ExampleRandom(state: 42)
        let arms: [(name: String, summary: String, accuracy: [Double])] = [
            ("base", "the student as it is", [0.56, 0.41, 0.29, 0.21]),
            ("direct", "the teacher's traces as they are", [0.31, 0.19, 0.13, 0.11]),
            (
                "teacher-filtered", "the teacher alone, same tries and filter",
                [0.52, 0.39, 0.26, 0.18]
            ),
            ("rsd", "reverse speculative decoding, threshold 1 %", [0.68, 0.52, 0.39, 0.27]),
            ("student-only", "the student's own right answers", [0.57, 0.42, 0.27, 0.20]),
        ]
        let benchmarks = ["chain3", "chain4", "chain5", "chain6"]
        var model = ReportModel(
            experiment: "micro",
            overview: "A teacher and a student trained from scratch on chains of digit arithmetic; "
                + "five ways to make the student's fine-tuning traces.",
            manifest: [
                .init(key: "command", value: "rsd-evaluate report experiments/micro.yaml"),
                .init(key: "commit", value: "0123abc"),
                .init(key: "seeds", value: "1, 2, 3, 4, 5"),
                .init(key: "OpenBLAS", value: "0.3.21, SkylakeX, 2 threads"),
                .init(key: "wall time", value: "8 min 12 s"),
                .init(
                    key: "inputs",
                    value: "problems.jsonl sha256 "
                        + String(repeating: "9f86d081884c7d65", count: 4)
                ),
            ],
            arms: arms.map { .init(name: $0.name, summary: $0.summary) },
            baseArm: "base",
            benchmarks: benchmarks
        )
        for arm in arms {
            let mean = arm.accuracy.reduce(0, +) / 4
            for (index, benchmark) in (benchmarks.map(Optional.some) + [nil]).enumerated() {
                let value = benchmark == nil ? mean : arm.accuracy[index]
                let own = benchmark == nil ? 0.375 : arms[0].accuracy[index]
                let error = benchmark == nil ? 0.016 : 0.03
                model.scores.append(
                    .init(
                        arm: arm.name,
                        benchmark: benchmark,
                        accuracy: value,
                        interval: .init(lower: value - 1.9 * error, upper: value + 1.96 * error),
                        questions: benchmark == nil ? 1200 : 300,
                        samplesPerQuestion: 1,
                        seeds: 5,
                        difference: arm.name == "base" ? nil : difference(value - own, error),
                        unparsedShare: 0.004 + 0.03 * Double(index) * (1 - value),
                        truncatedShare: index == 0 ? 0 : 0.011
                    )
                )
            }
            for seed in 1...5 {
                model.seedAverages.append(
                    .init(
                        arm: arm.name,
                        seed: UInt64(seed),
                        accuracy: mean + 0.03 * (random.next() - 0.5)
                    )
                )
            }
        }
        model.contrasts = [
            .init(arm: "rsd", other: "direct", difference: difference(0.28, 0.018)),
            .init(arm: "rsd", other: "student-only", difference: difference(0.1, 0.018)),
        ]
        model.traces = traces()
        model.questionGrids = [("chain3", 300), ("chain6", 40)].map { name, count in
            .init(
                benchmark: name,
                questions: (0..<count).map { "\(name)-\($0)" },
                rows: arms.map { arm in
                    .init(
                        arm: arm.name,
                        shares: (0..<count).map { question in
                            let skill = 4 * (arm.accuracy[0] - Double(question) / Double(count))
                            let chance = 1 / (1 + exp(-skill))
                            let right = (0..<5).count { _ in random.next() < chance }
                            return Double(right) / 5
                        }
                    )
                }
            )
        }
        model.answers = answers(model)
        model.losses = losses(&random)
        model.curves = (0...4).flatMap { step -> [ReportModel.CurvePoint] in
            (benchmarks.map(Optional.some) + [nil]).map { benchmark in
                let value = 0.37 + 0.02 * Double(step)
                return .init(
                    arm: "rsd",
                    step: 71.25 * Double(step),
                    benchmark: benchmark,
                    accuracy: value,
                    interval: .init(lower: value - 0.03, upper: value + 0.04),
                    seeds: 5
                )
            }
        }
        model.costs = arms.enumerated().flatMap { index, arm in
            (1...5).map { seed in
                .init(
                    arm: arm.name,
                    seed: UInt64(seed),
                    stage: index == 0 ? nil : "0f\(index)",
                    steps: 285 * min(index, 1),
                    targetTokens: 1_200_000 * index + 100 * seed,
                    trainingTokens: 2_100_000 * index,
                    sampledTokens: 900_000 * index,
                    teacherTokens: index == 1 ? nil : 800_000 * index,
                    generationSeconds: index == 1 ? nil : 41.25 * Double(index),
                    trainingSeconds: 80.5 * Double(index)
                )
            }
        }
        model.samples = samples()
        model.sweeps = sweeps()
        return model
    }

    private static func difference(_ value: Double, _ error: Double) -> ReportModel.Difference {
        let z = abs(value) / error
        let p = erfc(z / 2.0.squareRoot())
        return .init(
            estimate: value,
            interval: .init(lower: value - 1.96 * error, upper: value + 1.96 * error),
            pValue: min(1, 2 * exp(-z * z / 2)),
            adjustedPValue: min(1, 6 * exp(-z * z / 2)),
            minimumDetectable: 2.8 * error,
            verdict: 4 * p > 0.05 ? .notDistinguishable : value > 0 ? .better : .worse
        )
    }

    private static func traces() -> [TraceStatistics] {
        func curve(_ shares: [Double]) -> [Acceptance] {
            zip([0.001, 0.003, 0.01, 0.03, 0.1], shares).map { .init(threshold: $0, share: $1) }
        }
        func histogram(_ low: Double) -> Histogram {
            let edges = stride(from: -8.0, through: 0, by: 0.5).map { $0 }
            let counts = edges.dropLast().map { edge -> Int in
                let weight = edge < -2 ? low * exp(-0.4 * (edge + 5) * (edge + 5)) : exp(2 * edge)
                return Int(20_000 * weight)
            }
            return .init(edges: edges, counts: counts)
        }
        func statistics(_ arm: String, _ kept: Int, of tries: Int) -> TraceStatistics {
            .init(arm: arm, problems: 300, problemsWithTrace: kept, tries: tries)
        }
        var direct = statistics("direct", 300, of: 300)
        direct.shareBelowOnePercent = 0.61
        direct.shareBelowTenthPercent = 0.44
        direct.meanTraceLength = 46.2
        direct.histogram = histogram(0.5)
        direct.meanSurprise = 2.31
        direct.lengthQuantiles = zip([0.1, 0.5, 0.9], [31, 45, 62]).map {
            .init(share: $0, length: $1)
        }
        direct.agreement.right = 0.71
        direct.agreement.equalPairs = 0.64
        direct.acceptanceByThreshold = curve([0.62, 0.55, 0.44, 0.35, 0.24])
        direct.lowByPosition = (0..<10).map { 0.75 - 0.03 * Double($0) }
        direct.lowTokens = [
            .init(text: "Okay ", share: 0.11), .init(text: "Wait\n", share: 0.08),
            .init(text: " let", share: 0.05),
        ]
        var teacher = statistics("teacher-filtered", 298, of: 1200)
        teacher.shareBelowOnePercent = 0.29
        teacher.shareBelowTenthPercent = 0.17
        teacher.meanTraceLength = 31.4
        teacher.histogram = histogram(0.12)
        teacher.acceptanceByThreshold = curve([0.62, 0.55, 0.44, 0.35, 0.24])
        teacher.lowByPosition = (0..<10).map { 0.5 - 0.03 * Double($0) }
        teacher.lowTokens = [.init(text: "Hmm ", share: 0.2)]
        var rsd = statistics("rsd", 281, of: 1200)
        rsd.acceptance = 0.968
        rsd.fallbackShare = 0.032
        rsd.shareBelowOnePercent = 0.0002
        rsd.shareBelowTenthPercent = 0.00003
        rsd.meanTraceLength = 22.9
        rsd.histogram = histogram(0.0003)
        rsd.acceptanceByThreshold = curve([0.995, 0.99, 0.968, 0.93, 0.84])
        rsd.lowByPosition = (0..<10).map { _ in 0.0002 }
        rsd.refusedByPosition = (0..<10).map { 0.06 - 0.005 * Double($0) }
        var student = statistics("student-only", 212, of: 1200)
        student.shareBelowOnePercent = 0
        student.shareBelowTenthPercent = 0
        student.meanTraceLength = 21.8
        student.histogram = histogram(0)
        return [direct, teacher, rsd, student]
    }

    private static func answers(_ model: ReportModel) -> [AnswerList] {
        [
            .init(
                benchmark: "chain3",
                questions: (0..<80).map { question in
                    .init(
                        id: "chain3-\(question)",
                        problem: "\(question % 9)-5*4+\(question % 7)?",
                        gold: "\(question % 5)",
                        answers: model.arms.enumerated().flatMap { index, arm in
                            (1...5).map { seed in
                                let isRight = (question + index * seed) % 3 == 0
                                return .init(
                                    arm: arm.name,
                                    seed: UInt64(seed),
                                    sample: 0,
                                    text: question % 11 == 10
                                        ? nil : "\(question % 5 + (isRight ? 0 : 1))",
                                    verdict: question % 11 == 10
                                        ? .unparsed : isRight ? .correct : .wrong
                                )
                            }
                        }
                    )
                }
            )
        ]
    }

    private static func losses(_ random: inout ExampleRandom) -> [ReportModel.LossCurve] {
        let ends = [
            ("direct", 4.1, 0.55), ("teacher-filtered", 1.9, 0.34), ("rsd", 0.62, 0.22),
            ("student-only", 0.35, 0.2),
        ]
        return ends.flatMap { arm, first, last in
            (1...2).map { seed in
                let points = (1...285).map { step -> ReportModel.LossPoint in
                    let decay = exp(-Double(step) / 60)
                    let noise = 0.06 * (random.next() - 0.5)
                    return .init(step: step, loss: last + (first - last) * decay + noise)
                }
                return .init(arm: arm, label: "seed \(seed)", points: points)
            }
        }
    }

    private static func samples() -> [SampleTrace] {
        func tokens(_ words: String, low: Set<String>, student: Set<Int>) -> [SampleTrace.Token] {
            words.split(separator: " ").enumerated().map { index, word in
                let own = student.contains(index)
                let isLow = low.contains(String(word))
                return .init(
                    text: (index == 0 ? "" : " ") + word,
                    writer: own ? .student : .teacher,
                    studentProbability: own ? 0.61 : isLow ? 0.0003 : 0.94,
                    teacherProbability: own ? 0.02 : 0.41
                )
            } + [
                .init(
                    text: "\n",
                    writer: .teacher,
                    studentProbability: 0.9,
                    teacherProbability: 0.9
                )
            ]
        }
        return [
            .init(
                arm: "rsd",
                problem: "7-5*4-8?",
                answer: "0",
                tokens: tokens(
                    "7-5=2, 2*4=8, wait 2*4=8 yes. 8-8=0, #0$",
                    low: [],
                    student: [0, 5]
                )
            ),
            .init(
                arm: "direct",
                problem: "7-5*4-8?",
                answer: "0",
                tokens: tokens(
                    "Okay let us start. 7 minus 5 gives 2. Wait let us check 7-5=2 yes. then 2 "
                        + "times 4 gives 8 and 8 minus 8 gives 0. So the answer is #0$",
                    low: ["Okay", "let", "us", "Wait", "minus", "gives", "times", "So"],
                    student: []
                )
            ),
        ]
    }

    private static func sweeps() -> [ReportModel.Sweep] {
        func points(_ values: [(Double, Double)], _ error: Double) -> [ReportModel.SweepPoint] {
            values.map {
                .init(
                    x: $0.0,
                    value: $0.1,
                    interval: .init(lower: $0.1 - error, upper: $0.1 + error)
                )
            }
        }
        return [
            .init(
                title: "Gain against the strength of the base student",
                xLabel: "accuracy of the base student, %",
                xFormat: .percent,
                yLabel: "Difference to base, percentage points",
                series: [
                    .init(
                        name: "rsd",
                        points: points(
                            [(0.1, 0.017), (0.22, 0.052), (0.38, 0.09), (0.84, 0.03), (0.92, 0)],
                            0.03
                        )
                    ),
                    .init(
                        name: "direct",
                        points: points(
                            [
                                (0.1, 0.005), (0.22, -0.07), (0.38, -0.21), (0.84, -0.64),
                                (0.92, -0.6),
                            ],
                            0.035
                        )
                    ),
                    .init(
                        name: "student-only",
                        points: points(
                            [(0.1, 0.01), (0.22, 0), (0.38, -0.03), (0.84, -0.01), (0.92, -0.03)],
                            0.03
                        )
                    ),
                ]
            ),
            .init(
                title: "Gain against the acceptance threshold",
                xLabel: "p_th, %",
                xFormat: .percent,
                xIsLogarithmic: true,
                yLabel: "Difference to base, percentage points",
                series: [
                    .init(
                        name: "R = 1",
                        points: points(
                            [(0.001, 0.02), (0.003, 0.06), (0.01, 0.09), (0.03, 0.1), (0.1, 0.07)],
                            0.03
                        )
                    ),
                    .init(
                        name: "R = 5",
                        points: points(
                            [(0.001, 0.01), (0.003, 0.05), (0.01, 0.1), (0.03, 0.09), (0.1, 0.08)],
                            0.03
                        )
                    ),
                ]
            ),
        ]
    }
}

/// A small linear congruential generator, so that examples are the same every time.
struct ExampleRandom {
    /// The state.
    var state: UInt64

    /// The next number in 0 ..< 1.
    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / 9_007_199_254_740_992
    }
}
