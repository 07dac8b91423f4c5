import Basics

/// What an experiment has to do: its stages, and which of them read the outputs of which,
/// enumerated in one place.
///
/// `--dry-run` prints the graph, and the programs run its nodes. A stage's folder is named after all
/// that its outputs depend on, the outputs of earlier stages included; so a node knows its stage only
/// once those are there.
public struct StageGraph: Sendable {
    /// One stage of one arm under one seed, whether or not its folder is known already.
    public struct Node: Sendable {
        /// What it does.
        public enum Work: Sendable {
            /// Trains a model from random weights.
            case base(ModelRole)
            /// Makes the tries of all arms of one policy and equal settings; the arm is the first.
            case traces(Arm)
            /// Selects what an arm trains on.
            case selection(Arm)
            /// Trains an arm's student.
            case training(Arm)
            /// Samples an arm's student on the benchmarks: as trained, or as it was after some step.
            case evaluation(Arm, step: Int? = nil)
        }

        /// What it does.
        public let work: Work
        /// The experiment, or the variant of a sweep, that it belongs to; another experiment for
        /// traces that an arm takes from there.
        public let layout: RunLayout
        /// The seed that its outputs depend on.
        public let seed: UInt64
        /// Whether it belongs to another experiment, which an arm takes its traces from.
        public let isBorrowed: Bool
        /// The places in the graph, all before its own, of the nodes whose outputs it reads.
        public internal(set) var needs: [Int] = []
    }

    /// The experiment's stages, by name and folder.
    public let layout: RunLayout
    /// The arms that were asked for.
    public let arms: [Arm]
    /// The nodes, each behind all that it needs.
    public private(set) var nodes: [Node] = []
    private var places: [String: Int] = [:]

    /// Enumerates some kinds of stages of some arms with all that they need.
    ///
    /// - Parameters:
    ///   - layout: The experiment, or a variant of a sweep.
    ///   - arms: The arms; all of the experiment when left out.
    ///   - goals: The kinds of stages that are wanted; what they need comes with them.
    ///   - isBorrowing: Whether what other experiments have to do first is part of it.
    /// - Throws: `Failure` when another experiment that an arm takes its traces from is malformed.
    public init(
        _ layout: RunLayout,
        arms: [Arm]? = nil,
        goals: Set<Stage.Kind> = Set(Stage.Kind.allCases),
        isBorrowing: Bool = true
    ) throws {
        self.layout = layout
        self.arms = arms ?? layout.experiment.arms
        if isBorrowing { try addBorrowed() }
        if goals.contains(.base) {
            // Traces may be made with a seed of their own.
            let seeds =
                layout.experiment.seeds + layout.experiment.arms.compactMap(\.generation.seed)
            for role in ModelRole.allCases { for seed in seeds { try add(.base(role), seed) } }
        }
        for seed in layout.experiment.seeds {
            // All tries come before the first selection, because arms are matched with each other.
            if goals.contains(.traces) {
                // What waits for a trained student comes last: others need not wait for it.
                for arm in self.arms where arm.forerunners.isEmpty { try add(.traces(arm), seed) }
                for arm in self.arms where !arm.forerunners.isEmpty { try add(.traces(arm), seed) }
            }
            for arm in self.arms {
                if goals.contains(.selection) { try add(.selection(arm), seed) }
                if goals.contains(.training) { try add(.training(arm), seed) }
                guard goals.contains(.evaluation), arm.isScored || self.arms.count == 1 else {
                    continue
                }
                try add(.evaluation(arm), seed)
                for step in try layout.scoredSteps(arm, seed: seed) {
                    try add(.evaluation(arm, step: step), seed)
                }
            }
        }
    }

    /// Adds what other experiments have to do first, where it is not done.
    private mutating func addBorrowed() throws {
        for source in try layout.sourceArms(arms) where !source.isDone {
            let experiment = source.layout.experiment
            for arm in experiment.arms { try add(.traces(arm), source.seed, in: source.layout) }
            for arm in experiment.arms { try add(.selection(arm), source.seed, in: source.layout) }
        }
    }

    /// Adds a node behind all that it needs; one that is there already is not added again.
    ///
    /// - Returns: Its place; nil for one that has nothing to do, such as the traces of an arm that
    ///   takes them from a file.
    @discardableResult
    private mutating func add(
        _ work: Node.Work,
        _ seed: UInt64,
        in other: RunLayout? = nil
    ) throws -> Int? {
        let layout = other ?? self.layout
        let seed = Node.ownSeed(work, seed, layout)
        var node = Node(work: work, layout: layout, seed: seed, isBorrowed: other != nil)
        guard node.hasWork else { return nil }
        if let place = places[node.key] { return place }
        for (work, seed) in try node.dependencies() {
            if let place = try add(work, seed, in: other), !node.needs.contains(place) {
                node.needs.append(place)
            }
        }
        if case .selection(let arm) = work,
            let source = try layout.existingSource(of: arm, seed: seed),
            let place = places[Node(source).key]
        {
            node.needs.append(place)
        }
        nodes.append(node)
        places[node.key] = nodes.count - 1
        return nodes.count - 1
    }
}

