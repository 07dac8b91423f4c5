import Foundation
import Records

@testable import Reports
@testable import Scoring
@testable import Statistics

extension ReportExample {
    /// Two arms, two benchmarks: small enough for golden texts.
    static func small() -> ReportModel {
        func difference(
            _ value: Double,
            _ low: Double,
            _ high: Double,
            _ p: Double,
            _ verdict: ReportModel.Verdict
        ) -> ReportModel.Difference {
            .init(
                estimate: value,
                interval: .init(lower: low, upper: high),
                pValue: p,
                adjustedPValue: min(1, 2 * p),
                minimumDetectable: 0.05,
                verdict: verdict
            )
        }
        var model = ReportModel(
            experiment: "tiny",
            arms: [.init(name: "base"), .init(name: "rsd, 1 %")],
            baseArm: "base",
            benchmarks: ["add", "mul|x"]
        )
        model.scores = [
            .init(
                arm: "base",
                benchmark: "add",
                accuracy: 0.5,
                interval: .init(lower: 0.4, upper: 0.6),
                questions: 100,
                samplesPerQuestion: 2,
                seeds: 3,
                unparsedShare: 0,
                truncatedShare: 0.015
            ),
            .init(
                arm: "base",
                benchmark: "mul|x",
                accuracy: 0.25,
                questions: 80,
                samplesPerQuestion: 2,
                seeds: 3
            ),
            .init(
                arm: "base",
                benchmark: nil,
                accuracy: 0.375,
                interval: .init(lower: 0.3, upper: 0.45),
                questions: 180,
                samplesPerQuestion: 2,
                seeds: 3,
                unparsedShare: 0.002,
                truncatedShare: 0.12
            ),
            .init(
                arm: "rsd, 1 %",
                benchmark: "add",
                accuracy: 0.6,
                interval: .init(lower: 0.5, upper: 0.7),
                questions: 100,
                samplesPerQuestion: 2,
                seeds: 3,
                difference: difference(0.1, 0.03, 0.17, 0.0001, .better)
            ),
            .init(
                arm: "rsd, 1 %",
                benchmark: "mul|x",
                accuracy: .nan,
                questions: 80,
                samplesPerQuestion: 2,
                seeds: 3
            ),
            .init(
                arm: "rsd, 1 %",
                benchmark: nil,
                accuracy: 0.37,
                questions: 180,
                samplesPerQuestion: 2,
                seeds: 3,
                difference: difference(-0.005, -0.05, 0.04, 0.6, .notDistinguishable)
            ),
        ]
        var traces = TraceStatistics(
            arm: "rsd, 1 %",
            problems: 10,
            problemsWithTrace: 7,
            tries: 40
        )
        traces.acceptance = 0.968
        traces.fallbackShare = 0.032
        traces.shareBelowOnePercent = 0.0002
        traces.shareBelowTenthPercent = 0
        traces.meanTraceLength = 22.6
        model.traces = [traces]
        return model
    }

