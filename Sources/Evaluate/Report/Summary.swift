/// The outcome in sentences, made from the numbers alone.
struct Summary {
    /// What is summarised.
    let model: ReportModel

    /// A paragraph: the headline accuracies, every difference to the base, every contrast.
    var paragraph: String {
        let scored = model.arms.compactMap { arm in
            model.score(arm: arm.name, benchmark: model.headline)
                .flatMap { $0.accuracy.isFinite ? (arm.name, $0) : nil }
        }
        guard !scored.isEmpty else {
            return "Nothing has been scored yet, so there is nothing to compare."
        }
        var sentences = [accuracySentence(scored)]
        let differences = model.comparedArms.compactMap { arm in
            model.score(arm: arm.name, benchmark: model.headline)?.difference
                .map { (arm.name, model.baseArm ?? "base", $0) }
        }
        let contrasts = model.contrasts.map { ($0.arm, $0.other, $0.difference) }
        let all = (differences + contrasts).filter { $0.2.estimate.isFinite }
        if all.isEmpty {
            sentences.append("There is no comparison between arms to report.")
        } else {
            let phrases = all.map { phrase($0.0, minus: $0.1, $0.2) }
            sentences.append("In percentage points, " + phrases.joined(separator: "; ") + ".")
        }
        if let note = detectableSentence(all.map(\.2)) { sentences.append(note) }
        return sentences.joined(separator: " ")
    }

    /// One sentence an arm and contrast: "rsd is better than base: +6.5 points [...], p = ...".
    var verdicts: [String] {
        var lines: [String] = []
        for arm in model.comparedArms {
            let score = model.score(arm: arm.name, benchmark: model.headline)
            guard let difference = score?.difference else { continue }
            lines.append(verdict(arm.name, model.baseArm ?? "base", difference))
        }
        for contrast in model.contrasts {
            lines.append(verdict(contrast.arm, contrast.other, contrast.difference))
        }
        return lines
    }

    private func accuracySentence(_ scored: [(name: String, score: ReportModel.Score)]) -> String {
        let parts = scored.map { name, score in
            let value = NumberText.percent(score.accuracy) + " %"
            let interval = NumberText.percent(score.interval)
            return "\(name) \(value)" + (interval.isEmpty ? "" : " \(interval)")
        }
        let first = scored[0].score
        let place = model.headline.map { "On \($0)" } ?? "On average over \(benchmarkCount)"
        let amount =
            "\(NumberText.counted(first.questions, "question")), "
            + NumberText.counted(first.seeds, "seed")
        return "\(place) (\(amount)), the share of right answers is: "
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
        let value = NumberText.points(difference.estimate, difference.interval)
        return "\(arm) − \(other) is \(value) (\(difference.verdict.rawValue))"
    }

    private func verdict(
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
        let value = NumberText.points(difference.estimate)
        let interval = NumberText.points(difference.interval)
        let p = NumberText.pPhrase(difference.adjustedPValue ?? difference.pValue)
        let correction = difference.adjustedPValue == nil || p.isEmpty ? "" : " after Holm"
        let details = [interval, p + correction].filter { !$0.isEmpty }.joined(separator: ", ")
        return "\(arm) \(relation) \(other): \(value) points"
            + (details.isEmpty ? "." : " (\(details)).")
    }

    /// A reader must know how small a difference would have been missed.
    private func detectableSentence(_ differences: [ReportModel.Difference]) -> String? {
        guard differences.contains(where: { $0.verdict == .notDistinguishable }) else { return nil }
        let detectable = differences.compactMap(\.minimumDetectable).filter(\.isFinite)
        guard let largest = detectable.max() else {
            return "“Not distinguishable” does not mean equal."
        }
        return "“Not distinguishable” does not mean equal: a true difference below about "
            + "\(NumberText.percent(largest)) points could go unseen here."
    }
}
