import Basics
import Checkpoints
import Decoding
import Experiments

/// An experiment's models and settings in words, for "How it was made".
struct SettingLines {
    /// The experiment.
    let layout: RunLayout

    private var experiment: Experiment { layout.experiment }

    /// What each line is about, and what it says; empty texts are lines that do not apply.
    var entries: [(key: String, value: String)] {
        let generated = experiment.contributors.filter(\.isGenerated)
        let trained = experiment.contributors.filter { $0.kind != .base }
        return [
            ("teacher", layout.summary(of: .teacher).map(Self.text) ?? ""),
            ("student", layout.summary(of: .student).map(Self.text) ?? ""),
            ("mentor", layout.summary(of: .mentor).map(Self.text) ?? ""),
            ("problems", experiment.problems.map(Self.text) ?? ""),
            ("benchmarks", benchmarks),
        ] + grouped("traces", generated) { Self.text($0.generation) }
            + grouped("training", trained) { Self.text($0.training) }
    }

    /// One line for each setting, with the arms that have it where there are several.
    private func grouped(_ key: String, _ arms: [Arm], _ text: (Arm) -> String) -> [(
        key: String, value: String
    )] {
        var lines: [(value: String, arms: [String])] = []
        for arm in arms {
            let value = text(arm)
            if let index = lines.firstIndex(where: { $0.value == value }) {
                lines[index].arms.append(arm.name)
            } else {
                lines.append((value, [arm.name]))
            }
        }
        guard lines.count > 1 else { return lines.map { (key, $0.value) } }
        return lines.map { ("\(key) of \($0.arms.joined(separator: ", "))", $0.value) }
    }

    private var benchmarks: String {
        experiment.benchmarks.map { benchmark in
            let samples = benchmark.samples ?? experiment.evaluation.samples
            return "\(benchmark.name): \(Self.text(benchmark.source)), "
                + "\(NumberText.counted(samples, "sample")) a question"
        }.joined(separator: "\n")
    }

    static func text(_ model: ModelSummary) -> String {
        var parts: [String] = []
        if let path = model.path { parts.append(path) }
        if let scratch = model.scratch {
            parts.append(
                "trained from random weights: \(NumberText.counted(scratch.steps, "step")) of "
                    + "\(NumberText.counted(scratch.batch, "lesson")), learning rate "
                    + "\(scratch.optimizer.learningRate)"
            )
        }
        if let count = model.parameterCount { parts.append("\(parameters(count)) parameters") }
        if let digest = model.digest { parts.append("SHA-256 \(digest.prefix(12))…") }
        return parts.joined(separator: ", ")
    }

    /// A number of parameters: "12 345", "134.5 M", "1.54 B".
    static func parameters(_ count: Int) -> String {
        let value = Double(count)
        if value >= 1e9 { return NumberText.fixed(value / 1e9, decimals: 2) + " B" }
        if value >= 1e6 { return NumberText.fixed(value / 1e6, decimals: 1) + " M" }
        return NumberText.count(count)
    }

    static func text(_ source: ProblemSource) -> String {
        switch source {
        case .chain(let count, let operations):
            "\(NumberText.counted(count, "chain")) of "
                + "\(operations.map(String.init).joined(separator: ", ")) operations"
        case .file(let file):
            RunEnvironment.relative(file.path)
                + (file.choice.limit.map { ", at most \(NumberText.count($0))" } ?? "")
        }
    }

    static func text(_ settings: GenerationSettings) -> String {
        var parts = [
            settings.tries == 1
                ? "1 try a problem" : "\(NumberText.count(settings.tries)) tries a problem"
        ]
        parts.append("teacher \(text(settings.rule.teacher))")
        parts.append("student \(text(settings.rule.fallback))")
        parts.append("at most \(NumberText.counted(settings.maxNewTokens, "token"))")
        return parts.joined(separator: ", ")
    }

    static func text(_ sampling: SamplingParameters) -> String {
        var parts = ["temperature \(sampling.temperature)", "top-p \(sampling.topP)"]
        if let topK = sampling.topK { parts.append("top-k \(topK)") }
        if sampling.minP > 0 { parts.append("min-p \(sampling.minP)") }
        return parts.joined(separator: ", ")
    }

    static func text(_ settings: TrainingSettings) -> String {
        let optimizer = settings.optimizer
        var parts = [
            NumberText.counted(settings.epochs, "epoch"),
            "batches of \(NumberText.count(settings.batch))",
            "learning rate \(optimizer.learningRate) to \(optimizer.finalLearningRate), warm-up "
                + NumberText.share(optimizer.warmupFraction),
            "AdamW \(optimizer.beta1), \(optimizer.beta2), weight decay \(optimizer.weightDecay)",
            optimizer.clip > 0 ? "gradients clipped at \(optimizer.clip)" : "no clipping",
            "at most \(NumberText.counted(settings.maxLength, "token")), longer ones: "
                + settings.overlong.rawValue,
        ]
        if let lora = settings.lora {
            parts.append(
                "LoRA of rank \(lora.rank), alpha \(lora.alpha), on "
                    + lora.targets.joined(separator: ", ")
            )
        }
        if let text = text(settings.objective) { parts.append(text) }
        if let task = settings.multiTask {
            parts.append("answers at once beside the traces, weighted \(task.alpha)")
        }
        return parts.joined(separator: ", ")
    }

    /// What is learned besides the traces' tokens; nil for nothing.
    static func text(_ objective: ObjectiveSettings) -> String? {
        let parameter =
            switch objective.kind {
            case .crossEntropy, .forwardKL, .reverseKL: ""
            case .jensenShannon: " with beta \(objective.beta)"
            case .skewKL: " with alpha \(objective.alpha)"
            }
        guard objective.kind != .crossEntropy else { return nil }
        var text = objective.kind.rawValue + parameter
        if objective.temperature != 1 { text += " at temperature \(objective.temperature)" }
        if objective.weight < 1 {
            text += ", \(NumberText.share(objective.weight)) of the loss beside cross-entropy"
        }
        return text
    }
}
