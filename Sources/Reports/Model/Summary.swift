import Basics

/// The outcome in sentences, made from the numbers alone.
struct Summary {
    /// What is summarised.
    let model: ReportModel

    /// A paragraph: the base's accuracy and every difference to it.
    ///
    /// Without differences, the contrasts or the accuracy of every arm.
    var paragraph: String {
        let scored = model.arms.compactMap { arm in
            model.score(arm: arm.name, benchmark: model.headline)
                .flatMap { $0.accuracy.isFinite ? (arm.name, $0) : nil }
        }
        guard !scored.isEmpty || model.sweeps.isEmpty else {
            return "\(NumberText.counted(model.sweeps.count, "sweep")) of one setting each; "
                + "the plots and tables below show what every setting gives."
        }
        guard !scored.isEmpty else {
            return "Nothing has been scored yet, so there is nothing to compare."
        }
        let differences = model.comparedArms.compactMap { arm in
            model.score(arm: arm.name, benchmark: model.headline)?.difference
                .map { (arm.name, model.baseArm ?? "base", $0) }
        }
        let contrasts = model.contrasts.map { ($0.arm, $0.other, $0.difference) }
        // Contrasts have sentences of their own below; they stand in only where there is no base.
        let all = (differences.isEmpty ? contrasts : differences)
            .filter { $0.2.estimate.isFinite }
        let shown = all.isEmpty ? scored : scored.filter { $0.0 == model.baseArm }
        var sentences = shown.isEmpty ? [] : [accuracySentence(shown)]
        if all.isEmpty {
            sentences.append("There is no comparison between arms to report.")
        } else if all.count > Self.mostPhrases {
            sentences.append(groups(all))
        } else {
            let phrases = all.map { phrase($0.0, minus: $0.1, $0.2) }
            sentences.append(
                "Differences in percentage points: " + phrases.joined(separator: "; ") + "."
            )
        }
        if let note = detectableSentence(all.map(\.2)) { sentences.append(note) }
        return sentences.joined(separator: " ")
    }

    /// From more differences on, they are told by verdict instead of one by one.
    private static let mostPhrases = 7

    /// The differences by verdict, the largest first.
    ///
    /// "17 arms against base, in percentage points. Better: iterated +3.7, ... Worse: ..."
    private func groups(_ all: [(String, String, ReportModel.Difference)]) -> String {
        let base = Set(all.map(\.1)).count == 1 ? all[0].1 : nil
        let parts = ReportModel.Verdict.allCases.compactMap { verdict -> String? in
            let own = all.filter { $0.2.verdict == verdict }.sorted {
                abs($0.2.estimate) > abs($1.2.estimate)
            }
            guard !own.isEmpty else { return nil }
            let names = own.map { arm, other, difference in
                (base == nil ? "\(arm) − \(other)" : arm)
                    + Self.unbroken(" \(NumberText.points(difference.estimate))")
            }
            return "\(verdict.rawValue): " + names.joined(separator: ", ")
        }
        let what = base.map { "\(all.count) arms against \($0)" } ?? "\(all.count) differences"
        return "\(what), in percentage points. " + parts.map(Self.sentence).joined(separator: " ")
    }

    /// Text with a capital and a full stop.
    private static func sentence(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst() + "."
    }

    /// One sentence an arm, then one a contrast: "rsd is better than base: +6.5 points [...]".
    var verdicts: [String] {
        let toBase = model.comparedArms.compactMap { arm in
            model.score(arm: arm.name, benchmark: model.headline)?.difference
                .map { Self.verdict(arm.name, model.baseArm ?? "base", $0) }
        }
        return toBase + contrasts
    }

    /// One sentence a contrast.
    var contrasts: [String] {
        model.contrasts.map { Self.verdict($0.arm, $0.other, $0.difference) }
    }

    private func accuracySentence(_ scored: [(name: String, score: ReportModel.Score)]) -> String {
        let parts = scored.map { name, score in
            let value = Self.unbroken(NumberText.percent(score.accuracy) + " %")
            let interval = Self.unbroken(NumberText.percent(score.interval))
            return "\(value)" + (interval.isEmpty ? "" : " \(interval)") + " for \(name)"
        }
        let first = scored[0].score
        let place = model.headline.map { "On \($0)" } ?? "On average over \(benchmarkCount)"
        let amount =
            "\(NumberText.counted(first.questions, "question")), "
            + NumberText.counted(first.seeds, "seed")
        return "\(place) (\(amount)), the share of right answers is "
            + parts.joined(separator: ", ") + "."
    }

    private var benchmarkCount: String {
        NumberText.counted(model.benchmarks.count, "benchmark")
    }

    private func phrase(
        _ arm: String,
        minus other: String,
        _ difference: ReportModel.Difference
    ) -> String {
        let value = Self.unbroken(
            NumberText.points(difference.estimate, difference.interval)
        )
        let verdict =
            difference.limit?.tellsNothing == true
            ? "nothing can be told" : difference.verdict.rawValue
        return "\(arm) − \(other): \(value) (\(verdict))"
    }

    /// A sentence: "rsd is better than base: +6.5 points [+2.1, +10.9], p = 0.004, detectable 6.2".
    static func verdict(
        _ arm: String,
        _ other: String,
        _ difference: ReportModel.Difference
    ) -> String {
        let relation =
            switch difference.verdict {
            case .better: "is better than"
            case .worse: "is worse than"
            case .notDistinguishable: "cannot be distinguished from"
            }
        let p = unbroken(
            NumberText.pPhrase(difference.adjustedPValue ?? difference.pValue)
        )
        let correction = difference.adjustedPValue == nil || p.isEmpty ? "" : " after Holm"
        let value = unbroken(NumberText.points(difference.estimate) + " points")
        let interval = unbroken(NumberText.points(difference.interval))
        let least = difference.minimumDetectable.flatMap { $0.isFinite ? $0 : nil }
        let parts = [
            interval.isEmpty ? value : "\(value) \(interval)", p + correction,
            least.map { unbroken("detectable \(NumberText.percent($0))") } ?? "",
        ]
        let limit = difference.limit.map { "; \($0.reason)" } ?? ""
        return "\(arm) \(relation) \(other): "
            + parts.filter { !$0.isEmpty }.joined(separator: ", ") + limit + "."
    }

    /// A reader must know how small a difference would have been missed.
    private func detectableSentence(_ differences: [ReportModel.Difference]) -> String? {
        guard differences.contains(where: { $0.verdict == .notDistinguishable }) else { return nil }
        let detectable = differences.compactMap(\.minimumDetectable).filter(\.isFinite)
        guard let largest = detectable.max() else {
            return
                "“Not distinguishable” does not mean equal: how large a difference could go unseen "
                + "here is not known."
        }
        let rest =
            differences.contains { $0.limit != nil }
            ? " For those at a limit (see the verdicts) that is not known." : ""
        return "“Not distinguishable” does not mean equal: a true difference below about "
            + "\(NumberText.percent(largest)) points could go unseen here.\(rest)"
    }

    /// A number with its unit or bounds, held on one line by no-break spaces.
    private static func unbroken(_ text: String) -> String {
        text.replacing(" ", with: "\u{A0}")
    }
}
