import Basics
import Records

extension Experiment {
    /// The whole experiment with every default filled in, as manifests record it.
    public var merged: JSON {
        var members: [(key: String, value: JSON)] = [
            ("name", .string(name)), ("file", .string(RunEnvironment.relative(file))),
        ]
        if let variant {
            let parameters = JSONObject(variant.parameters)
            members.append(("variant", .string(variant.name)))
            members.append(("parameters", .object(parameters)))
        }
        members.append(("seeds", .integers(seeds)))
        var models: [(key: String, value: JSON)] = []
        if let teacher { models.append(("teacher", teacher.merged)) }
        models.append(("student", student.merged))
        if let mentor { models.append(("mentor", mentor.merged)) }
        members.append(("models", .object(JSONObject(models))))
        if let problems { members.append(("problems", problems.merged)) }
        members += [
            (
                "benchmarks",
                .array(
                    benchmarks.map { benchmark -> JSON in
                        var members = JSONObject([
                            ("name", .string(benchmark.name)),
                            ("source", benchmark.source.merged),
                        ])
                        if let samples = benchmark.samples {
                            members["samples"] = .integer(samples)
                        }
                        return .object(members)
                    }
                )
            ),
            ("contamination", .string(contamination.rawValue)),
            ("template", template.json), ("answers", answers.json),
            ("generation", generation.json), ("training", training.json),
            ("evaluation", evaluation.json),
            ("arms", .object(JSONObject(contributors.map { ($0.name, $0.merged) }))),
        ]
        return .object(JSONObject(members))
    }
}

extension ModelSource {
    var merged: JSON {
        switch self {
        case .path(let model): ["path": .string(RunEnvironment.relative(model.path))]
        case .scratch(let model): ["scratch": model.json]
        }
    }
}

extension Arm {
    var merged: JSON {
        var members: [(key: String, value: JSON)] = [("kind", .string(kind.rawValue))]
        if let traces {
            members.append(("traces", traces.merged))
        } else if isGenerated {
            members.append(("generation", generation.json))
        }
        if isSelected { members.append(("selection", selection.json)) }
        if let student { members.append(("student", .string(student))) }
        if model != .student { members.append(("model", .string(model.rawValue))) }
        if let teacher { members.append(("teacher", .string(teacher))) }
        if !isScored { members.append(("evaluate", .bool(false))) }
        if let matching { members.append(("match", matching.json)) }
        if kind != .base { members.append(("training", training.json)) }
        if kind == .onPolicy { members.append(("onPolicy", onPolicy.json)) }
        return .object(JSONObject(members))
    }
}
