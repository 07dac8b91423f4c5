import Basics
import Foundation
import Testing

@testable import Experiments

@Suite struct ExperimentMistakeTests {
    /// The keys of `training`, as a message lists them; the reference page pins which these are.
    static let trainingKeys = KeyRow.rows(of: TrainingSettings()).map(\.name)
        .joined(separator: ", ")

    static let oneMistake: [(more: String, expected: String)] = [
        (
            "training: {learing_rate: 3e-4}",
            "78: small.yaml: line 7: training.learing_rate: unknown key; known keys: "
                + trainingKeys
        ),
        (
            "training: {lora: {rank: 0}}",
            "78: small.yaml: line 7: training.lora.rank: found 0; expected a whole number from 1 "
                + "to 4096"
        ),
        (
            "training: {lora: {targets: [q_proj, lm_head]}}",
            "78: small.yaml: line 7: training.lora.targets: found a list of 'q_proj', 'lm_head'; "
                + "expected a list of "
                + "different ones of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj"
        ),
        (
            "training: {lora: {r: 8}}",
            "78: small.yaml: line 7: training.lora.r: unknown key; known keys: rank, targets, alpha"
        ),
        (
            "trainning: {}",
            "78: small.yaml: line 7: trainning: unknown key; known keys: name, description, seeds, "
                + "models, problems, benchmarks, contamination, template, answers, generation, "
                + "selection, training, evaluation, grid, arms"
        ),
        (
            "training: {epochs: many}",
            "78: small.yaml: line 7: training.epochs: found 'many'; expected a whole number from 1 "
                + "to 1000000"
        ),
        (
            "training: {epochs: 1.5}",
            "78: small.yaml: line 7: training.epochs: found 1.5; expected a whole number from 1 to "
                + "1000000"
        ),
        (
            "training: {recompute: no}",
            "78: small.yaml: line 7: training.recompute: found 'no'; expected one of auto, none, "
                + "feedForward, layers"
        ),
        (
            "generation: {teacher: {topP: 1.5}}",
            "78: small.yaml: line 7: generation.teacher.topP: found 1.5; expected a number from "
                + "1e-06 to 1"
        ),
        (
            "generation: {acceptanceThreshold: -0.1}",
            "78: small.yaml: line 7: generation.acceptanceThreshold: found -0.1; expected a number "
                + "of at least 0"
        ),
        (
            "generation: {preset: papers}",
            "78: small.yaml: line 7: generation.preset: found 'papers'; expected one of paper, "
                + "reference-code"
        ),
        (
            "generation: [1]",
            "78: small.yaml: line 7: generation: found a list of 1; expected a map"
        ),
        (
            "template: {prompt: no hole}",
            "78: small.yaml: line 7: template.prompt: found 'no hole'; expected text that holds "
                + "{problem} once"
        ),
        (
            "answers: {style: boxed, start: x}",
            "78: small.yaml: line 7: answers.style: found 'boxed' with a start or an end; expected "
                + "marker"
        ),
        (
            "seeds: [1, 1]",
            "78: small.yaml: line 2: key 'seeds' occurs twice; expected every key once"
        ),
        (
            "grid: {a: {generation.nothing.here: [1]}}",
            "78: small.yaml: line 7: grid.a: 'generation.nothing.here' leads nowhere in this file\n"
                + "Write the full path of a key, such as generation.acceptanceThreshold; its map "
                + "must be there."
        ),
        (
            "grid: {a: {tries: [1]}}",
            "78: small.yaml: line 7: grid.a.tries: unknown key path; expected one that begins with "
                + "models, problems, generation, selection, training, evaluation"
        ),
        (
            "\tx: 1",
            "78: small.yaml: line 7: is not YAML: found a tab before the first word; expected "
                + "spaces\nIndent with spaces."
        ),
        (
            "description: @x",
            "78: small.yaml: line 7: is not YAML: found character that cannot start any token\nPut "
                + "a text that begins with @, % or ` between quotes."
        ),
        (
            "description: a: b",
            "78: small.yaml: line 7: is not YAML: mapping values are not allowed in this context\n"
                + "Put a text that holds a colon between quotes."
        ),
    ]

