import Basics
import Experiments
import Foundation
import Records

/// The lines of a report that say how its numbers were made.
struct ReportManifest {
    /// The experiment.
    let experiment: Experiment
    /// The process that writes the report.
    let surroundings: Manifest.Surroundings
    /// Where the stages are; one layout a variant.
    let layouts: [RunLayout]
    /// The version of the grader whose verdicts were counted; nil where it is not known.
    let grader: String?
    /// What benchmarks have of what arms train on, a line for each file and benchmark.
    var overlaps: [String] = []

    /// The lines, in order.
    var entries: [ReportModel.ManifestEntry] {
        var entries: [ReportModel.ManifestEntry] = []
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { entries.append(.init(key: key, value: value)) }
        }
        let machine = surroundings.machine
        add("command", surroundings.command.joined(separator: " "))
        add("experiment", RunEnvironment.relative(experiment.file))
        add("commit", surroundings.commit)
        if let layout = layouts.first {
            for line in SettingLines(layout: layout).entries { add(line.key, line.value) }
        }
        add("seeds", experiment.seeds.map(String.init).joined(separator: ", "))
        add("sampling", sampling)
        add("grader", grader.map { "version \($0)" })
        add("training data in benchmarks", overlaps.joined(separator: "\n"))
        add("processor", machine["cpu"]?.string)
        add(
            "kernels",
            [
                machine["instruction_set"]?.string,
                machine["openblas_core"]?.string.map {
                    "OpenBLAS \($0)"
                },
            ].compactMap(\.self).joined(separator: ", ")
        )
        add("threads", machine["threads"]?.integer.map(String.init))
        add("system", machine["system"]?.string)
        for library in surroundings.libraries { add(library.name, library.version) }
        add("time", times)
        return entries
    }

    private var sampling: String {
        let settings = experiment.evaluation
        let parts = [
            NumberText.counted(settings.samples, "sample") + " a question",
            SettingLines.text(settings.sampling), "at most \(settings.maxNewTokens) tokens",
            settings.rank == nil ? "" : "the best of several named by the model itself",
            settings.storage == .stored ? "" : "weights as \(settings.storage.rawValue)",
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// Wall time of the stages by kind, as their manifests have it: "traces 41 s, training 300 s".
    private var times: String {
        var seconds: [Stage.Kind: Double] = [:]
        var seen: Set<String> = []
        for layout in layouts {
            for node in (try? StageGraph(layout, isBorrowing: false))?.nodes ?? [] {
                guard let stage = try? node.stageIfKnown(), seen.insert(stage.folder).inserted,
                    let manifest = try? TextFile.readJSON(stage.manifest)
                else { continue }
                seconds[node.kind, default: 0] += Manifest.seconds(of: manifest)
            }
        }
        // A clock that was set back, or a damaged manifest, leaves times that no stage took.
        return Stage.Kind.allCases.compactMap { kind in
            seconds[kind].map { time in
                (0...1e11).contains(time)
                    ? "\(kind.rawValue) \(NumberText.fixed(time, decimals: 0)) s"
                    : "\(kind.rawValue) not known"
            }
        }.joined(separator: ", ")
    }
}

extension Arm {
    /// A few words on what the arm is.
    var summary: String {
        var parts = [origin]
        if selection.maskBelow > 0 {
            parts.append(
                "no loss on tokens with P_S below \(NumberText.share(selection.maskBelow))"
            )
        }
        if selection.filter.unsolvedPrefix > 0 {
            parts.append(
                "the first \(selection.filter.unsolvedPrefix) tokens where no try passes"
            )
        }
        if let fallback = selection.fallback {
            parts.append("those of \(fallback) where no try passes")
        }
        switch selection.filter.choice {
        case .shortest, .first, .all: break
        case .lowestPerplexity: parts.append("the try that the student finds most likely")
        case .rankSurprisal: parts.append("the try of the lowest ratio of ranks to surprisals")
        }
        if let objective = SettingLines.text(training.objective), kind != .base {
            parts.append("learns the teacher's distributions: \(objective)")
        }
        if let teacher { parts.append("taught by the student of \(teacher)") }
        if let task = training.multiTask, kind != .base {
            parts.append("answers at once too, weighted \(task.alpha) to \(1 - task.alpha)")
        }
        if let student { parts.append("from the student of \(student) on") }
        if model != .student && kind != .base { parts.append("trains the \(model.rawValue)") }
        if let matching {
            let what = [
                matching.problems ? "problems" : nil,
                matching.targetTokens ? "target tokens" : nil,
            ].compactMap(\.self).joined(separator: " and ")
            parts.append("\(what) matched with \(matching.arms.joined(separator: ", "))")
        }
        return parts.joined(separator: "; ")
    }

    /// What its token gate asks of a proposal.
    private var gate: String {
        if let gate = generation.relativeGate {
            return
                "no more surprising than \(NumberText.share(gate.quantile)) of the student's own "
                + "tokens"
        }
        return "P_S of at least \(NumberText.share(generation.rule.acceptanceThreshold))"
    }

    /// Where its traces come from.
    private var origin: String {
        switch kind {
        case .base: "the \(model.rawValue) before any fine-tuning"
        case .onPolicy: onPolicy.summary
        case .direct:
            switch traces?.origin {
            case nil: "the teacher's traces as they are"
            case .file?: "traces from elsewhere, as they are"
            case .problems(let member)?: "each problem's own \(member)"
            case .experiment(let path, let arm)?:
                "traces made for the student of \(RunEnvironment.relative(path)), arm \(arm)"
            }
        case .teacherFiltered: "the teacher's traces that pass the filter"
        case .rsd:
            "reverse speculative decoding, \(gate)"
                + (generation.rule.proposals > 1 ? ", \(generation.rule.proposals) proposals" : "")
        case .hinted: "the student's traces when shown the answer; without it, \(gate)"
        case .skd:
            "speculative knowledge distillation: the student's tokens where they are among the teacher's "
                + "\(generation.skdTopK) most likely, else the teacher's"
        case .studentOnly: "the student's own traces that pass the filter"
        }
    }
}

extension OnPolicySettings {
    /// What its student is trained on.
    fileprivate var summary: String {
        let own = "what its student writes at each step, in up to \(maxNewTokens) tokens"
        guard let traces else { return own }
        return "\(own), at \(NumberText.share(share)) of the problems; the traces of \(traces) at "
            + "the others"
    }
}
