import Kernels

/// What a student learns from what it is trained on: the texts, or a teacher's distributions along
/// them.
public struct ObjectiveSettings: Sendable, Equatable {
    /// What is minimised at each target token.
    public enum Kind: String, Sendable, CaseIterable {
        /// -ln S of the text's token.
        case crossEntropy = "cross-entropy"
        /// KL(T, S).
        case forwardKL = "forward-kl"
        /// KL(S, T).
        case reverseKL = "reverse-kl"
        /// The generalised Jensen-Shannon divergence.
        case jensenShannon = "jsd"
        /// KL(T, alpha T + (1 - alpha) S).
        case skewKL = "skew-kl"
    }

    /// What is minimised.
    public var kind = Kind.crossEntropy
    /// The teacher's share of the mixture in `jsd`.
    public var beta = 0.5
    /// The teacher's share of the mixture in `skew-kl`.
    public var alpha = 0.1
    /// What both models' logits are divided by in a divergence.
    public var temperature = 1.0
    /// The factor of the divergence; the cross-entropy of the text's tokens has the rest.
    public var weight = 1.0
    /// Stored distributions to learn from instead of asking the teacher; nil for none.
    public var targets: String?

    /// The divergence that is learned; nil for cross-entropy.
    public var divergence: Divergence? {
        switch kind {
        case .crossEntropy: nil
        case .forwardKL: .forwardKL
        case .reverseKL: .reverseKL
        case .jensenShannon: .jensenShannon(beta: beta)
        case .skewKL: .skewKL(alpha: alpha)
        }
    }

    /// The stored distributions that are learned from; nil where none are.
    public var usedTargets: String? { kind == .crossEntropy ? nil : targets }

    /// Whether the teacher has to be there.
    public var asksTeacher: Bool { kind != .crossEntropy && targets == nil }
}

// Each is left out of the names of stages at the value that all trainings had before it was there.
extension ObjectiveSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "objective",
            \.kind,
            .word.leftOut(at: .crossEntropy),
            shown: Kind.crossEntropy.rawValue,
            "What is learned: the traces' tokens, or a teacher's distributions along them."
        ),
        Key(
            "jsdBeta",
            \.beta,
            .number(0.01...0.99).leftOut(at: 0.5),
            shown: "0.5",
            "The teacher's share of the mixture in jsd: near 0 like forward, near 1 like reverse KL."
        ),
        Key(
            "skewAlpha",
            \.alpha,
            .number(0.01...0.99).leftOut(at: 0.1),
            shown: "0.1",
            "The teacher's share of the mixture in skew-kl."
        ),
        Key(
            "lossTemperature",
            \.temperature,
            .number(0.05...100).leftOut(at: 1),
            shown: "1",
            "What both models' logits are divided by in a divergence."
        ),
        Key(
            "divergenceWeight",
            \.weight,
            .number(0.001...1).leftOut(at: 1),
            shown: "1",
            "The factor of a divergence; the cross-entropy of the traces' tokens has the rest."
        ),
        Key(
            "teacherTargets",
            \.targets,
            .optional(.path()),
            influence: .indirect,
            "A file of rsd-generate targets to learn a divergence from, in place of the teacher."
        ),
    ]
}

extension ObjectiveSettings {
    /// Notes what the objectives of arms need and the file does not have.
    static func check(_ arms: [Arm], hasTeacher: Bool, _ document: ConfigurationFile) -> [(
        place: String, message: String, remedy: String?
    )] {
        arms.filter { $0.kind != .base }.compactMap { arm in
            let objective = arm.training.objective
            /// Where one of some keys is written, in the arm or for all.
            func place(_ keys: [String]) -> String {
                let own = keys.map { "arms.\(arm.name).training.\($0)" }
                let all = own + keys.map { "training.\($0)" }
                return all.first { document.lines[$0] != nil } ?? own[0]
            }
            if arm.kind == .onPolicy, objective.kind == .crossEntropy {
                return (
                    place(["objective"]),
                    "found cross-entropy; an arm of kind on-policy learns what a teacher says of its "
                        + "student's texts, so expected reverse-kl, forward-kl, jsd or skew-kl",
                    nil
                )
            }
            if arm.kind == .onPolicy, objective.targets != nil {
                return (
                    place(["teacherTargets"]),
                    "no file has targets for what the student of an on-policy arm will write; "
                        + "expected a teacher that can be asked",
                    nil
                )
            }
            if arm.kind == .onPolicy, objective.weight < 1 && arm.onPolicy.share == 1 {
                return (
                    place(["divergenceWeight"]),
                    "found \(objective.weight.short); a student's own tokens teach it nothing, so "
                        + "expected 1",
                    nil
                )
            }
            if objective.asksTeacher && !hasTeacher && arm.teacher == nil {
                return (
                    place(["objective"]),
                    "\(objective.kind.rawValue) learns a teacher's distributions, and there is no "
                        + "teacher",
                    "Give models.teacher, or training.teacherTargets, a file that rsd-generate "
                        + "targets wrote."
                )
            }
            guard objective.usedTargets != nil, objective.temperature != 1 else { return nil }
            return (
                place(["lossTemperature", "teacherTargets"]),
                "found \(objective.temperature.short) with teacherTargets, which hold probabilities "
                    + "at 1; expected 1",
                nil
            )
        }
    }
}
