import Records
import Basics

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
    public var kind: Kind
    /// The traces that it takes from elsewhere instead of generating them.
    public var traces: TraceSource?
    /// The arm before this one whose trained student judges its traces and is trained further; nil
    /// for the experiment's student.
    public var student: String?
    /// What its data are made as much as; nil for all that it has.
    public var matching: Matching?
    /// How its tries are generated, the token gate of its kind included.
    public var generation: GenerationSettings
    /// Which tries it trains on.
    public var selection: SelectionSettings
    /// How it is trained.
    public var training: TrainingSettings

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

/// A table of variants: each key of the experiment file with the values it takes.
///
/// One grid makes every combination of its values; several grids do not combine.
public struct Grid: Sendable {
    /// Its name.
    public var name: String
    /// Key paths such as `models.student.scratch.pretraining.steps`, with their values.
    public var axes: [(key: String, values: [JSON])]

    /// The most combinations of a grid: each is an experiment of its own.
    static let mostCombinations = 1000

    /// How many combinations there are; nil where that is no number of 64 bits.
    var count: Int? {
        axes.reduce(1) { partial, axis in
            guard
                let (product, isTooLarge) = partial?
                    .multipliedReportingOverflow(by: axis.values.count), !isTooLarge
            else { return nil }
            return product
        }
    }

    /// All combinations, the last axis changing fastest.
    var combinations: [[(key: String, value: JSON)]] {
        axes.reduce([[]]) { partial, axis in
            partial.flatMap { head in axis.values.map { head + [(axis.key, $0)] } }
        }
    }
}
