import Basics
import Decoding
import Records

/// How tries are generated.
public struct GenerationSettings: Sendable, Equatable {
    /// Published variants of the method, which set the defaults of everything below `batch`.
    public enum Preset: String, Sendable, CaseIterable {
        /// As the paper describes it: one proposal, both models at temperature 0.7 and top-p 0.95.
        case paper
        /// As the authors' predecessor code works: five proposals, both models at temperature 1
        /// and top-k 20, a proposal must be among the student's top 20.
        case referenceCode = "reference-code"

        /// The numbers.
        var configuration: ReverseSpeculativeDecoding.Configuration {
            switch self {
            case .paper: .paper
            case .referenceCode: .referenceCode
            }
        }
    }

    /// Tries at each problem.
    public var tries = 16
    /// Most tokens of a completion.
    public var maxNewTokens = 7168
    /// Most tokens of prompt and completion together.
    public var maxTotalTokens = 8192
    /// Sequences decoded at once; changes speed and memory, never the traces.
    public var batch = 16
    /// The most tokens the teacher drafts before the student checks them; nil to measure.
    ///
    /// Changes speed, never the traces.
    public var draftTokens: Int?
    /// Where the defaults of `rule` come from.
    public var preset = Preset.paper
    /// The numbers of the method.
    public var rule = Preset.paper.configuration
    /// K of skd: the student's token is kept if it is among this many of the teacher's most likely.
    public var skdTopK = 25
    /// The gate that takes the place of the threshold; nil for the threshold.
    public var relativeGate: RelativeGateSettings?
    /// What hinted students are shown in place of the problem; nil for arms of other kinds.
    public var hint: String?
    /// The seed whose traces all seeds of training use; nil where each has its own.
    public var seed: UInt64?

    /// The same settings with the token gate of a policy: at a threshold of 0 the teacher chooses
    /// every token, above 1 the student.
    ///
    /// What the policy does not ask for is as if it were not set.
    func gated(_ policy: TracePolicy) -> GenerationSettings {
        var copy = self
        if policy != .skd { copy.skdTopK = GenerationSettings().skdTopK }
        copy.hint = policy == .hinted ? hint ?? Hint.standard : nil
        switch policy {
        case .rsd, .hinted:
            if relativeGate != nil { copy.rule.acceptanceThreshold = 0 }
            return copy
        case .teacher: copy.rule.acceptanceThreshold = 0
        case .student: copy.rule.acceptanceThreshold = 2
        case .skd:
            copy.rule.acceptanceThreshold = 0
            copy.rule.acceptanceThresholds = []
        }
        copy.relativeGate = nil
        copy.rule.acceptanceTopK = nil
        copy.rule.proposals = 1
        return copy
    }
}

extension GenerationSettings: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("tries", \.tries, .whole(1...65535), "Tries at each problem."),
        Key("maxNewTokens", \.maxNewTokens, .whole(1...mostTokens), "Most tokens of a completion."),
        Key(
            "maxTotalTokens",
            \.maxTotalTokens,
            .whole(2...mostTokens),
            "Most tokens of prompt and completion together."
        ),
        Key("batch", \.batch, .whole(1...65536), influence: .nothing, "Sequences decoded at once."),
        Key(
            "draftTokens",
            \.draftTokens,
            .draft,
            influence: .nothing,
            shown: "auto",
            "How many tokens the teacher drafts before the student checks them; auto measures."
        ),
        Key(
            "preset",
            \.preset,
            .word,
            influence: .indirect,
            "Sets the defaults of the keys below: as the paper has it, or as the code of its authors."
        ),
        Key(
            "proposals",
            \.rule.proposals,
            .whole(1...1024),
            default: \.preset.configuration.proposals,
            "R, how many tokens the teacher may propose for one position."
        ),
        Key(
            "acceptanceThreshold",
            \.rule.acceptanceThreshold,
            .number(0...Double.infinity),
            default: \.preset.configuration.acceptanceThreshold,
            "p_th, the student's probability below which a proposal is refused."
        ),
        Key(
            "acceptanceTopK",
            \.rule.acceptanceTopK,
            .some(.whole(0...Int.max), orNilAs: 0),
            default: \.preset.configuration.acceptanceTopK,
            "Refuses proposals that are not among this many of the student's most likely; 0 refuses "
                + "none for that."
        ),
        .map(
            "teacher",
            \.rule.teacher,
            default: \.preset.configuration.teacher,
            unfolds: true,
            "How the teacher's proposals are drawn."
        ),
        .map(
            "fallback",
            \.rule.fallback,
            default: \.preset.configuration.fallback,
            unfolds: true,
            "How the student draws, after the last refusal or alone."
        ),
        Key(
            "acceptanceThresholds",
            \.rule.acceptanceThresholds,
            .list(
                "numbers of at least 0",
                of: .number(0...Double.infinity),
                mayBeEmpty: true
            ),
            "Thresholds whose exact acceptance is recorded beside each trace."
        ),
        Key(
            "skdTopK",
            \.skdTopK,
            .whole(1...Int.max).leftOut(at: 25),
            shown: "25",
            "K of kind skd: keeps the student's token if it is among this many of the teacher's most "
                + "likely."
        ),
        .map(
            "relativeGate",
            \.relativeGate,
            from: RelativeGateSettings(),
            "In place of acceptanceThreshold, for kinds rsd and hinted: keeps what surprises the student "
                + "no more, for its uncertainty, than its own tokens do."
        ),
        Key(
            "hint",
            \.hint,
            .optional(.filled("text with {problem} and {answer} or other members of the problem")),
            shown: Hint.standard.replacing("\n", with: "\\n"),
            "What the student of kind hinted is shown in place of the problem when it proposes."
        ),
        Key(
            "seed",
            \.seed,
            .optional(.seed),
            "The seed whose traces all seeds of training use; without it each makes its own."
        ),
    ]
}

extension ValueKind where Value == Int? {
    fileprivate static var draft: Self {
        ValueKind(
            "auto or a whole number from 1 to 64",
            parse: { json in
                if json.string == "auto" { return .some(nil) }
                return json.integer.flatMap { (1...64).contains($0) ? .some($0) : nil }
            },
            json: { $0.map { .integer($0) } ?? "auto" }
        )
    }
}
