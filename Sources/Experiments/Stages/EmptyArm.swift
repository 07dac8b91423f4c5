import Basics
import Foundation
import Records

/// An arm that has nothing to train on under one seed, although all that comes before is there.
///
/// It is no reason to stop: its student is neither trained nor scored, all other arms are.
public struct EmptyArm: Sendable, Equatable {
    /// The arm.
    public var arm: String
    /// The variant of a sweep; nil in a plain experiment.
    public var variant: String?
    /// The seed.
    public var seed: UInt64
    /// Why, such as `none of 16 tries states its answer in a box`.
    public var reason: String

    /// The member of a manifest's results that holds the reason.
    public static let key = "empty"

    /// `arm 'rsd' has nothing to train on with seed 1: none of 16 tries states its answer in a box`.
    public var text: String {
        let name = variant.map { "arm '\(arm)' of \($0)" } ?? "arm '\(arm)'"
        return "\(name) has nothing to train on with seed \(seed): \(reason)"
    }
}

extension NothingToTrainOn {
    /// What the manifest of the training that could not be says of it.
    public var results: JSON { [EmptyArm.key: .string(reason)] }
}

extension RunLayout {
    /// Why an arm has nothing to train on; nil where it has something, or nothing was selected yet.
    ///
    /// - Throws: `Failure` when an input is missing or malformed.
    public func emptiness(of arm: Arm, seed: UInt64) throws -> EmptyArm? {
        guard let reason = try emptyReason(arm, seed: seed) else { return nil }
        return EmptyArm(
            arm: arm.name,
            variant: experiment.variant?.name,
            seed: seed,
            reason: reason
        )
    }

    /// The arms among some that have nothing to train on, seed by seed.
    ///
    /// - Throws: As `emptiness(of:seed:)`.
    public func emptyArms(_ arms: [Arm]) throws -> [EmptyArm] {
        try experiment.seeds.flatMap { seed in
            try arms.compactMap { try emptiness(of: $0, seed: seed) }
        }
    }

    private func emptyReason(_ arm: Arm, seed: UInt64) throws -> String? {
        if let name = arm.student, try emptyReason(experiment.arm(name), seed: seed) != nil {
            return "it starts from the student of arm '\(name)', which has nothing to train on"
        }
        if let name = arm.teacher, try emptyReason(experiment.arm(name), seed: seed) != nil {
            return "it is taught by the student of arm '\(name)', which has nothing to train on"
        }
        // Without traces to mix in, every problem of an on-policy arm gets a rollout.
        guard arm.kind != .onPolicy,
            let selection = try ifPresent({ try selection(arm, seed: seed) }),
            let attributes = try? FileManager.default.attributesOfItem(atPath: selection.selected)
        else { return nil }
        if (attributes[.size] as? NSNumber)?.intValue == 0 {
            return Self.recorded(selection) ?? "none of its traces was selected"
        }
        // Traces may be there, and none of them fit for training.
        guard let training = try ifPresent({ try training(arm, seed: seed) }), !training.hasModel
        else { return nil }
        return Self.recorded(training)
    }

    private static func recorded(_ stage: Stage) -> String? {
        (try? TextFile.readJSON(stage.manifest))?["results"]?[EmptyArm.key]?.string
    }
}

extension [EmptyArm] {
    /// What a program ends with after all other arms are done; nil where no arm is empty.
    ///
    /// One line that names each arm once.
    public func failure(in file: String) -> Failure? {
        guard !isEmpty else { return nil }
        var names: [String] = []
        var reasons: [String: [EmptyArm]] = [:]
        for empty in self {
            let name = [empty.arm, empty.variant].compactMap(\.self).joined(separator: " of ")
            if reasons[name] == nil { names.append(name) }
            reasons[name, default: []].append(empty)
        }
        let listed = names.map { name in
            let own = reasons[name] ?? []
            let seeds = own.map { "\($0.seed)" }.joined(separator: ", ")
            let more = Set(own.map(\.reason)).count > 1 ? ", and others" : ""
            return "\(name) (seed \(seeds): \(own[0].reason)\(more))"
        }
        return Failure(
            .failed,
            file: file,
            "nothing to train on in \(names.count == 1 ? "arm" : "arms") "
                + "\(listed.joined(separator: "; ")); all else is done"
        )
    }
}
