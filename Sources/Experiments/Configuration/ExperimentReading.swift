import Records
import Basics
import Foundation

extension Experiment {
    init(_ document: ConfigurationFile, text: String, variant: Variant?) throws {
        let report = ConfigurationReport(document)
        let root = ConfigurationReader(document.root.object ?? JSONObject(), at: "", report)
        file = document.path
        self.text = text
        self.variant = variant
        name = Self.identifier(root, "name")
        description = root.string("description", default: "")
        seeds = root.integers("seeds", default: [1], in: 0...Int.max).map { UInt64($0) }
        if Set(seeds).count < seeds.count {
            report.add("seeds", "a seed occurs twice; expected different seeds")
        }
        let models = root.requiredMap("models", "a map with student and teacher")
        if !models.has("student") { models.missing("student", "a map with path or scratch") }
        let student = models.map("student").flatMap { ModelSource($0) }
        teacher = models.map("teacher").flatMap { ModelSource($0) }
        models.finish()
        problems = root.map("problems").flatMap { reader in
            defer { reader.finish() }
            return ProblemSource(reader)
        }
        benchmarks = Self.benchmarks(root)
        contamination = root.choice("contamination", default: ContaminationPolicy.warn) ?? .warn
        template = PromptSettings(Self.inner(root, "template"))
        answers = AnswerSettings(Self.inner(root, "answers"))
        let generation = GenerationSettings(Self.inner(root, "generation"))
        self.generation = generation
        _ = SelectionSettings(Self.inner(root, "selection"), default: TraceFilter())
        training = TrainingSettings(Self.inner(root, "training"))
        evaluation = EvaluationSettings(Self.inner(root, "evaluation"))
        grids = Self.grids(root)
        arms = Self.arms(root, isThinking: template.isThinking)
        ArmReferences(arms: arms).check(report)
        for arm in arms {
            guard let seed = arm.generation.seed, !seeds.contains(seed) else { continue }
            let own = "arms.\(arm.name).generation.seed"
            report.add(
                document.lines[own] == nil ? "generation.seed" : own,
                "found \(seed); expected one of the experiment's seeds"
            )
        }
        for arm in arms where arm.student != nil {
            guard let seed = arm.generation.seed, seed != seeds.first else { continue }
            report.add(
                "arms.\(arm.name).student",
                "its traces are made once, with seed \(seed), whose student is trained later; "
                    + "expected the first of the seeds"
            )
        }
        for arm in arms {
            guard case .problems? = arm.traces?.origin, problems == nil, !root.has("problems")
            else { continue }
            report.add("arms.\(arm.name).traces", "takes solutions, and there are no problems")
        }
        for arm in arms where arm.isGenerated {
            let place = "arms.\(arm.name)"
            if problems == nil && !root.has("problems") {
                report.add(place, "generates traces, and there are no problems to generate for")
            }
            if teacher == nil && arm.kind != .studentOnly && !models.has("teacher") {
                report.add(place, "is of kind \(arm.kind.rawValue), and there is no teacher")
            }
        }
        root.finish()
        try report.finish()
        guard let student else {
            throw Failure(.configuration, file: document.path, "has no student")
        }
        self.student = student
    }

    /// A name that can be part of a file name.
    private static func identifier(_ reader: ConfigurationReader, _ key: String) -> String {
        let expected = "letters, digits, '.', '_' and '-', a letter or digit first"
        if !reader.has(key) { reader.missing(key, expected) }
        return reader.optional(key, expected) { value in
            value.string.flatMap { isIdentifier($0) ? $0 : nil }
        } ?? ""
    }

