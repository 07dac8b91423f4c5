import Basics
import Foundation
import Records

/// Everything an experiment file says, checked, with every default filled in.
public struct Experiment: Sendable {
    /// The file it was read from.
    public var file: String
    /// The file's text.
    let text: String
    /// Its name: the folder of its runs and of its results.
    public var name = ""
    /// The combination of a grid that this is; nil for the experiment itself.
    public var variant: Variant?
    /// What it is for, in words.
    public var description = ""
    /// Root seeds; every one is run and reported.
    public var seeds: [UInt64] = [1]
    /// The teacher; nil when no arm needs one.
    public var teacher: ModelSource?
    /// A third model, which arms may train; nil when there is none.
    public var mentor: ModelSource?
    /// The student before any training of this experiment.
    public var student = ModelSource.path(ModelPath())
    /// The problems that traces are generated for; nil when no arm generates.
    public var problems: ProblemSource?
    /// What models are scored on.
    public var benchmarks: [Benchmark] = []
    /// What to do about problems that are also in a benchmark.
    public var contamination = ContaminationPolicy.warn
    /// How problems are put to the models.
    public var template = PromptSettings()
    /// How completions state their answers.
    public var answers = AnswerSettings()
    /// How tries are generated, unless an arm says otherwise.
    public var generation = GenerationSettings()
    /// How students are trained, unless an arm says otherwise.
    public var training = TrainingSettings()
    /// How models are sampled on the benchmarks.
    public var evaluation = EvaluationSettings()
    /// What is compared, in the order of the table.
    public var arms: [Arm] = []
    /// Arms of the file that are left out, and that those in `arms` may still refer to.
    public var otherArms: [Arm] = []
    /// The grids of a sweep; empty for a plain experiment.
    public var grids: [Grid] = []

    /// An experiment in which every key has its default.
    init(file: String, text: String) {
        self.file = file
        self.text = text
    }

    /// The experiment with one of its seeds alone; as it is for nil.
    ///
    /// - Throws: `Failure.configuration` naming the seeds that it has.
    public func restricted(toSeed seed: UInt64?) throws -> Experiment {
        guard let seed else { return self }
        guard seeds.contains(seed) else {
            throw Failure(
                .configuration,
                file: file,
                at: "seeds",
                "has no seed \(seed); its seeds: "
                    + seeds.map(String.init).joined(separator: ", ")
            )
        }
        var copy = self
        copy.seeds = [seed]
        return copy
    }

    /// The experiment as its table shows it: without the arms that are no rows of it.
    public var scored: Experiment { leavingOut(arms.filter { !$0.isScored }.map(\.name)) }

    /// The arms, and those that are only no rows of the table.
    public var contributors: [Arm] { arms + otherArms.filter { !$0.isScored } }

    private func leavingOut(_ names: [String]) -> Experiment {
        var copy = self
        copy.arms.removeAll { names.contains($0.name) }
        copy.otherArms += arms.filter { names.contains($0.name) }
        return copy
    }

    /// A combination of a grid's values.
    public struct Variant: Sendable {
        /// The grid's name.
        public var grid: String
        /// Names the combination, such as `strength/steps=450`.
        public var name: String
        /// The keys that differ from the file, with their values here.
        public var parameters: [(key: String, value: JSON)]
    }

    /// Reads an experiment file.
    ///
    /// - Throws: `Failure.missingInput` without a file, `Failure.configuration` listing every
    ///   mistake in it: unknown keys, missing keys, values of the wrong kind or out of range.
    public static func read(_ path: String) throws -> Experiment {
        var data = try TextFile.read(path)
        if let failure = TextFile.foreignFormat(data, expected: "an experiment file, YAML in UTF-8")
        {
            throw Failure(
                .configuration,
                file: path,
                failure.message,
                remedy: failure.remedy
            )
        }
        // A byte-order mark, which the YAML reader would count as a column.
        data = data.dropFirst(TextFile.markLength(data))
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Failure(.configuration, file: path, "is not UTF-8 text")
        }
        return try Experiment(text: text, file: path)
    }

    /// Reads the text of an experiment file.
    ///
    /// - Throws: `Failure.configuration` listing every mistake.
    public init(text: String, file: String) throws {
        try self.init(ConfigurationFile(text: text, path: file), text: text, variant: nil)
        // A mistake inside a grid shows when the file is read, not hours later.
        _ = try variants
    }

    /// The arm of a given name.
    ///
    /// - Throws: `Failure.configuration` naming the known arms.
    public func arm(_ name: String) throws -> Arm {
        guard let arm = (arms + otherArms).first(where: { $0.name == name }) else {
            throw Failure(
                .configuration,
                file: file,
                at: "arms",
                "has no arm '\(name)'; known arms: \(arms.map(\.name).joined(separator: ", "))"
            )
        }
        return arm
    }

    /// The experiments of a sweep, one a combination of each grid; without grids, this one alone.
    public var variants: [Experiment] {
        get throws {
            guard variant == nil, !grids.isEmpty else { return [self] }
            let document = try ConfigurationFile(text: text, path: file)
            return try grids.flatMap { grid in
                try grid.combinations.map { combination in
                    var copy = document
                    for (key, value) in combination {
                        let keys = key.split(separator: ".").map(String.init)
                        guard let root = copy.root.replacing(keys[...], with: value) else {
                            throw Failure(
                                .configuration,
                                file: file,
                                at: "line \(document.lines["grid.\(grid.name)"] ?? 1): "
                                    + "grid.\(grid.name)",
                                "'\(key)' leads nowhere in this file",
                                remedy: "Write the full path of a key, such as "
                                    + "generation.acceptanceThreshold; its map must be there."
                            )
                        }
                        copy.root = root
                    }
                    let label = combination.map { key, value in
                        "\(key.split(separator: ".").last ?? "")=\(value.string ?? value.compact)"
                    }.joined(separator: ",")
                    return try Experiment(
                        copy,
                        text: text,
                        variant: Variant(
                            grid: grid.name,
                            name: "\(grid.name)/\(label)",
                            parameters: combination
                        )
                    ).leavingOut(otherArms.map(\.name))
                }
            }
        }
    }
}
