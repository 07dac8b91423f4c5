import Basics

/// The jobs that make an experiment on many machines, each after all those before it: models from
/// scratch, tries in shards, their merge, a training of each arm and seed, samples, the report.
///
/// Where an arm starts from another's student or is taught by it, tries, merge and training come again
/// for it, in a round of their own. What is finished already is in no job.
public struct JobList: Sendable {
    /// A command of one of the programs.
    public struct Command: Sendable, Equatable {
        /// Its name, such as `rsd-train`.
        public var program: String
        /// Its arguments.
        public var arguments: [String]
    }

    /// How a job is divided among machines.
    public enum Division: Sendable, Equatable {
        /// All commands, one after the other, by one process at a time.
        case whole
        /// All commands by each of so many processes, with a share of the problems.
        case shards(Int)
        /// Each command by a process of its own.
        case tasks
    }

    /// Commands that may run once all earlier jobs have ended well.
    public struct Job: Sendable {
        /// What it makes, such as `traces`; with the number of its round from the second on.
        public var name: String
        /// What is run.
        public var commands: [Command]
        /// By how many processes.
        public var division: Division
        /// What one process takes; nil where it is not known.
        public var estimate: Estimate?

        /// How many processes it is.
        public var processCount: Int {
            switch division {
            case .whole: 1
            case .shards(let count): count
            case .tasks: commands.count
            }
        }
    }

    /// The name of the experiment.
    public let name: String
    /// The jobs in their order.
    public private(set) var jobs: [Job] = []

    private let file: String
    private var nodes: [OpenNode] = []
    private let hasRounds: Bool

    /// A node that is not finished, and how many trainings in a row come before it.
    private struct OpenNode {
        var node: StageGraph.Node
        var round: Int
    }

    /// Seconds that a shard should take where nobody says how many there are.
    private static let shardSeconds = 4.0 * 3600

    /// Lists what is left to do.
    ///
    /// - Parameters:
    ///   - graphs: All variants of the experiment, with all their stages.
    ///   - shards: Among how many processes tries are divided; by the estimates when left out.
    ///   - sampleShards: Among how many processes the samples of all arms are divided; each arm and seed
    ///     is one when left out.
    /// - Throws: `Failure` when an input is malformed.
    public init(_ graphs: [StageGraph], shards: Int? = nil, sampleShards: Int? = nil) throws {
        guard let experiment = graphs.first?.layout.experiment else {
            preconditionFailure("JobList: an experiment has a variant at least")
        }
        (name, file) = (experiment.name, experiment.file)
        var rounds = 0
        for graph in graphs {
            var depths: [Int] = []
            for node in graph.nodes {
                let before = node.needs.map {
                    depths[$0] + (graph.nodes[$0].kind == .training ? 1 : 0)
                }
                depths.append(before.max() ?? 0)
                if node.kind != .evaluation { rounds = max(rounds, depths.last ?? 0) }
                let state = try node.stageIfKnown().map { try node.state(of: $0) }
                if state != .finished {
                    nodes.append(OpenNode(node: node, round: depths.last ?? 0))
                }
            }
        }
        hasRounds = rounds > 0
        try prepare()
        for round in 0...rounds {
            try traces(round, shards)
            try merge(round)
            try tasks("training", "rsd-train", .training, round)
        }
        try samples(sampleShards)
        add("report", [command("rsd-evaluate", "report", [])], .whole, Estimate())
    }

    private func command(_ program: String, _ verb: String, _ more: [String]) -> Command {
        Command(program: program, arguments: [verb, file] + more)
    }

    private mutating func add(
        _ name: String,
        _ commands: [Command],
        _ division: Division,
        _ estimate: Estimate?,
        round: Int = 0
    ) {
        guard !commands.isEmpty else { return }
        let number = round > 0 ? "-\(round + 1)" : ""
        jobs.append(
            Job(name: name + number, commands: commands, division: division, estimate: estimate)
        )
    }

