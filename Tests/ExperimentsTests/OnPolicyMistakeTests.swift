import Basics
import Testing

@testable import Experiments

/// What is refused of arms whose student writes what it is trained on.
@Suite struct OnPolicyMistakeTests {
    static let mistakes: [(models: String?, problems: String?, arms: String, expected: String)] = [
        (
            nil, nil, "arms: {own: {kind: on-policy, onPolicy: {onPolicyShare: 0.5, batch: 0}}}",
            "78: small.yaml: 2 mistakes\n  line 6: arms.own.onPolicy.batch: found 0; expected a whole "
                + "number from 1 to 65536\n  line 6: arms.own.onPolicy.traces: missing; with an "
                + "onPolicyShare of 0.5 expected an arm whose traces are the rest"
        ),
        (
            nil, nil,
            "arms: {base: {kind: base}, own: {kind: on-policy, onPolicy: {onPolicyShare: 0.5, traces: base}}}",
            "78: small.yaml: line 6: arms.own.onPolicy.traces: found 'base'; expected an arm that is "
                + "trained on traces: "
        ),
        (
            nil, nil, "arms: {rsd: {kind: rsd, onPolicy: {steps: 3}}}",
            "78: small.yaml: line 6: arms.rsd.onPolicy: found for an arm of kind rsd; expected kind "
                + "on-policy"
        ),
        (
            nil, nil, "arms: {own: {kind: on-policy, selection: {select: all}}}",
            "78: small.yaml: line 6: arms.own.selection: an arm of kind on-policy selects no traces: "
                + "its student writes them"
        ),
        (
            nil, nil, "arms: {own: {kind: on-policy, training: {objective: cross-entropy}}}",
            "78: small.yaml: line 6: arms.own.training.objective: found cross-entropy; an arm of kind "
                + "on-policy learns what a teacher says of its student's texts, so expected "
                + "reverse-kl, forward-kl, jsd or skew-kl"
        ),
        (
            "models: {student: {path: s.gguf}}", nil, "arms: {own: {kind: on-policy}}",
            "78: small.yaml: line 6: arms.own.training.objective: reverse-kl learns a teacher's "
                + "distributions, and there is no teacher\nGive models.teacher, or "
                + "training.teacherTargets, a file that rsd-generate targets wrote."
        ),
        (
            nil, "", "arms: {own: {kind: on-policy}}",
            "78: small.yaml: line 6: arms.own: its student writes at problems, and there are no "
                + "problems"
        ),
    ]

    @Test(arguments: mistakes) func areNamed(
        _ test: (models: String?, problems: String?, arms: String, expected: String)
    ) {
        var text = experimentText(arms: test.arms)
        if let models = test.models { text = text.replacing(/models: .*/, with: models) }
        if let problems = test.problems { text = text.replacing(/problems: .*/, with: problems) }
        #expect(failureText { _ = try Experiment(text: text, file: "small.yaml") } == test.expected)
    }
}
