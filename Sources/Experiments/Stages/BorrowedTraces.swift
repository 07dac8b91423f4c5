import Basics
import Foundation

/// The arm of another experiment whose traces an arm takes.
public struct SourceArm {
    /// The arm.
    public var arm: Arm
    /// The seed whose traces are taken: that of the arm that takes them where the other experiment has it, else its
    /// first one.
    public var seed: UInt64
    /// That experiment, with this seed and the arms alone that the traces depend on.
    public var layout: RunLayout

    /// The stage that selects the traces.
    ///
    /// - Throws: As `RunLayout.selection`.
    public var selection: Stage? {
        get throws { try layout.selection(arm, seed: seed) }
    }

    /// Whether the traces of all its problems are there.
    public var isDone: Bool { (try? selection)?.state == .finished }
}

extension RunLayout {
    /// Where an arm takes its traces from; nil for one that takes them from no other experiment.
    ///
    /// - Throws: `Failure` when that experiment is missing or malformed, or borrows itself.
    public func sourceArm(of arm: Arm, seed: UInt64) throws -> SourceArm? {
        guard case .experiment(let path, let name)? = arm.traces?.origin else { return nil }
        var other = try Experiment.read(path)
        let source = try other.arm(name)
        // That could lead back to here.
        if case .experiment? = source.traces?.origin {
            throw Failure(
                .configuration,
                file: experiment.file,
                at: "arms.\(arm.name).traces",
                "arm '\(name)' of \(path) takes its traces from elsewhere itself"
            )
        }
        let needed = Self.arms(behind: source, in: other)
        other.arms.removeAll { !needed.contains($0.name) }
        let own = other.seeds.contains(seed) ? seed : other.seeds[0]
        other.seeds = [own]
        let layout = RunLayout(other, environment: environment, digests: digests)
        return SourceArm(arm: source, seed: own, layout: layout)
    }

    /// Where some arms take their traces from, under all seeds, each once.
    ///
    /// - Throws: As `sourceArm(of:seed:)`; an experiment whose file is not there is passed over.
    public func sourceArms(_ arms: [Arm]) throws -> [SourceArm] {
        var sources: [SourceArm] = []
        for seed in experiment.seeds {
            for arm in arms {
                guard let source = try existingSource(of: arm, seed: seed) else { continue }
                let isKnown = sources.contains { known in
                    known.arm.name == source.arm.name && known.seed == source.seed
                        && known.layout.experiment.file == source.layout.experiment.file
                }
                if !isKnown { sources.append(source) }
            }
        }
        return sources
    }

    /// Where an arm takes its traces from; nil also where that experiment's file is not there.
    ///
    /// - Throws: As `sourceArm(of:seed:)`.
    func existingSource(of arm: Arm, seed: UInt64) throws -> SourceArm? {
        guard case .experiment(let path, _)? = arm.traces?.origin,
            FileManager.default.fileExists(atPath: path)
        else { return nil }
        return try sourceArm(of: arm, seed: seed)
    }

    /// What an arm of another experiment trains on, and where that experiment lives.
    ///
    /// - Precondition: The arm takes its traces from another experiment.
    /// - Throws: `Failure` when that experiment is missing or malformed, `Failure.missingInput` when
    ///   it has not selected these traces yet.
    public func otherSelection(_ arm: Arm, seed: UInt64) throws -> (layout: RunLayout, stage: Stage)
    {
        guard let source = try sourceArm(of: arm, seed: seed) else {
            preconditionFailure("otherSelection: arm \(arm.name) has traces of its own")
        }
        let path = source.layout.experiment.file
        guard let stage = try source.selection,
            FileManager.default.fileExists(atPath: stage.selected)
        else {
            throw Failure(
                .missingInput,
                file: try source.selection?.selected ?? path,
                "arm '\(source.arm.name)' has no traces with seed \(source.seed) yet",
                remedy: "Generate them: rsd-generate run \(path) --arm \(source.arm.name)"
            )
        }
        return (source.layout, stage)
    }

    /// An arm, the arms whose traces it takes beside its own, and those whose students it or they start from or are
    /// taught by.
    private static func arms(behind arm: Arm, in experiment: Experiment) -> Set<String> {
        var found: Set<String> = []
        var open = [arm.name]
        while let name = open.popLast() {
            guard found.insert(name).inserted, let next = try? experiment.arm(name) else {
                continue
            }
            open += next.companions + next.forerunners
        }
        return found
    }
}