    /// The nodes of a kind, of this experiment itself.
    private func open(_ kind: Stage.Kind, _ round: Int? = nil) -> [StageGraph.Node] {
        nodes.filter { open in
            open.node.kind == kind && !open.node.isBorrowed && round ?? open.round == open.round
        }.map(\.node)
    }

    /// All that nodes take one after the other; nil where that is not known of one of them.
    private func total(_ nodes: [StageGraph.Node]) throws -> Estimate? {
        try nodes.reduce(Estimate() as Estimate?) { total, node in
            guard var total, let own = try node.estimate() else { return nil }
            total.seconds += own.seconds
            total.memoryBytes = max(total.memoryBytes, own.memoryBytes)
            return total
        }
    }

    /// Traces of other experiments, and models from scratch.
    private mutating func prepare() throws {
        let borrowed = nodes.map(\.node).filter(\.isBorrowed)
        var commands: [Command] = []
        for node in borrowed {
            guard case .selection(let arm) = node.work else { continue }
            let command = Command(
                program: "rsd-generate",
                arguments: ["run", node.layout.experiment.file, "--arm", arm.name]
            )
            if !commands.contains(command) { commands.append(command) }
        }
        let base = open(.base)
        if !base.isEmpty { commands.append(command("rsd-train", "run", ["--arm", "base"])) }
        add("prepare", commands, .whole, try total(borrowed + base))
    }

    /// The command for the arms of some nodes: one for all where there is a single round.
    private func commands(
        for nodes: [StageGraph.Node],
        _ more: [String] = []
    ) -> [Command] {
        guard hasRounds else {
            return nodes.isEmpty ? [] : [command("rsd-generate", "run", more)]
        }
        var names: [String] = []
        for case let arm? in nodes.map(\.arm) where !names.contains(arm.name) {
            names.append(arm.name)
        }
        return names.map { command("rsd-generate", "run", ["--arm", $0] + more) }
    }

    private mutating func traces(_ round: Int, _ shards: Int?) throws {
        let open = open(.traces, round)
        var estimate = try total(open)
        let wanted = estimate.map {
            min(256, max(1, ($0.seconds / Self.shardSeconds).rounded(.up)))
        }
        let count = shards ?? wanted.map { Int($0) } ?? 8
        estimate?.seconds /= Double(count)
        add("traces", commands(for: open), .shards(count), estimate, round: round)
    }

    private mutating func merge(_ round: Int) throws {
        let open = open(.selection, round)
        add("merge", commands(for: open, ["--merge"]), .whole, try total(open), round: round)
    }

    /// A command for each arm and seed: variants may share its stages, so it does all of them.
    private mutating func tasks(
        _ name: String,
        _ program: String,
        _ kind: Stage.Kind,
        _ round: Int? = nil
    ) throws {
        var commands: [Command] = []
        var groups: [[StageGraph.Node]] = []
        for node in open(kind, round) {
            guard let arm = node.arm else { continue }
            let command = command(program, "run", ["--arm", arm.name, "--seed", "\(node.seed)"])
            if let place = commands.firstIndex(of: command) {
                groups[place].append(node)
            } else {
                commands.append(command)
                groups.append([node])
            }
        }
        let totals = try groups.map(total)
        let known = totals.compactMap(\.self)
        let isKnown = known.count == totals.count
        let longest = known.reduce(into: Estimate()) { longest, own in
            longest.seconds = max(longest.seconds, own.seconds)
            longest.memoryBytes = max(longest.memoryBytes, own.memoryBytes)
        }
        add(name, commands, .tasks, isKnown ? longest : nil, round: round ?? 0)
    }

    private mutating func samples(_ shards: Int?) throws {
        guard let shards else { return try tasks("samples", "rsd-evaluate", .evaluation) }
        let open = open(.evaluation)
        guard !open.isEmpty else { return }
        var estimate = try total(open)
        estimate?.seconds /= Double(shards)
        add("samples", [command("rsd-evaluate", "run", [])], .shards(shards), estimate)
        let merge = command("rsd-evaluate", "run", ["--merge"])
        add("merge-samples", [merge], .whole, Estimate())
    }
}
