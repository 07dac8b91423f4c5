import Basics
import Statistics

/// How to read the tables, in plain words; only what the model really holds is explained.
struct Legend {
    /// What the legend belongs to.
    let model: ReportModel

    /// One or two sentences an entry, without markup.
    var lines: [String] {
        let level = NumberText.fixed(model.confidence * 100, decimals: 0)
        var lines = [
            "Accuracy is the share of answers that are right, in per cent. Brackets hold the "
                + "\(level) % interval: the range in which the true value plausibly lies."
        ]
        let scores = model.scores
        if model.columns.contains(nil) {
            lines.append("The average gives every benchmark the same weight.")
        }
        if scores.contains(where: { $0.difference != nil }) || !model.contrasts.isEmpty {
            lines.append(
                "A difference is taken question by question and given in percentage points; "
                    + "p is its two-sided paired test, and p (Holm) allows for the number of "
                    + "comparisons made."
            )
            lines.append(
                "“Not distinguishable” means that these questions cannot tell the two apart, "
                    + "not that they are equal. “Detectable” is the smallest true difference that "
                    + "they would usually reveal, in points."
            )
        }
        let differences = scores.compactMap(\.difference) + model.contrasts.map(\.difference)
        if let unknown = Self.unknown(differences) { lines.append(unknown) }
        let repeated = RepeatedSamples(model: model).headings
        if !repeated.isEmpty {
            let majority =
                repeated.contains { $0.contains(" maj@") }
                ? ", maj@k the share that the most frequent answer answers, the first of equally "
                    + "frequent ones" : ""
            let ranked =
                repeated.contains { $0.contains(" rank@") }
                ? ", rank@k the share on which the answer is right that the model names after it has "
                    + "compared its own different ones" : ""
            lines.append(
                "Accuracy is the average over the samples (avg@k); pass@k is the share of "
                    + "questions that at least one sample answers\(majority)\(ranked)."
            )
        }
        if scores.contains(where: { $0.unparsedShare != nil || $0.truncatedShare != nil }) {
            lines.append(
                "Unparsed answers held nothing that could be graded and count as wrong; cut-off ones "
                    + "ran into the token limit and are graded as far as they go."
            )
        }
        if model.hasGuesses {
            lines.append(
                "Guessed answers are graded too: nothing was stated as the answer, so the last number "
                    + "(or letter of a choice) of the text stands for it."
            )
        }
        if !model.traces.isEmpty {
            lines.append(
                "P_S is the student's own probability of a token in its training traces. "
                    + "Acceptance is the share of the teacher's proposals (of skd the student's) that "
                    + "passed the other model's gate; fallback is the share of positions at which that "
                    + "one spoke instead."
            )
        }
        return lines + model.notes
    }

    /// What a dash in place of p or of what is detectable means; nil where there is none.
    static func unknown(_ differences: [ReportModel.Difference]) -> String? {
        var limits: [PowerLimit] = []
        for limit in differences.compactMap(\.limit) where !limits.contains(limit) {
            limits.append(limit)
        }
        guard !limits.isEmpty else { return nil }
        return "A dash means that a number is not known: "
            + limits.map(\.reason).joined(separator: "; ") + "."
    }
}
