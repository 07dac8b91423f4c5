import Basics

@testable import Experiments

/// A small experiment; `%` lines of the arguments are put in place of its parts.
func experimentText(
    models: String =
        "models: {student: {scratch: {hiddenSize: 8, layers: 1, heads: 1, pretraining: {steps: 2}}}, teacher: {scratch: {hiddenSize: 8, layers: 2, heads: 1, sharedAcrossSeeds: true, pretraining: {steps: 3, reflectiveShare: 0.75}}}}",
    problems: String = "problems: {chain: {count: 4}}",
    arms: String = "arms: {base: {kind: base}, rsd: {kind: rsd}}",
    more: String = ""
) -> String {
    """
    name: small
    seeds: [1, 2]
    \(models)
    \(problems)
    benchmarks: [{name: chain3, chain: {count: 5, operations: [3]}}]
    \(arms)
    \(more)
    """
}

func experiment(
    arms: String = "arms: {base: {kind: base}, rsd: {kind: rsd}}",
    more: String = ""
) throws -> Experiment {
    try Experiment(text: experimentText(arms: arms, more: more), file: "small.yaml")
}

/// The failure of a body as a person reads it.
func failureText(_ body: () throws -> Void) -> String {
    do { try body() } catch let failure as Failure {
        return "\(failure.kind.exitCode): \(failure)"
    } catch { return "\(error)" }
    return "no failure"
}
