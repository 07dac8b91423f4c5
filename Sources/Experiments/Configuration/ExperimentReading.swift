import Basics
import Records

extension Experiment: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "name",
            \.name,
            .identifier,
            influence: .nothing,
            isRequired: true,
            "The folder of its runs and of its results."
        ),
        Key("description", \.description, .text, influence: .nothing, "What it is for, in words."),
        Key(
            "seeds",
            \.seeds,
            .list("whole numbers of at least 0", of: .seed, most: longestList),
            "Root seeds; every one is run and reported."
        ),
        .map(
            "models",
            required: "a map with student and teacher",
            models,
            "The models."
        ),
        Key(
            "problems",
            "a map",
            influence: .indirect,
            shown: "none",
            "The problems that traces are generated for."
        ) { experiment, reader in
            experiment.problems = reader.map("problems").flatMap { problems in
                defer { problems.finish() }
                return ProblemSource(problems)
            }
        },
        Key(
            "benchmarks",
            "a list of maps",
            influence: .indirect,
            shown: "required",
            "What models are scored on."
        ) { experiment, reader in
            experiment.benchmarks = Benchmark.readAll(reader)
        },
        Key(
            "contamination",
            \.contamination,
            .word,
            influence: .nothing,
            "What to do about problems that are also in a benchmark."
        ),
        .map(
            "template",
            \.template,
            "How problems are put to the models; a word is its preset."
        ),
        .map("answers", \.answers, "How completions state their answers."),
        .map("generation", \.generation, "How tries are generated, unless an arm says otherwise."),
        Key(
            "selection",
            "a map",
            influence: .indirect,
            shown: "",
            "Which tries are trained on, unless an arm says otherwise."
        ) { _, reader in
            // Each arm reads it again, over the filter of its kind.
            _ = SelectionSettings().reading(reader.mapOrEmpty("selection"))
        },
        .map("training", \.training, "How students are trained, unless an arm says otherwise."),
        .map("evaluation", \.evaluation, "How models are sampled on the benchmarks."),
        Key(
            "grid",
            "a map of names to maps of key paths to lists of values",
            influence: .indirect,
            shown: "none",
            "The tables of a sweep: every combination of the values is an experiment."
        ) { experiment, reader in
            experiment.grids = Grid.readAll(reader)
        },
        Key(
            "arms",
            "a map of names to maps",
            influence: .indirect,
            shown: "required",
            "What is compared, in the order of the table."
        ) { experiment, reader in
            experiment.readArms(reader)
        },
    ]

    private static let models: [Key<Self>] = [
        Key(
            "student",
            "a map",
            influence: .indirect,
            shown: "required",
            "The student before any training of this experiment."
        ) { experiment, reader in
            if !reader.has("student") { reader.missing("student", "a map with path or scratch") }
            if let model = reader.map("student").flatMap({ ModelSource($0) }) {
                experiment.student = model
            }
        },
        Key(
            "teacher",
            "a map",
            influence: .indirect,
            shown: "none",
            "The teacher, where an arm needs one."
        ) { experiment, reader in
            experiment.teacher = reader.map("teacher").flatMap { ModelSource($0) }
        },
        Key(
            "mentor",
            "a map",
            influence: .indirect,
            shown: "none",
            "A third model, for arms with `model: mentor`."
        ) { experiment, reader in
            experiment.mentor = reader.map("mentor").flatMap { ModelSource($0) }
        },
    ]

    private mutating func readArms(_ root: ConfigurationReader) {
        if !root.has("arms") { root.missing("arms", "a map such as {base: {kind: base}}") }
        let all = root.mapOrEmpty("arms")
        if root.has("arms"), all.object.members.isEmpty {
            root.missing("arms", "at least one, such as {base: {kind: base}}")
        }
        guard root.checkCount(all.object.members.count, of: "arms") else { return }
        arms = all.object.members.compactMap { name, _ in
            guard let reader = all.map(name) else { return nil }
            if !ValueKind<String>.isIdentifier(name) {
                root.report.add(
                    reader.place,
                    "found the name '\(name)'; expected letters, digits, '.', '_' and '-'"
                )
            }
            return Arm(name, reader, in: root, isThinking: template.isThinking)
        }
    }

    init(_ document: ConfigurationFile, text: String, variant: Variant?) throws {
        self.init(file: document.path, text: text)
        self.variant = variant
        let report = ConfigurationReport(document)
        var object = document.root.object ?? JSONObject()
        // A word alone is the preset of a template.
        if let preset = object["template"]?.string {
            object["template"] = ["preset": .string(preset)]
        }
        let root = ConfigurationReader(object, at: "", report)
        read(root)
        // Models trained from scratch have no template of their own.
        let arePublished = [student, teacher].contains { model in
            if case .path? = model { true } else { false }
        }
        if !root.has("template"), arePublished { template = .standard }
        if Set(seeds).count < seeds.count {
            report.add("seeds", "a seed occurs twice; expected different seeds")
        }
        ArmReferences(arms: arms).check(report)
        checkArms(root, document)
        root.finish()
        try report.finish()
    }

    /// Notes what arms need and the rest of the file does not have.
    private func checkArms(_ root: ConfigurationReader, _ document: ConfigurationFile) {
        let report = root.report
        for arm in arms {
            for (section, seed) in [
                ("generation", arm.generation.seed), ("training", arm.training.seed),
            ] {
                guard let seed, !seeds.contains(seed) else { continue }
                let written = "arms.\(arm.name).\(section).seed"
                report.add(
                    document.lines[written] == nil ? "\(section).seed" : written,
                    "found \(seed); expected one of the experiment's seeds"
                )
            }
        }
        for arm in arms where !arm.forerunners.isEmpty {
            guard let seed = arm.generation.seed, seed != seeds.first else { continue }
            report.add(
                "arms.\(arm.name).\(arm.student == nil ? "teacher" : "student")",
                "its traces are made once, with seed \(seed), whose student is trained later; "
                    + "expected the first of the seeds"
            )
        }
        for arm in arms {
            guard case .problems? = arm.traces?.origin, !root.has("problems") else { continue }
            report.add("arms.\(arm.name).traces", "takes solutions, and there are no problems")
        }
        func has(_ role: ModelRole) -> Bool {
            root.member("models")?[role.rawValue].map { !$0.isNull } ?? false
        }
        for arm in arms where arm.model != .student && !has(arm.model) {
            report.add("arms.\(arm.name).model", "there is no models.\(arm.model.rawValue)")
        }
        let hasTeacher = has(.teacher)
        for arm in arms where arm.isGenerated {
            let place = "arms.\(arm.name)"
            if !root.has("problems") {
                report.add(place, "generates traces, and there are no problems to generate for")
            }
            if !hasTeacher && arm.teacher == nil && arm.kind.asksTeacher {
                report.add(place, "is of kind \(arm.kind.rawValue), and there is no teacher")
            }
        }
        for arm in arms where arm.kind == .onPolicy && !root.has("problems") {
            report.add(
                "arms.\(arm.name)",
                "its student writes at problems, and there are no problems"
            )
        }
        for arm in arms where arm.kind == .onPolicy && arm.training.multiTask != nil {
            report.add(
                "arms.\(arm.name).training.multiTask",
                "trains an answer beside each trace, and rollouts have none; expected null"
            )
        }
        if evaluation.rank != nil,
            !benchmarks.contains(where: { $0.samples ?? evaluation.samples > 1 })
        {
            report.add(
                "evaluation.rank",
                "compares samples of a question, and there is one of each; expected samples of at "
                    + "least 2"
            )
        }
        for mistake in ObjectiveSettings.check(arms, hasTeacher: hasTeacher, document) {
            report.add(mistake.place, mistake.message, remedy: mistake.remedy)
        }
    }
}
