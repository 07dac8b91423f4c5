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
        /// Traces of speculative knowledge distillation that pass the filter: the student proposes, the
        /// teacher keeps or writes.
        case skd
        /// Traces that pass the filter, of the student that was shown the answer, through the gate of the
        /// student that was not.
        case hinted
        /// What its student writes while it is trained.
        case onPolicy = "on-policy"

        /// Who chooses the tokens; nil where no tokens are chosen.
        public var policy: TracePolicy? {
            switch self {
            case .base, .onPolicy: nil
            case .direct, .teacherFiltered: .teacher
            case .rsd: .rsd
            case .studentOnly: .student
            case .skd: .skd
            case .hinted: .hinted
            }
        }

        /// Whether its tries take a teacher.
        public var asksTeacher: Bool { policy?.asksTeacher ?? false }
    }

    /// Its name, part of file names.
    public var name: String
    /// What it trains on.
    public var kind = Kind.base
    /// The traces that it takes from elsewhere instead of generating them.
    public var traces: TraceSource?
    /// The arm before this one whose trained student judges its traces and is trained further; nil
    /// for `model`.
    public var student: String?
    /// The model of the experiment that it trains, in the student's place.
    public var model = ModelRole.student
    /// The arm before this one whose trained student is its teacher; nil for the experiment's teacher.
    public var teacher: String?
    /// Whether it is a row of the table; if not, it is scored only when it alone is asked for.
    public var isScored = true
    /// What its data are made as much as; nil for all that it has.
    public var matching: Matching?
    /// How its tries are generated, the token gate of its kind included.
    public var generation = GenerationSettings()
    /// Which tries it trains on.
    public var selection = SelectionSettings()
    /// How it is trained.
    public var training = TrainingSettings()
    /// How its student writes what it is trained on, where its kind is `onPolicy`.
    public var onPolicy = OnPolicySettings()
    /// Steps of its training after which its student is scored too; nil for those of `evaluation`.
    public var atSteps: ScoredSteps?

    /// Whether models must be there before its traces are made or selected: masks take the student's
    /// judgement, matched volumes and borrowed traces its vocabulary.
    public var needsModels: Bool {
        if case .experiment? = traces?.origin { return true }
        return isGenerated || isSelected && (selection.maskBelow > 0 || matching != nil)
    }

    /// Whether traces are selected for it, wherever they come from.
    public var isSelected: Bool { kind != .base && kind != .onPolicy }

    /// Whether tries have to be generated for it.
    public var isGenerated: Bool { isSelected && traces == nil }

    /// The arm whose selected traces its training takes: itself, or one whose traces it mixes with what
    /// its student writes; nil for none.
    public var selectingArm: String? { isSelected ? name : onPolicy.traces }

    /// The arms whose tries or traces it takes beside its own: matched, mixed in, or in their place.
    public var companions: [String] {
        (matching?.arms ?? []) + [onPolicy.traces, selection.fallback].compactMap(\.self)
    }

    /// The arms whose trained students it starts from or is taught by.
    public var forerunners: [String] { [student, teacher].compactMap(\.self) }

    /// Whether a teacher takes part in its traces or its training.
    var asksTeacher: Bool {
        guard kind != .base else { return false }
        return isGenerated && kind.asksTeacher || training.objective.asksTeacher
    }

    /// The filter of a kind, before the experiment's own selection keys are laid over it.
    static func standardFilter(_ kind: Kind, isThinking: Bool) -> TraceFilter {
        var filter = TraceFilter(requiresOneThinkEnd: isThinking)
        switch kind {
        case .direct:
            filter.requiresCorrect = false
            filter.requiresOneThinkEnd = false
            filter.choice = .first
        case .studentOnly, .skd: filter.maxFallbackRate = nil
        case .base, .teacherFiltered, .rsd, .hinted, .onPolicy: break
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
        Key(
            "model",
            \.model,
            .word,
            influence: .indirect,
            "Which of models it trains, in the student's place."
        ),
        Key(
            "teacher",
            \.teacher,
            .optional(.filled("the name of an arm")),
            influence: .indirect,
            "An arm before this one whose trained student is the teacher, in place of models.teacher."
        ),
        Key(
            "evaluate",
            \.isScored,
            .truth,
            influence: .nothing,
            "Whether it is a row of the table; if not, only `--arm` with its name scores it."
        ),
        .map("match", \.matching, from: Matching(), "Makes its data as much as those of others."),
        .map("training", \.training, "Keys that this arm lays over the experiment's training."),
        .map(
            "onPolicy",
            \.onPolicy,
            "How a student of kind on-policy writes what it is trained on."
        ),
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
        // The tokens of a student's own trace, and most of skd, are the student's; a common limit on the
        // share of fallbacks would refuse them all.
        if [.studentOnly, .skd].contains(kind)
            && reader.member("selection")?["maxFallbackRate"] == nil
        {
            selection.filter.maxFallbackRate = nil
        }
        if let policy = kind.policy { generation = generation.gated(policy) }
        // A student's own words teach it nothing by themselves.
        if kind == .onPolicy && reader.member("training")?["objective"] == nil,
            root.member("training")?["objective"] == nil
        {
            training.objective.kind = .reverseKL
        }
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
        if name == "base" && model != .student {
            reader.report.add(
                reader.path("model"),
                "found \(model.rawValue); expected student, or another name for the arm"
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
        if kind == .hinted, let mistake = generation.hint.flatMap({ Hint($0).mistake }) {
            reader.report.add("\(reader.path("generation")).hint", mistake)
        }
        let foreign = kind == .onPolicy ? ["generation", "selection", "match"] : ["onPolicy"]
        for key in foreign where reader.object[key] != nil {
            reader.report.add(
                reader.path(key),
                kind == .onPolicy
                    ? "an arm of kind on-policy selects no traces: its student writes them"
                    : "found for an arm of kind \(kind.rawValue); expected kind on-policy"
            )
        }
    }
}
