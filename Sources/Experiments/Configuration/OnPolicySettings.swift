import Basics

/// How the student of an on-policy arm writes what it is trained on.
///
/// A step takes `training.batch` problems, and each of them one rollout: a completion of the student as
/// it is then. `training.epochs` says how often each problem comes.
public struct OnPolicySettings: Sendable, Equatable {
    /// How the student's matrices are kept while it writes.
    public enum Storage: String, Sendable, CaseIterable {
        /// Rounded to eight bits: several times faster, a little off the student.
        case q8_0
        /// As they are trained.
        case float32
    }

    /// Most tokens of a rollout.
    public var maxNewTokens = 512
    /// Divides the student's logits as it writes.
    public var temperature = 1.0
    /// K, where the teacher has a hand in the rollouts; nil for those of the student alone.
    ///
    /// The student proposes then, and the teacher writes where a proposal is not among its K most likely
    /// tokens; see `SpeculativeDistillation`.
    public var topK: Int?
    /// The share of a step's problems that get a rollout.
    public var share = 1.0
    /// The arm whose selected traces the other problems get; nil where there are none.
    public var traces: String?
    /// How the student's matrices are kept while it writes.
    public var storage = Storage.q8_0
    /// Steps whose rollouts are written at once, by the student as it is before the first of them.
    public var refreshEvery = 1
    /// Steps of the whole training; nil for those of `training.epochs`.
    public var steps: Int?
    /// Rollouts written at once; changes speed and memory, never a rollout.
    public var batch = 32

    /// The steps of a training on so many problems.
    public func stepCount(problems: Int, _ training: TrainingSettings) -> Int {
        steps ?? training.epochs * ((problems + training.batch - 1) / training.batch)
    }
}

extension OnPolicySettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("maxNewTokens", \.maxNewTokens, .whole(1...mostTokens), "Most tokens of a rollout."),
        Key(
            "temperature",
            \.temperature,
            .number(0.01...100),
            "Divides the student's logits as it writes; nothing else changes its distribution."
        ),
        Key(
            "skdTopK",
            \.topK,
            .optional(.whole(1...mostTokens)),
            "With it the teacher writes in place of tokens that are not among its so many most likely."
        ),
        Key(
            "onPolicyShare",
            \.share,
            .number(0...1),
            "The share of problems that get a rollout; the others get a selected trace."
        ),
        Key(
            "traces",
            \.traces,
            .optional(.filled("the name of an arm")),
            "The arm whose selected traces they get; a problem without one gets a rollout."
        ),
        Key(
            "samplerStorage",
            \.storage,
            .word,
            "How the student's matrices are kept while it writes: in eight bits, or in float32."
        ),
        Key(
            "refreshEvery",
            \.refreshEvery,
            .whole(1...65535),
            "Steps whose rollouts are written at once, before the first of them."
        ),
        Key(
            "steps",
            \.steps,
            .optional(.whole(1...65535)),
            shown: "by training.epochs",
            "Steps of the whole training."
        ),
        Key("batch", \.batch, .whole(1...65536), influence: .nothing, "Rollouts written at once."),
    ]

    func check(_ reader: ConfigurationReader) {
        if share < 1 && traces == nil {
            reader.report.add(
                reader.path("traces"),
                "missing; with an onPolicyShare of \(share.short) expected an arm whose traces are "
                    + "the rest"
            )
        }
        if share == 1 && traces != nil {
            reader.report.add(
                reader.path("traces"),
                "has no use: every problem gets a rollout; expected an onPolicyShare below 1"
            )
        }
    }
}
