import Basics
import Foundation
import Records

extension RunLayout {
    /// The stage that selects what an arm trains on, or copies it from elsewhere; nil for an arm
    /// without selected traces.
    ///
    /// - Throws: `Failure` when an input is missing or malformed.
    public func selection(_ arm: Arm, seed: UInt64) throws -> Stage? {
        let seed = arm.training.seed ?? seed
        guard arm.isSelected, var inputs = try selectionInputs(arm, seed: seed) else { return nil }
        if let matching = arm.matching {
            // Volumes are counted in the tokens that training would see.
            let others = try ([arm.name] + matching.arms).map { name -> (String, JSON) in
                let other = try experiment.arm(name)
                let own = try selectionInputs(other, seed: seed) ?? JSONObject()
                let length: JSON = [
                    .integer(other.training.maxLength), .string(other.training.overlong.rawValue),
                ]
                return (name, ["selection": .object(own), "length": length])
            }
            inputs["match"] = matching.json
            inputs["others"] = .object(JSONObject(others))
            inputs["student"] = try studentKey(arm, seed: seed)
            inputs["template"] = experiment.template.json
        }
        return stage(.selection, arm.name, seed, .object(inputs))
    }

    /// What an arm's selection depends on before it is matched with others; nil for the base arm.
    private func selectionInputs(_ arm: Arm, seed: UInt64) throws -> JSONObject? {
        guard let source = arm.traces else {
            guard let traces = try traces(arm, seed: seed) else { return nil }
            var inputs = JSONObject([
                ("traces", .string(traces.hash)), ("selection", arm.selection.json),
                ("answers", experiment.answers.json),
            ])
            if let name = arm.selection.fallback {
                let other = try selectionInputs(experiment.arm(name), seed: seed)
                inputs["fallback"] = .object(other ?? JSONObject())
            }
            return inputs
        }
        var inputs = JSONObject([("source", source.json)])
        var dependsOnStudent = arm.selection.maskBelow > 0
        switch source.origin {
        case .file(let file, _):
            inputs["external"] = .string(
                try digests.digest(of: file.path, source: file.source)
            )
        case .problems:
            guard let problems = experiment.problems else { return nil }
            inputs["problems"] = try digest(of: problems, draw: "seed \(seed)") {
                try self.problems(seed: seed)
            }
        case .experiment:
            let (_, stage) = try otherSelection(arm, seed: seed)
            inputs["external"] = .string(try digests.digest(of: stage.selected))
            dependsOnStudent = true
        }
        if dependsOnStudent {
            inputs["maskBelow"] = .number(arm.selection.maskBelow)
            inputs["student"] = try studentKey(arm, seed: seed)
            inputs["template"] = experiment.template.json
        }
        return inputs
    }
}