    @Test(arguments: oneMistake) func names(_ test: (more: String, expected: String)) {
        #expect(failureText { _ = try experiment(more: test.more) } == test.expected)
    }

    static let parts: [(models: String?, problems: String?, arms: String?, expected: String)] = [
        (
            "models: {student: {path: m.gguf}}", nil, nil,
            "78: small.yaml: line 6: arms.rsd: is of kind rsd, and there is no teacher"
        ),
        (
            "models: {student: {path: m.gguf, scratch: {}}}", nil, "arms: {base: {kind: base}}",
            "78: small.yaml: line 3: models.student: has both path and scratch; expected one"
        ),
        (
            "models: {student: {path: \"${RSD_UNSET_HERE}/m\"}}", nil, "arms: {base: {kind: base}}",
            "78: small.yaml: line 3: models.student.path: '${RSD_UNSET_HERE}/m' names the "
                + "environment variable RSD_UNSET_HERE, which is not set\nSet RSD_UNSET_HERE, or "
                + "write ${RSD_UNSET_HERE:-default}."
        ),
        (
            "models: {teacher: {path: x}}", nil, "arms: {base: {kind: base}}",
            "78: small.yaml: line 3: models.student: missing; expected a map with path or scratch"
        ),
        (
            nil, "problems: {limit: 3}", nil,
            "78: small.yaml: 2 mistakes\n  line 4: problems: expected path or chain\n"
                + "  line 4: problems.limit: unknown key; known keys: path, chain"
        ),
        (
            nil, "", nil,
            "78: small.yaml: line 6: arms.rsd: generates traces, and there are no problems to "
                + "generate for"
        ),
        (
            nil, nil, "arms: {rsd: {kind: rds}}",
            "78: small.yaml: line 6: arms.rsd.kind: found 'rds'; expected one of base, direct, "
                + "teacher-filtered, rsd, student-only, skd, hinted, on-policy"
        ),
        (
            nil, nil, "arms: {rsd: {}}",
            "78: small.yaml: line 6: arms.rsd.kind: missing; expected one of base, direct, "
                + "teacher-filtered, rsd, student-only, skd, hinted, on-policy"
        ),
        (
            nil, nil, "arms: {a b: {kind: base}}",
            "78: small.yaml: line 6: arms.a b: found the name 'a b'; expected letters, digits, "
                + "'.', '_' and '-'"
        ),
        (
            nil, nil, "arms: {rsd: {kind: rsd, traces: {path: x}}}",
            "78: small.yaml: line 6: arms.rsd.traces: an arm of kind rsd makes its own traces; "
                + "expected kind direct"
        ),
        (
            nil, "problems: {path: p.jsonl, seed: 3}", nil,
            "78: small.yaml: line 4: problems.seed: draws nothing without a limit; expected limit "
                + "beside it"
        ),
        (
            nil, "problems: {path: p.jsonl, where: {level: []}}", nil,
            "78: small.yaml: line 4: problems.where.level: found an empty list; expected a value or "
                + "a list "
                + "of values"
        ),
        (
            nil, nil, "arms: {own: {kind: direct, traces: {limit: 3}}}",
            "78: small.yaml: 2 mistakes\n  line 6: arms.own.traces: expected one of path, problems "
                + "and experiment\n  line 6: arms.own.traces.limit: unknown key; known keys: ending, "
                + "path, problems, experiment"
        ),
        (
            nil, "", "arms: {own: {kind: direct, traces: {problems: solution}}}",
            "78: small.yaml: line 6: arms.own.traces: takes solutions, and there are no problems"
        ),
        (
            nil, nil, "arms: {own: {kind: direct, traces: {experiment: x.yaml}}}",
            "78: small.yaml: line 6: arms.own.traces.arm: missing; expected an arm of that experiment"
        ),
        (
            nil, nil, "arms: {again: {kind: rsd, student: rsd}, rsd: {kind: rsd}}",
            "78: small.yaml: line 6: arms.again.student: found 'rsd'; expected an arm that comes "
                + "before this one and trains something"
        ),
        (
            nil, nil, "arms: {pupil: {kind: rsd, teacher: tutor}, tutor: {kind: rsd}}",
            "78: small.yaml: line 6: arms.pupil.teacher: found 'tutor'; expected an arm that comes "
                + "before this one and trains something"
        ),
        (
            nil, nil,
            "arms: {tutor: {kind: rsd, teacher: pupil}, pupil: {kind: rsd, teacher: tutor}}",
            "78: small.yaml: line 6: arms.tutor.teacher: found 'pupil'; expected an arm that comes "
                + "before this one and trains something"
        ),
        (
            nil, nil,
            "arms: {tutor: {kind: rsd}, own: {kind: student-only, teacher: tutor}}",
            "78: small.yaml: line 6: arms.own.teacher: neither its traces nor its objective ask a "
                + "teacher; expected no teacher"
        ),
        (
            nil, nil, "arms: {tutor: {kind: rsd, model: mentor}}",
            "78: small.yaml: line 6: arms.tutor.model: there is no models.mentor"
        ),
        (
            nil, nil, "arms: {base: {kind: base, model: teacher}}",
            "78: small.yaml: line 6: arms.base.model: found teacher; expected student, or another "
                + "name for the arm"
        ),
        (
            nil, nil,
            "arms: {a: {kind: rsd}, b: {kind: rsd, student: a, model: teacher}}",
            "78: small.yaml: line 6: arms.b.model: found teacher beside student, which says what is "
                + "trained already; expected one of the two"
        ),
        (
            nil, nil,
            "arms: {a: {kind: rsd}, b: {kind: rsd, teacher: a, match: {arms: [c]}}, "
                + "c: {kind: rsd, teacher: b}}",
            "78: small.yaml: line 6: arms.b.match.arms: the traces of 'c' wait for the student of 'b'"
        ),
        (
            nil, nil,
            "arms: {a: {kind: rsd, match: {arms: [b]}}, b: {kind: rsd, teacher: a}}",
            "78: small.yaml: line 6: arms.a.match.arms: 'b' is taught by 'a', so its traces come too "
                + "late"
        ),
        (
            nil, nil, "arms: {base: {kind: base}, rsd: {kind: rsd, match: {arms: [base]}}}",
            "78: small.yaml: line 6: arms.rsd.match.arms: found 'base'; expected arms that are "
                + "trained on traces: rsd"
        ),
        (
            nil, nil,
            "arms: {rsd: {kind: rsd, match: {arms: [again]}}, again: {kind: rsd, student: rsd}}",
            "78: small.yaml: line 6: arms.rsd.match.arms: 'again' starts from a trained student, so "
                + "its traces come too late"
        ),
        (
            nil, nil, "arms: {rsd: {kind: rsd, match: {arms: [rsd], targetTokens: false}}}",
            "78: small.yaml: line 6: arms.rsd.match: matches neither problems nor targetTokens"
        ),
        (
            nil, nil, "arms: {rsd: {kind: rsd, generation: {seed: 7}}}",
            "78: small.yaml: line 6: arms.rsd.generation.seed: found 7; expected one of the "
                + "experiment's seeds"
        ),
        (
            nil, nil, "arms: {skd: {kind: skd, generation: {skdTopK: 0}}}",
            "78: small.yaml: line 6: arms.skd.generation.skdTopK: found 0; expected a whole number "
                + "of at least 1"
        ),
        (
            nil, nil, "arms: {own: {kind: hinted, generation: {hint: \"{problem} Think.\"}}}",
            "78: small.yaml: line 6: arms.own.generation.hint: tells no answer; expected {answer} or "
                + "another member, such as {solution}"
        ),
        (
            nil, nil, "arms: {own: {kind: hinted, generation: {hint: \"It is {answer}.\"}}}",
            "78: small.yaml: line 6: arms.own.generation.hint: does not hold {problem}"
        ),
        (
            nil, nil, "arms: {own: {kind: hinted, generation: {relativeGate: {quantile: 0}}}}",
            "78: small.yaml: line 6: arms.own.generation.relativeGate.quantile: found 0; expected a "
                + "number from 0.01 to 1"
        ),
        (
            nil, nil, "arms: {a: {kind: rsd}, b: {kind: rsd, selection: {fallback: c}}}",
            "78: small.yaml: line 6: arms.b.selection.fallback: found 'c'; expected an arm that makes "
                + "its own traces and has no fallback: a"
        ),
        (
            nil, nil,
            "arms: {a: {kind: rsd, selection: {fallback: b}}, b: {kind: rsd, teacher: a}}",
            "78: small.yaml: line 6: arms.a.selection.fallback: the traces of 'b' wait for the "
                + "student of 'a'"
        ),
        (
            "models: {student: {path: m.gguf}}", nil, "arms: {skd: {kind: skd}}",
            "78: small.yaml: line 6: arms.skd: is of kind skd, and there is no teacher"
        ),
        (
            nil, nil, "arms: {rsd: {kind: rsd, selection: {maskBelow: 2, unsolvedPrefix: -1}}}",
            "78: small.yaml: 2 mistakes\n  line 6: arms.rsd.selection.unsolvedPrefix: found -1; "
                + "expected a whole number of at least 0\n  line 6: arms.rsd.selection.maskBelow: "
                + "found 2; expected a number from 0 to 1"
        ),
        (
            nil, nil, "arms: {rsd: {kind: rsd, training: {epoch: 3, batch: 0}}}",
            "78: small.yaml: 2 mistakes\n  line 6: arms.rsd.training.batch: found 0; expected a "
                + "whole number from 1 to 1000000\n  line 6: arms.rsd.training.epoch: unknown key; "
                + "known keys: \(trainingKeys)"
        ),
    ]