    private static func isIdentifier(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,99}/) != nil
    }

    /// A map of the file, or an empty one whose keys all take their defaults.
    private static func inner(_ root: ConfigurationReader, _ key: String) -> ConfigurationReader {
        root.map(key) ?? ConfigurationReader(JSONObject(), at: key, root.report)
    }

    private static func benchmarks(_ root: ConfigurationReader) -> [Benchmark] {
        let items = root.optional("benchmarks", "a list", \.array) ?? []
        if items.isEmpty { root.missing("benchmarks", "a list of what to score on") }
        guard root.checkCount(items.count, of: "benchmarks") else { return [] }
        var benchmarks: [Benchmark] = []
        for (index, item) in items.enumerated() {
            let place = "benchmarks[\(index)]"
            guard let object = item.object else {
                root.report.add(place, "found \(item.shown); expected a map")
                continue
            }
            let reader = ConfigurationReader(object, at: place, root.report)
            let name = identifier(reader, "name")
            if benchmarks.contains(where: { $0.name == name }) {
                root.report.add("\(place).name", "'\(name)' occurs twice; expected other names")
            }
            let samples = reader.has("samples") ? reader.integer("samples", in: 1...65535) : nil
            if let source = ProblemSource(reader) {
                benchmarks.append(Benchmark(name: name, source: source, samples: samples))
            }
            reader.finish()
        }
        return benchmarks
    }

    private static func arms(_ root: ConfigurationReader, isThinking: Bool) -> [Arm] {
        let arms = root.requiredMap("arms", "a map such as {base: {kind: base}}")
        if root.has("arms"), arms.object.members.isEmpty {
            root.missing("arms", "at least one, such as {base: {kind: base}}")
        }
        guard root.checkCount(arms.object.members.count, of: "arms") else { return [] }
        return arms.object.members.compactMap { name, _ in
            guard let reader = arms.map(name) else { return nil }
            defer { reader.finish() }
            if !isIdentifier(name) {
                root.report.add(
                    reader.place,
                    "found the name '\(name)'; expected letters, digits, '.', '_' and '-'"
                )
            }
            guard let kind = reader.choice("kind", default: Arm.Kind?.none) else { return nil }
            // `rsd-train run --arm base` trains the models that start from scratch.
            if name == "base" && kind != .base {
                root.report.add(
                    reader.path("kind"),
                    "found \(kind.rawValue); expected base, or another name for the arm"
                )
            }
            let traces = reader.map("traces").flatMap { TraceSource($0) }
            if traces != nil && kind != .direct {
                root.report.add(
                    reader.path("traces"),
                    "an arm of kind \(kind.rawValue) makes its own traces; expected kind direct"
                )
            }
            let generation = GenerationSettings(laid(over: root, "generation", reader))
            // A direct arm takes traces as they come: the experiment's filter is not for it.
            let selection =
                kind == .direct
                ? inner(reader, "selection") : laid(over: root, "selection", reader)
            let filter = Arm.standardFilter(kind, isThinking: isThinking)
            var settings = SelectionSettings(selection, default: filter)
            // Every token of a student's own trace is the student's; a common limit on the share
            // of fallbacks would refuse them all.
            if kind == .studentOnly && reader.member("selection")?["maxFallbackRate"] == nil {
                settings.filter.maxFallbackRate = nil
            }
            return Arm(
                name: name,
                kind: kind,
                traces: traces,
                student: reader.optional("student", "the name of an arm", \.filled),
                matching: reader.map("match").map { Matching($0) },
                generation: kind.policy.map { generation.gated($0) } ?? generation,
                selection: settings,
                training: TrainingSettings(laid(over: root, "training", reader))
            )
        }
    }

    /// The experiment's settings with an arm's own laid over them.
    ///
    /// A mistake in the experiment's own part is reported there, not once more for every arm.
    private static func laid(
        over root: ConfigurationReader,
        _ key: String,
        _ arm: ConfigurationReader
    ) -> ConfigurationReader {
        let base = root.member(key) ?? .object(JSONObject())
        let own = arm.optional(key, "a map", \.object) ?? JSONObject()
        let report = arm.report.restrictedToWrittenKeys
        let merged = base.overlaid(with: .object(own))
        return ConfigurationReader(merged.object ?? JSONObject(), at: arm.path(key), report)
    }

    private static func grids(_ root: ConfigurationReader) -> [Grid] {
        guard let grids = root.map("grid") else { return [] }
        let known = ["models", "problems", "generation", "selection", "training", "evaluation"]
        guard root.checkCount(grids.object.members.count, of: "grid") else { return [] }
        var total = 0
        return grids.object.members.compactMap { name, _ in
            guard let reader = grids.map(name) else { return nil }
            if !isIdentifier(name) {
                root.report.add(reader.place, "found the name '\(name)'; expected letters, digits")
            }
            let axes = reader.object.members.compactMap { key, value -> (String, [JSON])? in
                guard known.contains(String(key.split(separator: ".").first ?? "")) else {
                    root.report.add(
                        reader.path(key),
                        "unknown key path; expected one that begins with "
                            + known.joined(separator: ", ")
                    )
                    return nil
                }
                guard let values = value.array, !values.isEmpty else {
                    root.report.add(reader.path(key), "found \(value.shown); expected a list")
                    return nil
                }
                return (key, values)
            }
            let grid = Grid(name: name, axes: axes)
            total += min(grid.count ?? .max, Grid.mostCombinations)
            guard let count = grid.count, count <= Grid.mostCombinations,
                total <= Grid.mostCombinations
            else {
                root.report.add(
                    reader.place,
                    "has \(grid.count.map(String.init) ?? "more than 2^63") combinations; expected "
                        + "at most \(Grid.mostCombinations), all grids together"
                )
                return nil
            }
            return grid
        }
    }
}
