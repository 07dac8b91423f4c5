import Basics
import Foundation
import Records
import Testing

@testable import Experiments
@testable import Tracing

@Suite struct SelectionTests {
    /// A try made by hand: each token's chooser as a letter, each P_S as a number.
    static func trace(
        _ id: String,
        _ attempt: Int,
        _ text: String,
        source: String,
        probabilities: [Float]? = nil,
        refusals: Int = 0,
        stop: StopReason = .endOfTurn
    ) -> Trace {
        let count = source.count
        return Trace(
            id: id,
            attempt: attempt,
            seed: 1,
            policy: .rsd,
            seedKey: "",
            promptDigest: "",
            acceptanceThreshold: 0,
            ids: (0..<count).map { Int32($0) },
            source: source.compactMap(TokenSource.init(rawValue:)),
            teacherProbability: Array(repeating: 0.5, count: count),
            studentProbability: probabilities ?? Array(repeating: 0.5, count: count),
            refusals: (0..<refusals).map {
                Refusal(
                    position: $0,
                    token: 9,
                    teacherProbability: 0.4,
                    studentProbability: 0.001,
                    reason: .threshold
                )
            },
            acceptance: [
                Acceptance(threshold: 0.01, share: 0.75), Acceptance(threshold: 0.1, share: 0.5),
            ],
            text: text,
            stop: stop,
            // Selection grades the text again, whatever was said when the try was made.
            verdict: .wrong
        )
    }

    /// Three problems with the answer 3, five tries, and the arms that look at them.
    static func prepare(_ laboratory: Laboratory, seeds: [Int] = [1], more: String = "") throws
        -> Scope
    {
        let problems = ["p", "q", "r"].map { Problem(id: $0, problem: "1+2?", answer: "3") }
        try JSONLines.write(problems.map(\.json), to: "\(laboratory.folder)/hand.jsonl")
        let external: [JSON] = [
            ["problem": "1+2?", "answer": 3, "trace": "1+2=3, #3"],
            ["problem": "2+2?", "answer": 4, "trace": "2+2=4, #4"],
        ]
        try JSONLines.write(external, to: "\(laboratory.folder)/external.jsonl")
        let scope = try laboratory.scope(
            laboratory.text(
                problems: "hand",
                arms: """
                      base: {kind: base}
                      direct: {kind: direct, traces: {path: \(laboratory.folder)/external.jsonl}}
                      rsd: {kind: rsd}
                      rsd-all: {kind: rsd, selection: {select: all, maxFallbackRate: 1}}
                    \(more)
                    """
            ).replacing("seeds: [1]", with: "seeds: \(seeds)")
                .replacing("  tries: 3", with: "  tries: 3\n  seed: 1")
        )
        let stage = try Laboratory.stage(scope, "rsd")
        let tries = [
            trace("p", 0, "#3", source: "tttt", probabilities: [0.5, 0.005, 0.0005, 1]),
            trace("p", 1, "#3", source: "tts", probabilities: [0.5, 0.5, 0.009], refusals: 1),
            trace("p", 2, "#3", source: "tss", refusals: 2),
            trace("q", 0, "#4", source: "tt"),
            trace("q", 1, "3", source: "tt"),
            trace("q", 2, "#3", source: "tt", stop: .length),
        ]
        try stage.prepare()
        try JSONLines.write(tries.reversed().map(\.json), to: stage.traces())
        return scope
    }

