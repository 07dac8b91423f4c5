import Basics

/// Does the stages of graphs in their order, each once however many graphs it is in.
public final class StageRunner {
    /// Does the work of one kind of stage.
    ///
    /// - Returns: Whether stages that read its outputs can go on.
    public typealias Worker = (StageGraph.Node, Stage) throws -> Bool

    private let workers: [Stage.Kind: Worker]
    /// Whether stages that read its outputs can go on, by the folder of each stage met so far.
    private var isDone: [String: Bool] = [:]

    /// A runner of the kinds of stages that it is given workers for; others are left as they are.
    public init(_ workers: [Stage.Kind: Worker]) { self.workers = workers }

    /// Does what the workers are for.
    ///
    /// A stage is left out where its arm has nothing to train on, and where one that it reads the
    /// outputs of was left out. Variants of a sweep may share stages.
    ///
    /// - Throws: What the workers throw.
    public func run(_ graph: StageGraph) throws {
        var stopped: Set<Int> = []
        for (place, node) in graph.nodes.enumerated() {
            guard let worker = workers[node.kind] else { continue }
            // What another process was still at work on may be finished by now.
            let isHeldBack = try node.needs.contains { need in
                try stopped.contains(need)
                    && graph.nodes[need].stageIfKnown()?.state != .finished
            }
            if try isHeldBack || !run(node, worker) { stopped.insert(place) }
        }
    }

    /// Does one stage.
    ///
    /// - Returns: Whether stages that read its outputs can go on.
    private func run(_ node: StageGraph.Node, _ worker: Worker) throws -> Bool {
        if let empty = try node.emptiness {
            // Of other arms that have nothing to train on, selection or training has told.
            if node.kind == .traces { StandardError.write(line: "warning: \(empty.text)") }
            return false
        }
        guard let stage = try node.stage() else { return true }
        if let known = isDone[stage.folder] { return known || stage.state == .finished }
        let result = try worker(node, stage)
        isDone[stage.folder] = result
        return result
    }
}

extension StageGraph.Node {
    /// Why its arm has nothing to train on, or to make traces with; nil where there is something.
    public var emptiness: EmptyArm? {
        get throws {
            switch work {
            case .base: return nil
            case .traces(let arm), .selection(let arm):
                let isHopeless = try arm.forerunners.contains { name in
                    try layout.emptiness(of: layout.experiment.arm(name), seed: seed) != nil
                }
                return isHopeless ? try layout.emptiness(of: arm, seed: seed) : nil
            case .training(let arm), .evaluation(let arm, _):
                return try layout.emptiness(of: arm, seed: seed)
            }
        }
    }
}

extension [StageGraph] {
    /// What a shard says of arms that start from the student of another arm, or are taught by it, whose
    /// tries are not all there yet; nil where there are none.
    ///
    /// - Throws: `Failure` when an input is missing or malformed.
    public func waiting(in file: String) throws -> Failure? {
        var names: [String] = []
        for graph in self {
            let experiment = graph.layout.experiment
            for seed in experiment.seeds {
                for arm in graph.arms {
                    for name in arm.forerunners {
                        let first = try experiment.arm(name)
                        guard try graph.layout.selection(first, seed: seed)?.state != .finished
                        else { continue }
                        let relation = name == arm.student ? "starts from" : "is taught by"
                        names.append(
                            "\(arm.name) with seed \(seed) \(relation) the student of '\(name)'"
                        )
                    }
                }
            }
        }
        guard !names.isEmpty else { return nil }
        return Failure(
            .interrupted,
            file: file,
            "not all is made yet, because other shards still make what it depends on: "
                + names.joined(separator: "; "),
            remedy: "When they are done, run again: \(RunEnvironment.resumeCommand)"
        )
    }

    /// What a program ends with after all else is done, where arms have nothing to train on.
    ///
    /// - Throws: `Failure` when an input is missing or malformed.
    public func emptyArms(in file: String) throws -> Failure? {
        try flatMap { try $0.layout.emptyArms($0.arms) }.failure(in: file)
    }
}