    /// The realistic model with every text made hostile to XML, HTML and Markdown.
    static func hostile() -> ReportModel {
        let hostile = #"<b a='1' b="2">&amp;</b>"# + "\u{1B}\u{0}\"\u{301}<\u{338}script>|`"
        var model = realistic()
        func spoiled(_ text: String) -> String { text + hostile }
        model.experiment = spoiled(model.experiment)
        model.overview = spoiled(model.overview)
        model.manifest = model.manifest.map {
            .init(key: spoiled($0.key), value: spoiled($0.value))
        }
        model.arms = model.arms.map {
            .init(name: spoiled($0.name), summary: spoiled($0.summary))
        }
        model.baseArm = model.baseArm.map(spoiled)
        model.benchmarks = model.benchmarks.map(spoiled)
        for index in model.scores.indices {
            model.scores[index].arm = spoiled(model.scores[index].arm)
            model.scores[index].benchmark = model.scores[index].benchmark.map(spoiled)
        }
        for index in model.contrasts.indices {
            model.contrasts[index].arm = spoiled(model.contrasts[index].arm)
        }
        for index in model.seedAverages.indices {
            model.seedAverages[index].arm = spoiled(model.seedAverages[index].arm)
        }
        for index in model.traces.indices {
            model.traces[index].arm = spoiled(model.traces[index].arm)
        }
        for index in model.losses.indices {
            model.losses[index].arm = spoiled(model.losses[index].arm)
        }
        for index in model.curves.indices {
            model.curves[index].arm = spoiled(model.curves[index].arm)
            model.curves[index].benchmark = model.curves[index].benchmark.map(spoiled)
        }
        for index in model.costs.indices {
            model.costs[index].arm = spoiled(model.costs[index].arm)
        }
        for index in model.samples.indices {
            model.samples[index].arm = spoiled(model.samples[index].arm)
            model.samples[index].problem = spoiled(model.samples[index].problem)
            for token in model.samples[index].tokens.indices {
                model.samples[index].tokens[token].text = hostile
            }
        }
        for index in model.questionGrids.indices {
            model.questionGrids[index].benchmark = hostile
            model.questionGrids[index].questions[0] = hostile
        }
        for index in model.traces.indices {
            for token in model.traces[index].lowTokens.indices {
                model.traces[index].lowTokens[token].text = hostile
            }
        }
        for index in model.sweeps.indices {
            model.sweeps[index].title = spoiled(model.sweeps[index].title)
            model.sweeps[index].xLabel = spoiled(model.sweeps[index].xLabel)
            for series in model.sweeps[index].series.indices {
                model.sweeps[index].series[series].name = hostile
            }
        }
        return model
    }

    /// Models with something missing or broken, by name.
    static func edgeCases() -> [(name: String, model: ReportModel)] {
        let nan = Double.nan
        var oneArm = ReportModel(
            experiment: "one arm",
            arms: [.init(name: "only")],
            benchmarks: ["b"]
        )
        oneArm.scores = [
            .init(
                arm: "only",
                benchmark: "b",
                accuracy: 0.3,
                questions: 10,
                samplesPerQuestion: 1,
                seeds: 1
            )
        ]
        var noQuestions = oneArm
        noQuestions.scores[0].accuracy = nan
        noQuestions.scores[0].questions = 0
        noQuestions.scores[0].interval = .init(lower: nan, upper: nan)
        var noBase = realistic()
        noBase.baseArm = nil
        for index in noBase.scores.indices { noBase.scores[index].difference = nil }
        noBase.losses = []
        noBase.samples = []
        noBase.sweeps = []
        var broken = realistic()
        for index in broken.scores.indices {
            broken.scores[index].accuracy = nan
            broken.scores[index].interval = .init(lower: -.infinity, upper: .infinity)
            broken.scores[index].difference?.estimate = nan
            broken.scores[index].difference?.pValue = nan
            broken.scores[index].difference?.adjustedPValue = nan
        }
        for index in broken.traces.indices {
            broken.traces[index].acceptance = nan
            broken.traces[index].meanTraceLength = nan
            broken.traces[index].histogram?.edges[0] = -.infinity
        }
        for index in broken.losses.indices {
            broken.losses[index].points = [
                .init(step: 1, loss: nan), .init(step: 2, loss: .infinity),
            ]
        }
        broken.sweeps[0].series[0].points = [.init(x: nan, value: 1), .init(x: 1, value: nan)]
        broken.sweeps[1].series[0].points = [
            .init(x: 0, value: 1), .init(x: -1, value: 1),
            .init(x: 1, value: 1, interval: .init(lower: nan, upper: 2)),
        ]
        var extreme = realistic()
        for index in extreme.scores.indices { extreme.scores[index].accuracy = 1 }
        extreme.sweeps[0].series[0].points = [
            .init(x: -1e308, value: 1e308), .init(x: 1e308, value: -1e308),
        ]
        extreme.losses[0].points = [.init(step: .max, loss: 1e300), .init(step: 1, loss: -1e300)]
        extreme.traces[0].histogram = .init(edges: [0, 1], counts: [1, 2, 3])
        return [
            ("empty", ReportModel(experiment: "")), ("one arm", oneArm),
            ("no questions", noQuestions), ("no base", noBase), ("broken numbers", broken),
            ("extreme numbers", extreme),
        ]
    }
}
