import Basics
import Experiments
import Foundation
import Records

/// Finds out what the students of an experiment took, from the manifests and metrics of its stages.
///
/// Each arm is charged what it would take alone: a stage that arms share counts in full for each, and
/// so do the traces and the training of an arm whose student it starts from. The models that the
/// experiment begins with are given, and what an arm is matched with serves the comparison; neither is
/// charged.
struct CostLedger {
    private let graph: StageGraph

    /// Enumerates the stages behind the students of an experiment.
    ///
    /// - Throws: `Failure` when another experiment that an arm takes its traces from is malformed.
    init(_ layout: RunLayout) throws {
        graph = try StageGraph(layout, goals: [.training], isBorrowing: false)
    }

    private init(_ source: SourceArm) throws {
        graph = try StageGraph(
            source.layout,
            arms: [source.arm],
            goals: [.selection],
            isBorrowing: false
        )
    }

    /// What each arm took under each seed, in the order of the table.
    var costs: [ReportModel.Cost] {
        let experiment = graph.layout.experiment
        return experiment.arms.flatMap { arm in experiment.seeds.map { cost(of: arm, seed: $0) } }
    }

    private func cost(of arm: Arm, seed: UInt64) -> ReportModel.Cost {
        var cost = ReportModel.Cost.free(arm.name, seed)
        guard arm.kind != .base else { return cost }
        let place = graph.nodes.firstIndex { node in
            node.kind == .training && node.arm?.name == arm.name
                && node.seed == arm.training.seed ?? seed
        }
        guard let place, let stage = try? graph.nodes[place].stageIfKnown() else {
            return ReportModel.Cost(arm: arm.name, seed: seed)
        }
        cost.stage = stage.hash
        cost.steps = Self.results(stage)?["steps"]?.integer
        for part in charged(place) { cost.add(part) }
        return cost
    }

    /// What the stages behind a node took, and the node itself.
    private func charged(_ place: Int) -> [ReportModel.Cost] {
        var parts: [ReportModel.Cost] = []
        var open = [place]
        var seen: Set<Int> = []
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            let node = graph.nodes[next]
            parts += Self.part(node)
            open += node.needs.filter { need in !isForMatching(graph.nodes[need], of: node) }
        }
        return parts
    }

    /// Whether a selection reads tries only to be matched with them.
    private func isForMatching(_ need: StageGraph.Node, of node: StageGraph.Node) -> Bool {
        guard case .selection(let arm) = node.work, case .traces = need.work,
            let matching = arm.matching
        else { return false }
        func folder(_ arm: Arm) -> String? {
            (try? node.layout.ifPresent { try node.layout.traces(arm, seed: node.seed) })?.folder
        }
        let folders = matching.arms.compactMap { try? node.layout.experiment.arm($0) }.map(folder)
        let found = (try? need.stageIfKnown())?.folder
        return found != folder(arm) && folders.contains(found)
    }

    /// What one stage took.
    private static func part(_ node: StageGraph.Node) -> [ReportModel.Cost] {
        guard node.kind != .base, let arm = node.arm else { return [] }
        let stage = (try? node.stageIfKnown()).flatMap(\.self)
        var cost = ReportModel.Cost.free(arm.name, node.seed)
        switch node.work {
        case .traces:
            let tokens = tokenCount(stage.flatMap(results)?["tokens"])
            cost.sampledTokens = tokens
            // The teacher is asked at each position of what it has a part in, refused or not.
            cost.teacherTokens = arm.kind.asksTeacher ? tokens : 0
            cost.generationSeconds = stage.flatMap(seconds)
        case .selection:
            cost.generationSeconds = stage.flatMap(seconds)
            guard let traces = arm.traces else { break }
            let source =
                if case .experiment = traces.origin {
                    try? node.layout.sourceArm(of: arm, seed: node.seed).map(borrowed)
                } else { [ReportModel.Cost]?.none }
            // What it took to write texts elsewhere, nobody has recorded.
            (cost.teacherTokens, cost.generationSeconds) =
                source == nil ? (nil, nil) : (cost.teacherTokens, cost.generationSeconds)
            return [cost] + (source ?? [])
        case .training: add(stage, of: arm, to: &cost)
        case .base, .evaluation: break
        }
        return [cost]
    }

    /// What it took another experiment to make the traces of an arm.
    private static func borrowed(_ source: SourceArm) throws -> [ReportModel.Cost] {
        let ledger = try CostLedger(source)
        let place = ledger.graph.nodes.firstIndex { node in
            node.kind == .selection && node.arm?.name == source.arm.name
                && node.seed == source.seed
        }
        return place.map(ledger.charged) ?? []
    }

    private static func add(_ stage: Stage?, of arm: Arm, to cost: inout ReportModel.Cost) {
        let results = stage.flatMap(results)
        let steps = results?["steps"]?.integer
        let found = stage.flatMap { try? MetricsFile($0.file("metrics.jsonl")) }
        // A sum without some of the steps would pass for the whole.
        let rows = found.flatMap { $0.rows.count == steps ? $0.rows : nil }
        func sum(_ name: String) -> Double? {
            guard let rows, !rows.isEmpty else { return nil }
            let values = rows.compactMap { row in row.more.first { $0.name == name }?.value }
            guard values.count == rows.count, values.allSatisfy({ $0 >= 0 }) else { return nil }
            let total = values.reduce(0, +)
            return total < mostTokens ? total : nil
        }
        let tokens = rows?.map { row in row.tokens.map(Double.init) ?? .nan }.reduce(0, +)
        cost.trainingTokens = tokens.flatMap { $0 < mostTokens ? Int($0) : nil }
        let sampled = sum("sampled_tokens").map { Int($0) }
        cost.sampledTokens = sampled ?? 0
        cost.targetTokens =
            sum("target_tokens").map { Int($0) }
            // Every epoch trains all of them.
            ?? tokenCount(results?["target_tokens"]).map { $0 * arm.training.epochs } ?? sampled
        let objective = arm.training.objective
        cost.teacherTokens =
            sum("teacher_tokens").map { Int($0) }
            ?? (objective.asksTeacher
                ? cost.trainingTokens
                : objective.usedTargets == nil
                    ? 0 : cost.trainingTokens.map { $0 / arm.training.epochs })
        let all = stage.flatMap(seconds)
        let sampling = sum("sampling_seconds") ?? 0
        cost.generationSeconds = all.map { _ in sampling }
        cost.trainingSeconds = all.map { max(0, $0 - sampling) }
    }

    /// No run has more tokens, and no count of them overflows; damage makes such numbers.
    private static let mostTokens = 1e12

    private static func tokenCount(_ json: JSON?) -> Int? {
        json?.integer.flatMap { (0...Int(mostTokens)).contains($0) ? $0 : nil }
    }

    /// What a finished stage reports of itself.
    private static func results(_ stage: Stage) -> JSON? {
        finished(stage)?["results"]
    }

    /// The wall time of a finished stage with its interrupted runs; nil for one that cannot be.
    private static func seconds(_ stage: Stage) -> Double? {
        finished(stage).map(Manifest.seconds(of:)).flatMap { (0...1e11).contains($0) ? $0 : nil }
    }

    private static func finished(_ stage: Stage) -> JSON? {
        let manifest = try? TextFile.readJSON(stage.manifest)
        return manifest?["status"]?.string == Manifest.Status.finished.rawValue ? manifest : nil
    }
}