extension StageGraph.Node {
    /// What selects the traces that an arm takes from another experiment.
    fileprivate init(_ source: SourceArm) {
        self.init(
            work: .selection(source.arm),
            layout: source.layout,
            seed: source.seed,
            isBorrowed: true
        )
    }

    /// The kind of its stage.
    public var kind: Stage.Kind {
        switch work {
        case .base: .base
        case .traces: .traces
        case .selection: .selection
        case .training: .training
        case .evaluation: .evaluation
        }
    }

    /// The arm that it is about; nil for a model that is trained from scratch.
    public var arm: Arm? {
        switch work {
        case .base: nil
        case .traces(let arm), .selection(let arm), .training(let arm), .evaluation(let arm, _):
            arm
        }
    }

    /// The model role, the policy of the traces, or the arm.
    public var label: String {
        switch work {
        case .base(let role): role.rawValue
        case .traces(let arm): arm.kind.policy?.rawValue ?? ""
        case .selection(let arm), .training(let arm), .evaluation(let arm, nil): arm.name
        case .evaluation(let arm, let step?): "\(arm.name) step \(step)"
        }
    }

    /// The stage with its folder; nil while an input or the output of an earlier stage, which its
    /// name depends on, is not there.
    ///
    /// - Throws: `Failure` for an input that is malformed.
    public func stageIfKnown() throws -> Stage? {
        try layout.ifPresent(stage)
    }

    /// The stage with its folder; nil for one that has nothing to do, such as one that scores a student
    /// after more steps than it was trained.
    ///
    /// - Throws: `Failure` for an input that is missing or malformed.
    public func stage() throws -> Stage? {
        switch work {
        case .base(let role): try layout.base(role, seed: seed)
        case .traces(let arm): try layout.traces(arm, seed: seed)
        case .selection(let arm): try layout.selection(arm, seed: seed)
        case .training(let arm): try layout.training(arm, seed: seed)
        case .evaluation(let arm, nil): try layout.evaluation(arm, seed: seed)
        case .evaluation(let arm, let step?):
            try layout.scoredSteps(arm, seed: seed).contains(step)
                ? layout.evaluation(arm, seed: seed, step: step) : nil
        }
    }

    /// Whether there is anything to do: models may be there already, the base arm trains on nothing,
    /// and traces may come from elsewhere.
    fileprivate var hasWork: Bool {
        switch work {
        case .base(let role): if case .scratch? = try? layout.source(role) { true } else { false }
        case .evaluation: true
        case .traces(let arm): arm.isGenerated
        case .selection(let arm): arm.isSelected
        case .training(let arm): arm.kind != .base
        }
    }

    /// The seed that outputs depend on: tries may have one of their own.
    fileprivate static func ownSeed(_ work: Work, _ seed: UInt64, _ layout: RunLayout) -> UInt64 {
        switch work {
        case .traces(let arm): return arm.generation.seed ?? seed
        case .base(let role):
            guard case .scratch(let scratch)? = try? layout.source(role) else { return seed }
            return scratch.seed(run: seed)
        case .selection(let arm), .training(let arm), .evaluation(let arm, _):
            return arm.training.seed ?? seed
        }
    }

    /// Tells nodes apart: equal for two that would share a folder within one experiment.
    fileprivate var key: String {
        let variant = layout.experiment.variant?.name ?? ""
        var parts = [layout.experiment.file, variant, kind.rawValue, label, "\(seed)"]
        if case .traces(let arm) = work {
            parts += [
                arm.generation.json.compact, arm.student ?? "", arm.model.rawValue,
                arm.teacher ?? "",
            ]
        }
        return parts.joined(separator: "\n")
    }

    /// What its stage reads the outputs of, within its experiment.
    fileprivate func dependencies() throws -> [(Work, UInt64)] {
        var needed: [(Work, UInt64)] = []
        /// A model: what an arm has trained, or one of the experiment's.
        func model(_ name: String?, _ role: ModelRole) throws {
            let arm = try name.map { try layout.experiment.arm($0) }
            needed.append((arm.map { .training($0) } ?? .base(role), seed))
        }
        func student(of arm: Arm) throws { try model(arm.student, arm.model) }
        func teacher(of arm: Arm) throws { try model(arm.teacher, .teacher) }
        switch work {
        case .base: break
        case .traces(let arm):
            try student(of: arm)
            if arm.kind.asksTeacher { try teacher(of: arm) }
        case .selection(let arm):
            needed.append((.traces(arm), seed))
            for name in arm.companions where name != arm.name {
                needed.append((.traces(try layout.experiment.arm(name)), seed))
            }
            if arm.needsModels { try student(of: arm) }
        case .training(let arm):
            if let name = arm.selectingArm {
                needed.append((.selection(try layout.experiment.arm(name)), seed))
            }
            try student(of: arm)
            if arm.training.objective.asksTeacher { try teacher(of: arm) }
        case .evaluation(let arm, _):
            needed.append((arm.kind == .base ? .base(arm.model) : .training(arm), seed))
        }
        return needed
    }
}

extension RunLayout {
    /// Every stage that trains a model from scratch, each once.
    ///
    /// - Throws: Nothing for an experiment that was read without error.
    public func baseStages() throws -> [Stage] {
        try StageGraph(self, arms: [], goals: [.base]).nodes.compactMap { try $0.stage() }
    }
}