    @Test(arguments: parts) func namesInItsParts(
        _ test: (models: String?, problems: String?, arms: String?, expected: String)
    ) {
        var text = experimentText()
        if let models = test.models {
            text = text.replacing(/models: .*/, with: models)
        }
        if let problems = test.problems { text = text.replacing(/problems: .*/, with: problems) }
        if let arms = test.arms { text = text.replacing(/arms: .*/, with: arms) }
        #expect(failureText { _ = try Experiment(text: text, file: "small.yaml") } == test.expected)
    }

    @Test func reportsAllMistakesAtOnceInTheOrderOfTheFile() {
        let text = """
            name: bad name
            seeds: none
            models:
              student: {path: m.gguf, pth: 1}
            benchmarks:
              - {name: a, path: x.jsonl}
              - {name: a, path: x.jsonl}
              - 3
            arms:
              base: {kind: base}
            evaluation:
              samples: 0
              topP: high
            """
        let expected = """
            78: bad.yaml: 7 mistakes
              line 1: name: found 'bad name'; expected letters, digits, '.', '_' and '-', a letter \
            or digit first
              line 2: seeds: found 'none'; expected a list of whole numbers of at least 0
              line 4: models.student.pth: unknown key; known keys: path, scratch, source, shape
              line 7: benchmarks[1].name: 'a' occurs twice; expected other names
              line 8: benchmarks[2]: found 3; expected a map
              line 12: evaluation.samples: found 0; expected a whole number from 1 to 65535
              line 13: evaluation.topP: found 'high'; expected a number from 1e-06 to 1
            """
        #expect(failureText { _ = try Experiment(text: text, file: "bad.yaml") } == expected)
    }

    @Test func aMistakeInTheCommonPartIsNotRepeatedForEveryArm() {
        let text = failureText { _ = try experiment(more: "generation: {tries: 0}") }
        #expect(
            text
                == "78: small.yaml: line 7: generation.tries: found 0; expected a whole number from "
                + "1 to 65535"
        )
    }

    @Test func namesAMissingFile() {
        #expect(failureText { _ = try Experiment.read("no.yaml") } == "66: no.yaml: no such file")
    }

    @Test(arguments: [
        ("${A}/x", "one/x"), ("${B:-two}/${A}", "two/one"), ("${EMPTY:-three}", "three"),
        ("plain$", "plain$"), ("${A", "${A"), ("${B:-}x", "x"),
    ]) func expandsVariables(_ text: String, _ expected: String) throws {
        #expect(
            try EnvironmentExpansion.expand(text, ["A": "one", "EMPTY": ""]) == expected
        )
    }
}
