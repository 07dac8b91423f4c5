import Basics
import Foundation
import Kernels
import Records

/// The models of an experiment.
public enum ModelRole: String, Sendable, CaseIterable {
    /// Proposes tokens.
    case teacher
    /// Judges them, and is trained.
    case student
    /// A third one, which an arm may train and others be taught by.
    case mentor
}

/// Where every stage of an experiment keeps its outputs.
///
/// A folder's name holds the hash of all its contents depend on: settings, digests of input files,
/// the hashes of the stages before it. What changes nothing (batch sizes of decoding, how often
/// checkpoints are written, `--limit`, shards) is left out. Verdicts are left out too: they are
/// made again from the stored text, so selection and report grade anew.
public struct RunLayout: Sendable {
    /// The experiment.
    public let experiment: Experiment
    /// Where its stages live.
    public let runsFolder: String
    /// Where its tables and plots go.
    public let resultsFolder: String
    let digests: InputDigests
    /// The variables that say where runs and results are.
    let environment: [String: String]

    /// Lays out an experiment below the folders `RSD_RUNS` (default `runs`) and `RSD_RESULTS`
    /// (default `results`).
    ///
    /// The variants of a sweep share one memory of `digests`; without one the runs' own is opened.
    public init(
        _ experiment: Experiment,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        digests: InputDigests? = nil
    ) {
        self.experiment = experiment
        self.environment = environment
        let runs = Self.root("RSD_RUNS", "runs", environment)
        runsFolder = "\(runs)/\(experiment.name)"
        let results = "\(Self.resultsRoot(environment))/\(experiment.name)"
        resultsFolder = experiment.variant.map { "\(results)/\($0.name)" } ?? results
        self.digests = digests ?? InputDigests(cache: "\(runs)/digests.json")
    }

    /// The folder below which all experiments have their results.
    static func resultsRoot(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        root("RSD_RESULTS", "results", environment)
    }

    private static func root(
        _ name: String,
        _ standard: String,
        _ environment: [String: String]
    ) -> String {
        environment[name].flatMap { $0.isEmpty ? nil : $0 } ?? standard
    }

    func stage(_ kind: Stage.Kind, _ label: String, _ seed: UInt64, _ inputs: JSON) -> Stage {
        let versioned: JSON = ["stage": .string(kind.rawValue), "schema": 1, "inputs": inputs]
        return Stage(kind, label: label, seed: seed, inputs: versioned, in: runsFolder)
    }

    /// The source of a model.
    ///
    /// - Throws: `Failure.configuration` when the experiment has no such model.
    public func source(_ role: ModelRole) throws -> ModelSource {
        let source: ModelSource? =
            switch role {
            case .student: experiment.student
            case .teacher: experiment.teacher
            case .mentor: experiment.mentor
            }
        guard let source else {
            throw Failure(
                .configuration,
                file: experiment.file,
                at: "models",
                "has no \(role.rawValue)"
            )
        }
        return source
    }

    /// The stage that trains a model from scratch; nil for a model that exists already.
    ///
    /// - Throws: `Failure.configuration` when the experiment has no teacher.
    public func base(_ role: ModelRole, seed: UInt64) throws -> Stage? {
        guard case .scratch(let scratch) = try source(role) else { return nil }
        let own = scratch.seed(run: seed)
        return stage(
            .base,
            role.rawValue,
            own,
            ["model": scratch.json, "seed": .integer(Int(own))]
        )
    }

    /// Where a model's weights are, whether or not they have been made.
    ///
    /// - Throws: `Failure.configuration` when the experiment has no teacher.
    public func modelPath(_ role: ModelRole, seed: UInt64) throws -> String {
        if let stage = try base(role, seed: seed) { return stage.model }
        guard case .path(let model) = try source(role) else { return "" }
        return model.path
    }

    /// What a stage depends on when it depends on a model.
    func modelKey(_ role: ModelRole, seed: UInt64) throws -> JSON {
        switch try source(role) {
        case .scratch: .string(try base(role, seed: seed)?.hash ?? "")
        case .path(let model):
            .string(
                try digests.digest(
                    of: model.path,
                    source: model.source,
                    withTemplate: experiment.template.isOfModel
                )
            )
        }
    }

