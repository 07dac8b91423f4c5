import Basics
import Foundation
import Records

/// What an experiment will do: its stages, what is there already, what is missing, what it takes.
public struct Plan: Sendable {
    /// One stage of one arm and seed.
    public struct Step: Sendable {
        /// What it makes.
        public var kind: Stage.Kind
        /// The model role, the policy or the arm.
        public var label: String
        /// The seed.
        public var seed: UInt64
        /// Its folder; nil while an input is missing or an earlier stage has not run, as the name
        /// depends on both.
        public var folder: String?
        /// How far it has come.
        public var state: Stage.State
        /// What it will roughly take; nil where no size is known, zero where it is moments.
        public var estimate: Estimate?
        /// The inputs that have to be there before it is known what the stage takes.
        public var unknownUntil: [String] = []
        /// What its time rests on, where that is mostly a guess.
        public var guess: String?
    }

    /// An input that is not there.
    public struct Missing: Sendable, Equatable {
        /// The key in the experiment file, such as `models.teacher`.
        public var key: String
        /// The path that was looked for.
        public var path: String
        /// Where a user gets it, in the experiment file's words.
        public var source: String?
    }

    /// The variant that is planned, or the experiment's name.
    public var name: String
    /// The stages in the order in which they run.
    public var steps: [Step]
    /// What has to be fetched first.
    public var missing: [Missing]
    /// Training data that a benchmark also has.
    public var overlaps: [String] = []

    /// Time of all stages, largest memory of one, disk of all; finished stages take no time and
    /// nothing that goes when a stage ends.
    public var total: Estimate {
        steps.reduce(into: Estimate()) { total, step in
            guard let estimate = step.estimate else { return }
            if step.state != .finished {
                total.seconds += estimate.seconds
                total.transientDiskBytes = max(
                    total.transientDiskBytes,
                    estimate.transientDiskBytes
                )
            }
            total.memoryBytes = max(total.memoryBytes, estimate.memoryBytes)
            total.diskBytes += estimate.diskBytes
        }
    }

    /// `a is there`, `a, b are there`.
    private static func present(_ paths: [String]) -> String {
        paths.joined(separator: ", ") + (paths.count == 1 ? " is there" : " are there")
    }

    /// What all stages take, as far as that is known.
    private var totalText: String {
        let open = steps.filter { $0.state != .finished }
        var inputs: [String] = []
        for input in open.flatMap(\.unknownUntil) where !inputs.contains(input) {
            inputs.append(input)
        }
        let known = "about \(total.text) (largest stage), completions at half their limit"
        guard !inputs.isEmpty else { return known }
        let unknown = open.count { !$0.unknownUntil.isEmpty }
        let missing = "is unknown until \(Self.present(inputs))"
        return steps.contains { $0.estimate ?? Estimate() != Estimate() && $0.unknownUntil.isEmpty }
            ? "\(known), without \(unknown) of \(steps.count) stages: what they take \(missing)"
            : "what all this takes \(missing)"
    }

    /// Prints plans, as `--dry-run` does.
    ///
    /// - Throws: `Failure.missingInput` afterwards where an input is not there, `Failure.disk`.
    public static func show(_ plans: some Sequence<Plan>, of file: String) throws {
        var missing: [Missing] = []
        for plan in plans {
            try StandardOutput.write(plan.text)
            for item in plan.missing where !missing.contains(item) { missing.append(item) }
        }
        guard !missing.isEmpty else { return }
        let paths = missing.map { "\($0.path) (\($0.key))" }.joined(separator: ", ")
        throw Failure(
            .missingInput,
            file: file,
            "\(missing.count == 1 ? "an input is" : "inputs are") missing: \(paths)",
            remedy: "Put what is missing there; then what is planned above can run."
        )
    }

    /// The plan as `--dry-run` prints it.
    public var text: String {
        var lines = ["\(name): \(steps.count) stages"]
        for step in steps {
            let label = "\(step.kind.rawValue) \(step.label) seed \(step.seed)"
            var parts = [label, step.state.rawValue]
            if !step.unknownUntil.isEmpty {
                parts.append("unknown until \(Self.present(step.unknownUntil))")
            } else if let estimate = step.estimate {
                parts.append(estimate.text)
                if let guess = step.guess { parts.append("(\(guess))") }
            }
            parts.append(step.folder ?? "folder known once its inputs are there")
            lines.append("  " + parts.joined(separator: "  "))
        }
        lines.append(totalText)
        for item in missing {
            lines.append("missing: \(item.path) (\(item.key))")
            if let source = item.source { lines.append("  \(source)") }
        }
        lines += overlaps.map { "warning: \($0)" }
        return lines.map { $0.printable + "\n" }.joined()
    }
}

