import Basics
import Records

/// One row of the table that compares what students are trained on.
public struct Arm: Sendable, Equatable {
    /// What an arm trains on.
    public enum Kind: String, Sendable, CaseIterable {
        /// Nothing: the student as it is.
        case base
        /// The teacher's traces as they are, or an external file of traces.
        case direct
        /// The teacher's traces that pass the filter.
        case teacherFiltered = "teacher-filtered"
        /// Traces of Reverse Speculative Decoding that pass the filter.
        case rsd
        /// The student's own traces that pass the filter.
        case studentOnly = "student-only"

        /// Who chooses the tokens; nil where no tokens are chosen.
        public var policy: TracePolicy? {
            switch self {
            case .base: nil
            case .direct, .teacherFiltered: .teacher
            case .rsd: .rsd
            case .studentOnly: .student
            }
        }
    }

    /// Its name, part of file names.
    public var name: String
    /// What it trains on.
    public var kind = Kind.base
    /// The traces that it takes from elsewhere instead of generating them.
    public var traces: TraceSource?
    /// The arm before this one whose trained student judges its traces and is trained further; nil
    /// for the experiment's student.
    public var student: String?
    /// What its data are made as much as; nil for all that it has.
    public var matching: Matching?
    /// How its tries are generated, the token gate of its kind included.
    public var generation = GenerationSettings()
    /// Which tries it trains on.
    public var selection = SelectionSettings()
    /// How it is trained.
    public var training = TrainingSettings()
    /// Steps of its training after which its student is scored too; nil for those of `evaluation`.
    public var atSteps: ScoredSteps?

    /// Whether models must be there before its traces are made or selected: masks take the student's
    /// judgement, matched volumes and borrowed traces its vocabulary.
    public var needsModels: Bool {
        if case .experiment? = traces?.origin { return true }
        return isGenerated || kind != .base && (selection.maskBelow > 0 || matching != nil)
    }

    /// Whether tries have to be generated for it.
    public var isGenerated: Bool { kind != .base && traces == nil }

    /// The filter of a kind, before the experiment's own selection keys are laid over it.
    static func standardFilter(_ kind: Kind, isThinking: Bool) -> TraceFilter {
        var filter = TraceFilter(requiresOneThinkEnd: isThinking)
        switch kind {
        case .direct:
            filter.requiresCorrect = false
            filter.requiresOneThinkEnd = false
            filter.choice = .first
        case .studentOnly: filter.maxFallbackRate = nil
        case .base, .teacherFiltered, .rsd: break
        }
        return filter
    }
}

extension Arm: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("kind", \.kind, .word, isRequired: true, "What it trains on."),
        Key(
            "traces",
            "a map",
            influence: .indirect,
            shown: "none",
            "Traces that an arm of kind direct takes instead of the teacher's own."
        ) { arm, reader in
            arm.traces = reader.map("traces").flatMap { TraceSource($0) }
        },
        .map(
            "generation",
            \.generation,
            "Keys that this arm lays over the experiment's generation."
        ),
        .map(
            "selection",
            \.selection,
            default: { arm in
                // Until here it says whether the model thinks.
                let isThinking = arm.selection.filter.requiresOneThinkEnd
                return SelectionSettings(
                    filter: Arm.standardFilter(arm.kind, isThinking: isThinking)
                )
            },
            "Keys that this arm lays over the experiment's selection; over nothing for kind direct."
        ),
        Key(
            "student",
            \.student,
            .optional(.filled("the name of an arm")),
            "An arm before this one whose trained student judges the traces and is trained further."
        ),
        .map("match", \.matching, from: Matching(), "Makes its data as much as those of others."),
        .map("training", \.training, "Keys that this arm lays over the experiment's training."),
        Key(
            "atSteps",
            \.atSteps,
            .optional(.steps),
            influence: .indirect,
            shown: "evaluation.atSteps",
            "Steps of its training after which it is scored too; an empty list for none."
        ),
    ]

    /// Reads an arm's map within the experiment's; nil where its kind is not known.
    init?(
        _ name: String,
        _ reader: ConfigurationReader,
        in root: ConfigurationReader,
        isThinking: Bool
    ) {
        self.init(name: name)
        selection.filter.requiresOneThinkEnd = isThinking
        // A direct arm takes traces as they come: the experiment's filter is not for it.
        let isDirect = reader.object["kind"]?.string == Kind.direct.rawValue
        reader.inherit(["generation", "training"] + (isDirect ? [] : ["selection"]), from: root)
        self = reading(reader)
        guard reader.object["kind"]?.string == kind.rawValue else { return nil }
        // Every token of a student's own trace is the student's; a common limit on the share of
        // fallbacks would refuse them all.
        if kind == .studentOnly && reader.member("selection")?["maxFallbackRate"] == nil {
            selection.filter.maxFallbackRate = nil
        }
        if let policy = kind.policy { generation = generation.gated(policy) }
    }

    func check(_ reader: ConfigurationReader) {
        guard reader.object["kind"]?.string == kind.rawValue else { return }
        // `rsd-train run --arm base` trains the models that start from scratch.
        if name == "base" && kind != .base {
            reader.report.add(
                reader.path("kind"),
                "found \(kind.rawValue); expected base, or another name for the arm"
            )
        }
        if atSteps != nil && kind == .base {
            reader.report.add(
                reader.path("atSteps"),
                "an arm of kind base trains nothing; expected no atSteps"
            )
        }
        if traces != nil && kind != .direct {
            reader.report.add(
                reader.path("traces"),
                "an arm of kind \(kind.rawValue) makes its own traces; expected kind direct"
            )
        }
    }
}