    /// What a stage depends on when it depends on the student that an arm starts from.
    ///
    /// - Throws: `Failure.missingInput` when that student's own traces have not been selected yet.
    func studentKey(_ arm: Arm, seed: UInt64) throws -> JSON {
        guard let name = arm.student else { return try modelKey(arm.model, seed: seed) }
        return .string(try training(experiment.arm(name), seed: seed)?.hash ?? "")
    }

    /// What a stage depends on when it depends on an arm's teacher.
    ///
    /// - Throws: `Failure.missingInput` when the traces of the arm that teaches have not been selected
    ///   yet.
    private func teacherKey(_ arm: Arm, seed: UInt64) throws -> JSON {
        guard let name = arm.teacher else { return try modelKey(.teacher, seed: seed) }
        return .string(try training(experiment.arm(name), seed: seed)?.hash ?? "")
    }

    /// Which model the student of an arm was before all training.
    func role(of arm: Arm) throws -> ModelRole {
        try arm.student.map { try role(of: experiment.arm($0)) } ?? arm.model
    }

    /// Which model the teacher of an arm was before all training.
    func teacherRole(of arm: Arm) throws -> ModelRole {
        try arm.teacher.map { try role(of: experiment.arm($0)) } ?? .teacher
    }

    /// Where the weights are of the student that an arm starts from.
    ///
    /// - Throws: As `studentKey`.
    public func studentPath(_ arm: Arm, seed: UInt64) throws -> String {
        guard let name = arm.student else { return try modelPath(arm.model, seed: seed) }
        return try trainedModelPath(experiment.arm(name), seed: seed)
    }

    /// Where the weights are of an arm's teacher.
    ///
    /// - Throws: As `studentPath`; `Failure.configuration` when there is none.
    public func teacherPath(_ arm: Arm, seed: UInt64) throws -> String {
        guard let name = arm.teacher else { return try modelPath(.teacher, seed: seed) }
        return try trainedModelPath(experiment.arm(name), seed: seed)
    }

    /// The digest of problems, read or drawn once however many stages depend on them.
    ///
    /// `draw` tells apart draws from one source: the seed, or the benchmark's name.
    func digest(
        of source: ProblemSource,
        draw: String,
        _ problems: () throws -> ProblemSet
    ) throws -> JSON {
        if let file = source.file, !FileManager.default.fileExists(atPath: file.path) {
            throw Failure(.missingInput, file: file.path, "no such file", remedy: file.source)
        }
        return .string(try digests.digest(named: "\(source) \(draw)") { try problems().digest })
    }

    /// The problems that traces are generated for.
    ///
    /// - Throws: `Failure` when they are missing or malformed.
    public func problems(seed: UInt64) throws -> ProblemSet {
        guard let source = experiment.problems else {
            throw Failure(.configuration, file: experiment.file, "has no problems")
        }
        return try placed("problems") { try source.trainingProblems(seed: seed) }
    }

    /// Says where in the experiment file something stands that turned out to be wrong.
    private func placed<T>(_ place: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch var failure as Failure where failure.file == nil {
            failure.file = experiment.file
            failure.place = place
            throw failure
        }
    }

    /// The stage that generates an arm's tries; nil for an arm that generates none.
    ///
    /// Arms of one policy and equal settings share it, and so do all seeds under a seed of
    /// `generation`.
    /// - Throws: `Failure` when an input is missing or malformed.
    public func traces(_ arm: Arm, seed: UInt64) throws -> Stage? {
        guard arm.isGenerated, let policy = arm.kind.policy, experiment.problems != nil else {
            return nil
        }
        let seed = problemSeed(arm, seed: seed)
        var inputs: [(key: String, value: JSON)] = [
            ("student", try studentKey(arm, seed: seed)),
            ("problems", try problemsDigest(arm, seed: seed)),
            ("template", experiment.template.json), ("generation", arm.generation.json),
            ("seed", .integer(Int(seed))),
        ]
        if policy.asksTeacher { inputs.append(("teacher", try teacherKey(arm, seed: seed))) }
        return stage(.traces, policy.rawValue, seed, .object(JSONObject(inputs)))
    }

