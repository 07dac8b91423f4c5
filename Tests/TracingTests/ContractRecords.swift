import Basics
import ChatTemplates
import Foundation
import Grading
import Records

@testable import Decoding
@testable import Experiments
@testable import Scoring
@testable import Tracing

/// Examples in which nothing is left out.
extension RecordMembersTests {
    static let trace = Trace(
        id: "p",
        attempt: 1,
        seed: 2,
        policy: .rsd,
        seedKey: "teacher+student:0f",
        promptDigest: "00ff",
        acceptanceThreshold: 0.02,
        ids: [3, 4],
        source: [.teacher, .student],
        teacherProbability: [0.5, .nan],
        studentProbability: [0.25, 0.125],
        refusals: [
            Refusal(
                position: 1,
                token: 5,
                teacherProbability: 0.75,
                studentProbability: 0.01,
                reason: .threshold
            )
        ],
        acceptance: [Acceptance(threshold: 0.1, share: 0.5)],
        text: "so 3",
        stop: .endOfText,
        verdict: .wrong
    )

    static let selected = {
        var selected = SelectedTrace(
            id: "p",
            problem: "1+2?",
            answer: "3",
            text: "#3",
            ids: [1, 2],
            weights: [0, 1],
            isComplete: false,
            origin: "rsd, seed 2, try 1"
        )
        selected.context = [ChatMessage(role: "system", content: "Be brief.")]
        return selected
    }()

    static let targets = TokenTargets(
        id: "p",
        vocabulary: "0f",
        ids: [1, 2],
        top: [[1, 3], [2]],
        logProbabilities: [[-1.0986123, -1.0986123], [0]],
        rest: [-1.0986123, .nan]
    )

    static let step = StepMetrics(
        step: 3,
        loss: 1.5,
        learningRate: 0.001,
        gradientNorm: 2.5,
        tokens: 70,
        seconds: 0.25,
        more: [("kl", 0.125)]
    )

    static let sample = Sample(
        id: "q",
        benchmark: "chain3",
        index: 1,
        text: "so 3",
        ids: [1, 2],
        tokenCount: 3,
        extracted: "3",
        rule: "marker",
        verdict: .correct,
        isTruncated: true
    )

    static let scores: ScoreTable = {
        var table = ScoreTable()
        table.questions = [
            .init(benchmark: "chain3", ids: ["a", "b"], digest: "d1", total: 5)
        ]
        table.onTheWay = [
            .init(
                variant: "v",
                arm: "rsd",
                seed: 2,
                step: 40,
                benchmark: "chain3",
                samples: 4,
                correct: [1, 3],
                unparsed: 2,
                truncated: 1,
                guessed: 3,
                majority: [0, 1],
                ranked: [1, 0],
                grader: "5",
                stage: "d2"
            )
        ]
        return table
    }()

    static let statistics: TraceStatistics = {
        var arm = TraceStatistics(arm: "rsd", problems: 7, problemsWithTrace: 5, tries: 21)
        for (index, reason) in TraceFilter.Rejection.allCases.enumerated() {
            arm.rejections[reason] = index + 1
        }
        arm.acceptance = 0.875
        arm.fallbackShare = 0.125
        arm.acceptanceByThreshold = [Acceptance(threshold: 0.01, share: 0.75)]
        arm.traces = 5
        arm.tokens = 60
        arm.shareBelowOnePercent = 0.25
        arm.shareBelowTenthPercent = 0.0625
        arm.meanSurprise = 1.5
        arm.meanTraceLength = 12
        arm.lengthQuantiles = [0.1, 0.5, 0.9].map { LengthQuantile(share: $0, length: 20 * $0) }
        arm.longestTraceLength = 19
        arm.lowByPosition = [0.5, 0]
        arm.refusedByPosition = [0, 0.25]
        arm.agreement.equalPairs = 0.5
        arm.agreement.right = 0.75
        (arm.agreement.allRight, arm.agreement.someRight, arm.agreement.noneRight) = (1, 2, 3)
        arm.histogram = Histogram(edges: [-1, 0], counts: [60])
        arm.lowTokens = [TokenShare(text: "4", count: 9, share: 0.375)]
        arm.samples = [
            SampleTrace(
                arm: "rsd",
                problem: "1+2?",
                answer: "3",
                origin: "rsd, seed 2, try 1",
                tokenCount: 8,
                tokens: [
                    .init(
                        text: "#",
                        writer: .student,
                        studentProbability: 0.5,
                        teacherProbability: 0.25
                    )
                ]
            )
        ]
        return arm
    }()
}