    @Test func theTableSaysWhyTriesWereLeftOut() throws {
        let laboratory = try Laboratory()
        let scope = try Self.prepare(laboratory)
        let selections = try scope.select(ModelStore())
        #expect(
            ArmSelection.table(selections).text == """
                | arm     | seed | problems | tries | kept | unfinished | thinking | fallback | \
                unparsed | wrong | not chosen | mean tokens |
                | :------ | ---: | -------: | ----: | ---: | ---------: | -------: | -------: | \
                -------: | ----: | ---------: | ----------: |
                | direct  |    1 |        – |     – |    2 |          – |        – |        – | \
                       – |     – |          – |           – |
                | rsd     |    1 |        2 |     6 |    1 |          1 |        0 |        1 | \
                       1 |     1 |          1 |         3.0 |
                | rsd-all |    1 |        2 |     6 |    3 |          1 |        0 |        0 | \
                       1 |     1 |          0 |         3.3 |

                """
        )
        func selected(_ arm: String) throws -> (traces: [SelectedTrace], stage: Stage) {
            let arm = try scope.experiment.arm(arm)
            let stage = try #require(try scope.layout.selection(arm, seed: 1))
            return (try SelectedTrace.read(stage.selected), stage)
        }
        let (traces, stage) = try selected("rsd")
        #expect(traces.map(\.origin) == ["rsd, seed 1, try 1"])
        #expect(traces[0].problem == "1+2?" && traces[0].ids == [0, 1, 2])
        #expect(stage.state == .started)  // Problem r has no tries yet.
        let direct = try selected("direct")
        #expect(direct.traces.map(\.text) == ["1+2=3, #3", "2+2=4, #4"])
        #expect(direct.stage.state == .finished)
    }

    /// What two seeds train the same student on is looked at once.
    @Test func theAnalysisCountsSharedTracesOnce() throws {
        let laboratory = try Laboratory()
        func direct(_ seeds: [Int]) throws -> JSON? {
            let scope = try Self.prepare(laboratory, seeds: seeds)
            return try scope.analyse(ModelStore())?.json["arms"]?.array?.first
        }
        let one = try #require(try direct([1]))
        #expect(one["arm"]?.string == "direct" && one["traces"]?.integer == 2)
        #expect(try direct([1, 2])?.canonical == one.canonical)
    }

    /// Tries that seeds share count once, though each seed draws other ones of them to train on.
    @Test func theAnalysisCountsSharedTriesOnce() throws {
        let laboratory = try Laboratory()
        let more = """
              drawn: {kind: rsd, selection: {select: all, maxFallbackRate: 1}, match: {arms: [rsd]}}
            """
        func drawn(_ seeds: [Int]) throws -> JSON {
            let scope = try Self.prepare(laboratory, seeds: seeds, more: more)
            let arms = try scope.analyse(ModelStore())?.json["arms"]?.array
            return try #require(arms?.first { $0["arm"]?.string == "drawn" })
        }
        let one = try drawn([1])
        let many = try drawn([1, 2, 3, 4, 5, 6, 7, 8])
        for key in ["problems", "problems_with_trace", "tries", "acceptance"] {
            #expect(many[key]?.number == one[key]?.number, "\(key)")
        }
        #expect(one["tries"]?.integer == 6)
        #expect(try one.integer("traces") < 3 && many.integer("traces") == 3)
    }

    @Test func theAnalysisCountsTokens() throws {
        let laboratory = try Laboratory()
        let scope = try Self.prepare(laboratory)
        let analysis = try #require(try scope.analyse(ModelStore()))
        let arms = try #require(analysis.json["arms"]?.array)
        #expect(arms.compactMap { $0["arm"]?.string } == ["direct", "rsd", "rsd-all"])
        let all = arms[2]
        // 16 tokens in all tries, 3 of them the student's; 3 refusals and 13 accepted.
        let numbers: [(String, Double)] = [
            ("problems", 2), ("problems_with_trace", 1), ("tries", 6), ("traces", 3),
            ("tokens", 10), ("acceptance", 13.0 / 16), ("fallback_share", 3.0 / 16),
            ("share_below_one_percent", 0.3), ("share_below_tenth_percent", 0.1),
            ("mean_trace_length", 10.0 / 3), ("median_trace_length", 3),
            ("longest_trace_length", 4),
        ]
        for (key, value) in numbers {
            #expect(abs((all[key]?.number ?? .nan) - value) < 1e-12, "\(key)")
        }
        let counts = try #require(all["histogram"]).integers("counts")
        let edges = try #require(all["histogram"]).numbers("edges")
        #expect(counts.reduce(0, +) == 10 && edges.count == counts.count + 1)
        func bin(_ value: Double) -> Int { edges.lastIndex { $0 <= value } ?? -1 }
        #expect(counts[bin(-0.301)] == 6)
        #expect(counts[counts.count - 1] == 1 + (bin(-0.301) == counts.count - 1 ? 6 : 0))
        #expect(counts[bin(-2.301)] == 1 && counts[bin(-3.301)] == 1 && counts[bin(-2.046)] == 1)
        let shares = all["acceptance_by_threshold"]?.array?.compactMap { $0["share"]?.number }
        #expect(shares == [0.75, 0.5])
        let low = try #require(all["low_tokens"]?.array)
        // Token 2 is low in two tries, token 1 in one.
        #expect(low.compactMap { $0["count"]?.integer } == [2, 1])
        let words = Laboratory.words
        #expect(low.compactMap { $0["text"]?.string } == [words[2], words[1]])
        let sample = try #require(all["samples"]?.array?.first)
        let writers = sample["tokens"]?.array?.compactMap { $0["writer"]?.string }
        #expect(writers == ["teacher", "teacher", "teacher", "teacher"])
        #expect(sample["tokens"]?.array?[1]["p_student"]?.number == 0.005)

        // Tokens 2 and 3 of 4 are low in the longest trace, token 3 of 3 in another.
        let places = all["low_by_position"]?.array?.compactMap(\.number) ?? []
        #expect(places.count == 10 && places[0] == 0)
        #expect(places[2] == 1 && places[5] == 1 && places[6] == 0.5)
        // One refusal at the first of three positions, two at the first two of three.
        let refused = all["refused_by_position"]?.array?.compactMap(\.number) ?? []
        #expect(refused.count == 10 && refused[0] == 2.0 / 6 && refused[3] == 0.5)
        // Answers of p: 3, 3, 3; of q: 4, none, 3.
        let agreement = try #require(all["agreement"])
        #expect(agreement["equal_pairs"]?.number == 0.5)
        #expect(agreement["right"]?.number == 4.0 / 6)
        #expect(agreement["problems_all_right"]?.integer == 1)
        #expect(agreement["problems_some_right"]?.integer == 1)
        #expect(agreement["problems_none_right"]?.integer == 0)
        let surprise = -[0.5, 0.005, 0.0005, 1, 0.5, 0.5, 0.009, 0.5, 0.5, 0.5].reduce(0) {
            $0 + log($1)
        }
        let mean = all["mean_negative_log_probability"]?.number ?? .nan
        #expect(abs(mean - surprise / 10) < 1e-6)

        // External traces are scored with the student: every token has its P_S.
        let direct = arms[0]
        let tokenizer = analysis.tokenizers[0]
        let texts = ["1+2=3, #3", "2+2=4, #4"]
        let count = try texts.map { try tokenizer.encode($0, specialTokens: .parse).count }
        #expect(direct["tokens"]?.integer == count.reduce(0, +))
        #expect(direct["acceptance"]?.isNull == true)
        #expect(direct["samples"]?.array?.count == 2)
        #expect(analysis.markdown.contains("| tokens with P_S below 1 % "))
    }

    /// Variants that differ in what comes later share tries and selections; each has its table.
    @Test func variantsThatShareASelectionHaveItAll() throws {
        let laboratory = try Laboratory()
        let text =
            laboratory.text(arms: "  own: {kind: student-only}")
            + "\ntraining: {epochs: 1}\ngrid: {length: {training.epochs: [1, 2]}}\n"
        let experiment = try Experiment(text: text, file: "tiny.yaml")
        let stages = TraceStages(ModelStore())
        stages.adjust = { $0.display = ProgressDisplay(isLive: false, now: { 0 }, write: { _ in }) }
        let runner = StageRunner([.traces: stages.makeTraces, .selection: stages.select])
        var tables: [[ArmSelection]] = []
        for variant in try experiment.variants {
            let layout = RunLayout(
                variant,
                environment: ["RSD_RUNS": "\(laboratory.folder)/runs"]
            )
            let graph = try StageGraph(layout, goals: [.traces, .selection])
            try runner.run(graph)
            tables.append(try stages.selections(of: graph))
        }
        #expect(tables.map { $0.map(\.arm.name) } == [["own"], ["own"]])
        #expect(tables.allSatisfy { $0.allSatisfy { $0.tries.count == 21 } })
    }

    @Test func aFileIsAnalysedUpToItsLimits() throws {
        let laboratory = try Laboratory()
        let scope = try Self.prepare(laboratory)
        func tokens(_ rows: Int?, _ tokens: Int?) throws -> (Int, Int) {
            let analysis = try scope.layout.analyse(
                "\(laboratory.folder)/external.jsonl",
                member: "trace",
                ModelStore(storage: .float32),
                AnalysisLimits(rows: rows, tokens: tokens)
            )
            return (analysis.arms[0].lengths.count, analysis.arms[0].tokens)
        }
        #expect(try tokens(nil, nil) == (2, try tokens(1, nil).1 * 2))
        #expect(try tokens(1, 4) == (1, 4))
        #expect(try tokens(2, 3) == (2, 6))
    }

    @Test func probabilitiesFallIntoBins() {
        let last = ArmAnalysis.edges.count - 2
        let cases: [(Double, Int)] = [
            (1, last), (0.57, last), (0.56, last - 1), (1e-8, 0), (1e-30, 0), (0, 0),
            (1.0000001, last),
        ]
        for (probability, bin) in cases {
            #expect(ArmAnalysis.bin(of: probability) == bin, "\(probability)")
        }
    }
}
