import Basics
import ExperimentSupport
import Foundation
import Records
import Testing

@testable import Experiments
@testable import Scoring

@Suite struct AnswerRankingTests {
    /// Random students that are shown their own answers, in words of the miniature world; they state
    /// none, so the last number counts.
    private func experiment(_ tiny: TinyExperiment, batch: Int, answers: String) throws
        -> Experiment
    {
        let text = """
            name: tiny
            models: {student: {path: "\(tiny.path("student.h5"))"}}
            benchmarks: [{name: tiny, path: "\(tiny.path("questions.jsonl"))"}]
            template: {preset: plain, endOfTurn: $}
            answers: {\(answers)}
            evaluation: {samples: 3, maxNewTokens: 12, batch: \(batch), rank: {
              prompt: "{answers}{problem}", answer: "{number}#{text}"}}
            arms: {base: {kind: base}}
            """
        return try Experiment(text: text, file: tiny.path("tiny.yaml"))
    }

    private func job(
        _ tiny: TinyExperiment,
        batch: Int = 4,
        answers: String = "style: math"
    ) throws -> EvaluationJob {
        try tiny.jobs(experiment(tiny, batch: batch, answers: answers))[0]
    }

    private static let marked = "style: marker, start: \"#\""

    private func samples(_ job: EvaluationJob) throws -> BenchmarkSamples {
        try BenchmarkSamples(job.experiment.benchmarks[0], of: job)
    }

    private func choices(_ job: EvaluationJob) throws -> [RankedChoice] {
        try JSONLines.read(samples(job).rankedPath) { try RankedChoice(json: $0) }
    }

    @Test func theModelIsShownItsDifferentAnswersAndNamesOne() throws {
        let tiny = try TinyExperiment()
        let job = try job(tiny)
        #expect(try TinyExperiment.run(job) > 21)
        let samples = try samples(job)
        let ranking = try #require(AnswerRanking(job, samples))
        let made = try choices(job)
        #expect(made.map(\.id) == samples.problems.map(\.id))
        #expect(made.contains { $0.shown.count > 1 } && made.contains { $0.chosen != nil })
        try samples.forEachGroup(nil) { questions in
            for ((problem, own), choice) in zip(questions, made) {
                let shown = ranking.candidates(problem, own)
                #expect(choice.shown == shown.map(\.index))
                #expect(Set(shown.map(\.extracted)).count == shown.count)
                #expect((choice.tokenCount > 0) == (shown.count > 1))
                if shown.count > 1 {
                    let named = ranking.choice(in: choice.text, of: shown.count)
                    #expect(choice.chosen == named.map { shown[$0 - 1].index })
                }
            }
        }
        // Nothing is left to do, and the counts are those of the samples that were named.
        #expect(try TinyExperiment.run(job) == 0)
        let cell = try #require(
            try ScoreTable.collect(job.experiment, environment: tiny.environment).cells.first
        )
        let verdicts = try Sample.read(job.stage.samples("tiny"))
        let right = made.map { choice in
            verdicts.contains {
                $0.id == choice.id && $0.index == choice.chosen && $0.verdict == .correct
            } ? 1 : 0
        }
        #expect(cell.ranked == right)
    }

    @Test func bytesDependOnNeitherBatchesNorInterruptions() throws {
        var found: Set<Data> = []
        for (batch, allowed) in [(1, 1000), (8, 1000), (4, 30), (4, 37)] {
            let tiny = try TinyExperiment()
            let job = try job(tiny, batch: batch)
            var calls = 0
            for _ in 0..<3 where !job.record.isFinished {
                _ = failure {
                    try TinyExperiment.run(job) {
                        calls += 1
                        return calls == allowed
                    }
                }
            }
            #expect(job.record.isFinished)
            found.insert(try TextFile.read(samples(job).rankedPath))
        }
        #expect(found.count == 1)
    }

    @Test func aNumberIsReadWhereAnswersAreStated() throws {
        let tiny = try TinyExperiment()
        let job = try job(tiny, answers: Self.marked)
        let ranking = try #require(AnswerRanking(job, samples(job)))
        for (text, expected) in [
            ("so #2", 2), ("#1 no #3", 3), ("#4", nil), ("#0", nil), ("#-1", nil), ("", nil),
            ("#two", nil), ("#99999999999999999999", nil),
        ] as [(String, Int?)] {
            #expect(ranking.choice(in: text, of: 3) == expected, "\(text)")
        }
    }

    @Test func theOrderIsDrawnByQuestion() throws {
        let tiny = try TinyExperiment()
        let job = try job(tiny, answers: Self.marked)
        let ranking = try #require(AnswerRanking(job, samples(job)))
        func sample(_ index: Int, _ text: String) -> Sample {
            Sample(
                id: "q",
                benchmark: "tiny",
                index: index,
                text: text,
                tokenCount: 1,
                extracted: nil,
                rule: nil,
                verdict: .unparsed,
                isTruncated: false
            )
        }
        let own = [
            sample(0, "#1"), sample(1, "?"), sample(2, "#1"), sample(3, "#2"), sample(4, "#3"),
        ]
        let orders = (0..<60).map { number in
            ranking.candidates(Problem(id: "q\(number)", problem: "", answer: "1"), own)
                .map(\.index)
        }
        // One of each different answer, the first; all six orders occur.
        #expect(orders.allSatisfy { $0.sorted() == [0, 3, 4] } && Set(orders).count == 6)
        #expect(ranking.candidates(Problem(id: "q", problem: "", answer: "1"), []).isEmpty)
    }

    @Test func damageAndGapsAreNamed() throws {
        let tiny = try TinyExperiment()
        let job = try job(tiny)
        try TinyExperiment.run(job)
        let path = try samples(job).rankedPath
        let lines = try JSONLines.read(path) { $0 }
        let manifest = try TextFile.read(job.stage.manifest)
        func found(_ lines: [JSON]) throws -> Failure? {
            try TextFile.write(manifest, to: job.stage.manifest)
            try JSONLines.write(lines, to: path)
            // Of a stage from elsewhere no digests need be known.
            var members = try #require(try TextFile.readJSON(job.stage.manifest).object)
            members["outputs"] = nil
            try TextFile.write(JSON.object(members).pretty, to: job.stage.manifest)
            return failure {
                _ = try ScoreTable.collect(job.experiment, environment: tiny.environment)
            }
        }
        #expect(try found(lines) == nil)
        let gap = try #require(try found(Array(lines.dropLast())))
        #expect(gap.kind == .missingInput && gap.remedy?.contains("rsd-evaluate run") == true)
        #expect(try found(lines + [lines[0]])?.kind == .badData)
        var other = try #require(lines[0].object)
        other["chosen"] = 7
        #expect(try found([.object(other)])?.kind == .badData)
        (other["shown"], other["chosen"]) = ([9], 9)
        #expect(try found([.object(other)])?.kind == .badData)
        try JSONLines.write(lines + [lines[0]], to: path)
        try TextFile.write(manifest, to: job.stage.manifest)
        #expect(
            failure { _ = try ScoreTable.collect(job.experiment, environment: tiny.environment) }?
                .kind == .badData
        )
    }

    @Test func textsFillTheirPlacesOnce() {
        var settings = RankSettings()
        settings.prompt = "Q {problem} A {answers}."
        settings.answer = "{number}) {text}; "
        #expect(
            settings.text(of: "{answers}?", answers: ["{problem}", "{number}"])
                == "Q {answers}? A 1) {problem}; 2) {number}; ."
        )
        #expect(RankSettings().text(of: "1+2?", answers: ["3"]).contains("Answer 1:\n3\n\nCompare"))
    }
}