extension Estimate {
    /// `0:12 h, 3.4 GiB memory, 120 MiB disk (and 2 GiB while it runs)`.
    var text: String {
        if self == Estimate() { return "moments" }
        let minutes = Int((seconds / 60).rounded(.up))
        let rest = minutes % 60
        let time = "\(minutes / 60):\(rest < 10 ? "0" : "")\(rest) h"
        return "\(time), \(Self.size(memoryBytes)) memory, \(Self.size(diskBytes)) disk"
            + (transientDiskBytes > 0
                ? " (and \(Self.size(transientDiskBytes)) while it runs)" : "")
    }

    static func size(_ bytes: Int) -> String {
        let mebibytes = Double(bytes) / 0x1p20
        if mebibytes < 1 { return "under 1 MiB" }
        if mebibytes < 1024 { return "\(Int(mebibytes.rounded())) MiB" }
        return "\((mebibytes / 102.4).rounded() / 10) GiB"
    }
}

extension StageGraph {
    /// What all its stages will take, without doing any of it, and what to know before.
    ///
    /// - Throws: `Failure.badData` when an input that is there is malformed.
    public func plan() throws -> Plan {
        let experiment = layout.experiment
        return Plan(
            name: experiment.variant.map { "\(experiment.name) \($0.name)" } ?? experiment.name,
            steps: try nodes.map { try $0.step() },
            missing: layout.missing(arms),
            overlaps: try ContaminationCheck([experiment]).findings().flatMap(\.warnings)
        )
    }
}

extension StageGraph.Node {
    /// The stage as a plan shows it.
    fileprivate func step() throws -> Plan.Step {
        let stage = try stageIfKnown()
        return Plan.Step(
            kind: kind,
            label: label,
            seed: seed,
            folder: stage?.folder,
            state: try stage.map { try state(of: $0) } ?? .absent,
            estimate: try estimate(),
            unknownUntil: unknownUntil,
            guess: guess
        )
    }

    /// What it will roughly take; nil where no size is known, zero where it is moments.
    public func estimate() throws -> Estimate? {
        switch work {
        case .base(let role): try layout.baseEstimate(role)
        case .traces(let arm): try layout.generationEstimate(arm)
        case .selection: Estimate()
        case .training(let arm): try layout.trainingEstimate(arm)
        case .evaluation(let arm, _): try layout.scoringEstimate(arm)
        }
    }

    /// How long rollouts become is known only once the student writes them.
    private var guess: String? {
        guard case .training(let arm) = work, arm.kind == .onPolicy else { return nil }
        return "mostly a guess: rollouts of \(max(1, arm.onPolicy.maxNewTokens / 2)) tokens, half "
            + "their limit"
    }

    /// The inputs that have to be there before it is known what it takes.
    private var unknownUntil: [String] {
        let experiment = layout.experiment
        switch work {
        case .base, .selection: return []
        case .traces(let arm):
            let models = layout.roles(of: arm, withTeacher: arm.kind.asksTeacher)
            return layout.unknownInputs(models, [experiment.problems])
        case .training(let arm): return layout.unknownTraining(arm)
        case .evaluation(let arm, _):
            return layout.unknownInputs(
                layout.roles(of: arm, withTeacher: false),
                experiment.benchmarks.map(\.source)
            )
        }
    }
}

extension RunLayout {
    /// A stage, or nil while something it depends on is not there.
    ///
    /// - Throws: What `stage` throws of anything that is there.
    public func ifPresent(_ stage: () throws -> Stage?) throws -> Stage? {
        do { return try stage() } catch let failure as Failure where failure.kind == .missingInput {
            return nil
        }
    }

    /// Inputs that are not there, in the order of the experiment file.
    fileprivate func missing(_ arms: [Arm]) -> [Plan.Missing] {
        var wanted: [Plan.Missing] = []
        for (key, model) in [
            ("models.teacher", experiment.teacher), ("models.student", experiment.student),
            ("models.mentor", experiment.mentor),
        ] {
            guard case .path(let path)? = model else { continue }
            wanted.append(Plan.Missing(key: key, path: path.path, source: path.source))
        }
        if let file = experiment.problems?.file {
            wanted.append(Plan.Missing(key: "problems", path: file.path, source: file.source))
        }
        for benchmark in experiment.benchmarks {
            guard let file = benchmark.source.file else { continue }
            let key = "benchmarks, \(benchmark.name)"
            wanted.append(Plan.Missing(key: key, path: file.path, source: file.source))
        }
        for arm in arms {
            let key = "arms.\(arm.name).traces"
            switch arm.traces?.origin {
            case .file(let file, _)?:
                wanted.append(Plan.Missing(key: key, path: file.path, source: file.source))
            case .experiment(let path, _)?:
                wanted.append(
                    Plan.Missing(key: key, path: path, source: "the file of another experiment")
                )
            case .problems?, nil: break
            }
        }
        for arm in arms where arm.kind != .base {
            guard let targets = arm.training.objective.usedTargets else { continue }
            let key = "arms.\(arm.name).training.teacherTargets"
            let source = "rsd-generate targets \(experiment.file) --to \(targets)"
            wanted.append(Plan.Missing(key: key, path: targets, source: source))
        }
        return wanted.filter { !FileManager.default.fileExists(atPath: $0.path) }
    }
}