    /// The stage that trains an arm's student; nil for the base arm.
    ///
    /// It depends on the selected traces themselves, so training starts anew when more tries have
    /// been generated and selected.
    /// - Throws: `Failure.missingInput` when nothing has been selected yet.
    public func training(_ arm: Arm, seed: UInt64) throws -> Stage? {
        guard arm.kind != .base else { return nil }
        let seed = arm.training.seed ?? seed
        var inputs = JSONObject([("student", try studentKey(arm, seed: seed))])
        if let selected = try trainedTraces(arm, seed: seed) {
            inputs["selected"] = .string(
                try digests.digest(
                    of: selected.selected,
                    source: "Make and select its traces first: rsd-generate run "
                        + "\(experiment.file) --arm \(selected.label)"
                )
            )
        }
        inputs["training"] = arm.training.json
        inputs["template"] = experiment.template.json
        inputs["seed"] = .integer(Int(seed))
        if arm.kind == .onPolicy {
            inputs["onPolicy"] = arm.onPolicy.json
            inputs["problems"] = try problemsDigest(arm, seed: seed)
        }
        if arm.training.multiTask != nil { inputs["answers"] = experiment.answers.json }
        if arm.training.objective.asksTeacher {
            inputs["teacher"] = try teacherKey(arm, seed: seed)
        }
        if let targets = arm.training.objective.usedTargets {
            let source = "Write it: rsd-generate targets \(experiment.file) --to \(targets)"
            inputs["targets"] = .string(try digests.digest(of: targets, source: source))
        }
        return stage(.training, arm.name, seed, .object(inputs))
    }

    /// The stage whose selected traces an arm's training takes; nil for one that takes none.
    ///
    /// - Throws: `Failure` when an input is missing or malformed.
    public func trainedTraces(_ arm: Arm, seed: UInt64) throws -> Stage? {
        try arm.selectingArm.flatMap { try selection(experiment.arm($0), seed: seed) }
    }

    /// The seed that an arm's problems and tries are drawn with.
    public func problemSeed(_ arm: Arm, seed: UInt64) -> UInt64 { arm.generation.seed ?? seed }

    private func problemsDigest(_ arm: Arm, seed: UInt64) throws -> JSON {
        guard let problems = experiment.problems else { return .null }
        let seed = problemSeed(arm, seed: seed)
        return try digest(of: problems, draw: "seed \(seed)") { try self.problems(seed: seed) }
    }

    /// Where the weights are that an arm is scored with, at the end or after some steps: the base
    /// student's for the base arm.
    ///
    /// - Throws: `Failure.missingInput` when nothing has been selected yet.
    public func trainedModelPath(_ arm: Arm, seed: UInt64, step: Int? = nil) throws -> String {
        guard let stage = try training(arm, seed: seed) else {
            return try studentPath(arm, seed: seed)
        }
        return step.map(stage.model(afterStep:)) ?? stage.model
    }

    /// The stage that samples an arm's student on the benchmarks: as trained, or as it was after some
    /// step.
    ///
    /// - Throws: `Failure` when an input is missing, or nothing has been selected yet.
    public func evaluation(_ arm: Arm, seed: UInt64, step: Int? = nil) throws -> Stage {
        let seed = arm.training.seed ?? seed
        let trained = try training(arm, seed: seed).map { JSON.string($0.hash) }
        let benchmarks = try experiment.benchmarks.map { benchmark -> JSON in
            var members = JSONObject([
                ("name", .string(benchmark.name)),
                (
                    "problems",
                    try digest(of: benchmark.source, draw: benchmark.name) {
                        try placed("benchmarks, \(benchmark.name)") { try benchmark.problems() }
                    }
                ),
            ])
            if let samples = benchmark.samples { members["samples"] = .integer(samples) }
            return .object(members)
        }
        var inputs = JSONObject([
            ("model", try trained ?? studentKey(arm, seed: seed)),
            ("benchmarks", .array(benchmarks)), ("template", experiment.template.json),
            ("evaluation", experiment.evaluation.json), ("seed", .integer(Int(seed))),
        ])
        if let step { inputs["step"] = .integer(step) }
        return stage(.evaluation, Self.label(arm, step: step), seed, .object(inputs))
    }

    /// The name of an arm's student in the folders of its samples.
    static func label(_ arm: Arm, step: Int?) -> String {
        step.map { "\(arm.name)-step\($0)" } ?? arm.name
    }
}
