import Basics
import Records

/// The results as comma-separated values, for other programs.
///
/// Fractions are written in full precision with a point, unknown numbers as empty fields, one
/// header line first; fields are quoted as RFC 4180 says, lines end in a newline.
struct ResultCSV {
    /// What is written.
    let model: ReportModel

    /// One row for each arm and benchmark ("average" for the macro average), every number of it.
    var scores: String {
        // A column that few experiments have would change the tables of all.
        let hasRanks = model.scores.contains { $0.rankedAtK != nil }
        var rows = [
            [
                "arm", "benchmark", "accuracy", "accuracy_low", "accuracy_high", "questions",
                "samples_per_question", "seeds", "difference", "difference_low",
                "difference_high", "p_value", "p_value_holm", "minimum_detectable_effect",
                "verdict", "unparsed_share", "guessed_share", "truncated_share", "pass_at_k",
                "maj_at_k",
            ] + (hasRanks ? ["rank_at_k"] : [])
        ]
        for arm in model.arms {
            for benchmark in model.benchmarks.map(Optional.some) + [nil] {
                guard let score = model.score(arm: arm.name, benchmark: benchmark) else { continue }
                let difference = score.difference
                let ranks = hasRanks ? [number(score.rankedAtK)] : []
                rows.append(
                    [
                        arm.name, benchmark ?? "average", number(score.accuracy),
                        number(score.interval?.lower), number(score.interval?.upper),
                        "\(score.questions)", "\(score.samplesPerQuestion)", "\(score.seeds)",
                        number(difference?.estimate), number(difference?.interval?.lower),
                        number(difference?.interval?.upper), number(difference?.pValue),
                        number(difference?.adjustedPValue), number(difference?.minimumDetectable),
                        difference?.verdict.rawValue ?? "", number(score.unparsedShare),
                        number(score.guessedShare), number(score.truncatedShare),
                        number(score.passAtK), number(score.majorityAtK),
                    ] + ranks
                )
            }
        }
        return CSV.text(rows)
    }

    /// One row for each arm and seed: the average accuracy.
    var seeds: String {
        CSV.text(
            [["arm", "seed", "accuracy"]]
                + model.seedAverages.map { [$0.arm, "\($0.seed)", number($0.accuracy)] }
        )
    }

    /// One row for each comparison and seed, with the tests over seeds and over questions.
    var seedDifferences: String {
        var rows = [
            [
                "arm", "other", "seed", "difference", "same_sign", "p_t_over_seeds",
                "p_signs_over_seeds", "over_questions_low", "over_questions_high",
                "p_over_questions",
            ]
        ]
        for own in model.seedComparisons {
            for (seed, difference) in zip(own.seeds, own.differences) {
                rows.append([
                    own.arm, own.other, "\(seed)", number(difference), "\(own.sameSign)",
                    number(own.tP), number(own.signFlipP), number(own.overQuestions?.lower),
                    number(own.overQuestions?.upper), number(own.overQuestionsP),
                ])
            }
        }
        return CSV.text(rows)
    }

    /// One row for each question: the share of right samples in every arm.
    var questions: String {
        let arms = model.arms.map(\.name)
        var rows = [["benchmark", "question"] + arms]
        for grid in model.questionGrids {
            for (index, question) in grid.questions.enumerated() {
                rows.append(
                    [grid.benchmark, question]
                        + arms.map { arm in
                            number(grid.rows.first { $0.arm == arm }?.shares[index])
                        }
                )
            }
        }
        return CSV.text(rows)
    }

    /// One row for each graded answer.
    var answers: String {
        var rows = [
            [
                "benchmark", "question", "gold", "arm", "seed", "sample", "answer", "verdict",
                "guessed",
            ]
        ]
        for list in model.answers {
            for question in list.questions {
                for answer in question.answers {
                    rows.append([
                        list.benchmark, question.id, question.gold, answer.arm, "\(answer.seed)",
                        "\(answer.sample)", answer.text ?? "", answer.verdict.rawValue,
                        answer.isGuess ? "1" : "0",
                    ])
                }
            }
        }
        return CSV.text(rows)
    }

    /// One row for each arm with traces.
    var traces: String {
        var rows = [
            [
                "arm", "problems", "problems_with_trace", "tries", "acceptance", "fallback_share",
                "share_below_1_percent", "share_below_0.1_percent", "mean_trace_tokens",
                "mean_negative_log_probability", "right_tries", "equal_pairs",
            ]
        ]
        for trace in model.traces {
            rows.append([
                trace.arm, "\(trace.problems)", "\(trace.problemsWithTrace)", "\(trace.tries)",
                number(trace.acceptance), number(trace.fallbackShare),
                number(trace.shareBelowOnePercent), number(trace.shareBelowTenthPercent),
                number(trace.meanTraceLength), number(trace.meanSurprise),
                number(trace.agreement.right), number(trace.agreement.equalPairs),
            ])
        }
        return CSV.text(rows)
    }

    /// One row for each point of each sweep.
    var sweeps: String {
        var rows = [["sweep", "series", "x", "value", "value_low", "value_high"]]
        for sweep in model.sweeps {
            for series in sweep.series {
                for point in series.points {
                    rows.append([
                        sweep.title, series.name, number(point.x), number(point.value),
                        number(point.interval?.lower), number(point.interval?.upper),
                    ])
                }
            }
        }
        return CSV.text(rows)
    }

    /// One row for each arm, step and benchmark ("average" for the average): accuracy on the way.
    var curves: String {
        CSV.text(
            [
                [
                    "arm", "step", "benchmark", "accuracy", "accuracy_low", "accuracy_high",
                    "seeds",
                ]
            ]
                + model.curves.map { point in
                    [
                        point.arm, number(point.step),
                        point.benchmark ?? "average", number(point.accuracy),
                        number(point.interval?.lower), number(point.interval?.upper),
                        "\(point.seeds)",
                    ]
                }
        )
    }

    private func number(_ value: Double?) -> String {
        value.flatMap { $0.isFinite ? "\($0)" : nil } ?? ""
    }
}
