import Basics
import Foundation

/// The arm of another experiment whose traces an arm takes.
public struct Lender {
    /// The arm.
    public var arm: Arm
    /// The seed whose traces are taken: the borrower's where the other experiment has it, else its
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
    public func lender(of arm: Arm, seed: UInt64) throws -> Lender? {
        guard case .experiment(let path, let name)? = arm.traces?.origin else { return nil }
        var other = try Experiment.read(path)
        let source = try other.arm(name)
        // An arm that borrows itself could borrow from here.
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
        return Lender(arm: source, seed: own, layout: layout)
    }

    /// The lenders of some arms under all seeds, each once.
    ///
    /// - Throws: As `lender(of:seed:)`; an experiment whose file is not there is passed over.
    public func lenders(_ arms: [Arm]) throws -> [Lender] {
        var lenders: [Lender] = []
        for seed in experiment.seeds {
            for arm in arms {
                guard case .experiment(let path, _)? = arm.traces?.origin,
                    FileManager.default.fileExists(atPath: path),
                    let lender = try lender(of: arm, seed: seed)
                else { continue }
                let isKnown = lenders.contains { known in
                    known.arm.name == lender.arm.name && known.seed == lender.seed
                        && known.layout.experiment.file == lender.layout.experiment.file
                }
                if !isKnown { lenders.append(lender) }
            }
        }
        return lenders
    }

    /// What an arm of another experiment trains on, and where that experiment lives.
    ///
    /// - Precondition: The arm takes its traces from another experiment.
    /// - Throws: `Failure` when that experiment is missing or malformed, `Failure.missingInput` when
    ///   it has not selected these traces yet.
    public func otherSelection(_ arm: Arm, seed: UInt64) throws -> (layout: RunLayout, stage: Stage)
    {
        guard let lender = try lender(of: arm, seed: seed) else {
            preconditionFailure("otherSelection: arm \(arm.name) has traces of its own")
        }
        let path = lender.layout.experiment.file
        guard let stage = try lender.selection,
            FileManager.default.fileExists(atPath: stage.selected)
        else {
            throw Failure(
                .missingInput,
                file: try lender.selection?.selected ?? path,
                "arm '\(lender.arm.name)' has no traces with seed \(lender.seed) yet",
                remedy: "Generate them: rsd-generate run \(path) --arm \(lender.arm.name)"
            )
        }
        return (lender.layout, stage)
    }

    /// An arm, the arms it is matched with, and those whose students it or they start from.
    private static func arms(behind arm: Arm, in experiment: Experiment) -> Set<String> {
        var found: Set<String> = []
        var open = [arm.name]
        while let name = open.popLast() {
            guard found.insert(name).inserted, let next = try? experiment.arm(name) else {
                continue
            }
            open += (next.matching?.arms ?? []) + [next.student].compactMap(\.self)
        }
        return found
    }
}
