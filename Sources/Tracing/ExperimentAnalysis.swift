import Basics
import Experiments
import Grading
import Models
import Records
import Tokenizers

/// The analyses of an experiment's arms, side by side.
public struct ExperimentAnalysis {
    /// A trace to look at, token by token.
    struct Sample {
        /// The problem's text.
        var problem: String
        /// The reference answer.
        var answer: String
        /// Where the trace comes from.
        var origin: String
        /// The trace.
        var trace: ArmAnalysis.ScoredTrace
    }

    /// How many traces of an arm are shown.
    static let samplesPerArm = 2
    /// How many tokens of a shown trace are written down.
    static let sampleTokens = 600

    /// The experiment's or the variant's name.
    var name: String
    /// One analysis an arm, in the order of the table.
    var arms: [ArmAnalysis] = []
    /// A few traces of each arm.
    var samples: [[Sample]] = []
    /// The tokenizer of each arm's ids.
    var tokenizers: [Tokenizer] = []

    /// The quantiles of the trace lengths that are written down.
    private static let quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]

    /// What is written to analysis.json.
    public var record: TraceAnalysis {
        TraceAnalysis(experiment: name, arms: arms.indices.map(statistics))
    }

    /// The content of analysis.json.
    public var json: JSON { record.json }

    /// A token of an arm, by its place.
    func text(_ id: Int32, of arm: Int) -> String {
        tokenizers[arm].text(of: [id], skipSpecial: false)
    }

    private func statistics(_ place: Int) -> TraceStatistics {
        let arm = arms[place]
        var record = TraceStatistics(
            arm: arm.arm,
            problems: arm.problems,
            problemsWithTrace: arm.problemsWithTrace,
            tries: arm.tries
        )
        record.rejections = arm.rejections
        record.acceptance = arm.acceptance
        record.fallbackShare = arm.fallbackShare
        record.acceptanceByThreshold = arm.acceptanceByThreshold
        record.traces = arm.lengths.count
        record.tokens = arm.tokens
        record.shareBelowOnePercent = arm.shareBelowOnePercent
        record.shareBelowTenthPercent = arm.shareBelowTenthPercent
        record.meanSurprise = arm.meanSurprise
        record.meanTraceLength = arm.meanTraceLength
        record.lengthQuantiles = Self.quantiles.map {
            LengthQuantile(share: $0, length: arm.lengthQuantile($0))
        }
        record.longestTraceLength = arm.lengths.max()
        record.lowByPosition = arm.lowByPosition.shares
        record.refusedByPosition = arm.refusedByPosition.shares
        record.agreement = arm.agreement.shares
        record.histogram = Histogram(edges: ArmAnalysis.edges, counts: arm.histogram)
        record.lowTokens = arm.lowestTokens.map { id, count, share in
            TokenShare(text: text(id, of: place), count: count, share: share)
        }
        record.samples = samples[place].map { sample(of: place, $0) }
        return record
    }

    private func sample(of place: Int, _ sample: Sample) -> SampleTrace {
        let trace = sample.trace
        return SampleTrace(
            arm: arms[place].arm,
            problem: sample.problem,
            answer: sample.answer,
            origin: sample.origin,
            tokenCount: trace.ids.count,
            tokens: trace.ids.indices.prefix(Self.sampleTokens).map { index in
                SampleTrace.Token(
                    text: text(trace.ids[index], of: place),
                    writer: trace.source[index],
                    studentProbability: Self.decimal(trace.studentProbability[index]),
                    teacherProbability: Self.decimal(trace.teacherProbability[index])
                )
            }
        )
    }

    /// A number by its shortest decimal form; nil for one that is none.
    private static func decimal(_ value: Float) -> Double? {
        value.isFinite ? Double("\(value)") : nil
    }
}

extension TrainingSettings {
    /// How many of a completion's tokens training sees: the end of turn of a complete one counts,
    /// too long a trace is cut or left out.
    fileprivate func seen(of count: Int, after prompt: Int, isComplete: Bool) -> Int {
        guard prompt + count + (isComplete ? 1 : 0) > maxLength else { return count }
        return overlong == .drop ? 0 : max(0, min(count, maxLength - prompt))
    }
}

/// How much of the traces is analysed.
public struct AnalysisLimits {
    /// The first traces of each arm and seed; nil for all.
    var rows: Int?
    /// The first tokens of each; nil for all.
    var tokens: Int?

    /// Limits; without any, all of it is analysed.
    public init(rows: Int? = nil, tokens: Int? = nil) {
        self.rows = rows
        self.tokens = tokens
    }
}

extension RunLayout {
    /// Analyses the traces of some arms; nil while nothing has been generated.
    ///
    /// - Throws: `Failure`.
    public func analyse(
        _ arms: [Arm],
        _ models: ModelStore,
        _ limits: AnalysisLimits = AnalysisLimits()
    ) throws -> ExperimentAnalysis? {
        var result = ExperimentAnalysis(name: experiment.variant?.name ?? experiment.name)
        var isEmpty = true
        let selector = TraceSelector(layout: self, models: models)
        for arm in arms {
            var analysis = ArmAnalysis(arm: arm.name)
            var samples: [ExperimentAnalysis.Sample] = []
            var tokenizer: Tokenizer?
            var seen: Set<[String]> = []
            for seed in experiment.seeds {
                guard var selection = try selector.select(arm, seed: seed) else { continue }
                // Of seeds that teach the same student, each try and each trace counts once.
                let path = try studentPath(arm, seed: seed)
                let tries = try traces(arm, seed: seed)?.folder
                let areNew = tries.map { seen.insert([path, $0]).inserted } ?? true
                selection.kept.removeAll { own in
                    let trace = [own.selected.id, own.selected.origin ?? "", own.selected.text]
                    return !seen.insert([path] + trace).inserted
                }
                guard areNew || !selection.kept.isEmpty else { continue }
                let student = try models.student(of: arm, self, seed: seed)
                isEmpty = false
                tokenizer = tokenizer ?? student.tokenizer
                if areNew { analysis.add(selection, answers: answer) }
                try forEachTrace(selection, student, limits) { selected, trace in
                    analysis.add(trace)
                    guard samples.count < ExperimentAnalysis.samplesPerArm else { return }
                    samples.append(sample(selected, trace))
                }
            }
            guard analysis.tries > 0, let tokenizer else { continue }
            result.arms.append(analysis)
            result.samples.append(samples)
            result.tokenizers.append(tokenizer)
        }
        return isEmpty ? nil : result
    }

    /// Analyses a file of traces as they are, under the experiment's student and template.
    ///
    /// - Throws: `Failure` when the file or the student is missing or malformed.
    public func analyse(
        _ path: String,
        member: String,
        _ models: ModelStore,
        _ limits: AnalysisLimits
    ) throws -> ExperimentAnalysis {
        let traces = try SelectedTrace.readExternal(
            path,
            member: member,
            choosing: RecordChoice(limit: limits.rows)
        )
        let student = try models.model(.student, of: self, seed: experiment.seeds[0])
        let name = path.split(separator: "/").last.map(String.init) ?? path
        var result = ExperimentAnalysis(name: name)
        var analysis = ArmAnalysis(arm: name)
        var samples: [ExperimentAnalysis.Sample] = []
        analysis.addRows(traces.count)
        try score(traces, name, student, experiment.training, limits.tokens) { selected, trace in
            analysis.add(trace)
            guard samples.count < ExperimentAnalysis.samplesPerArm else { return }
            samples.append(sample(selected, trace))
        }
        result.arms = [analysis]
        result.samples = [samples]
        result.tokenizers = [student.tokenizer]
        return result
    }

    private func sample(_ selected: SelectedTrace, _ trace: ArmAnalysis.ScoredTrace)
        -> ExperimentAnalysis.Sample
    {
        .init(
            problem: selected.problem,
            answer: selected.answer,
            origin: selected.origin ?? "",
            trace: trace
        )
    }

    /// The answer that a try states.
    private func answer(_ text: String) -> String? {
        let style = experiment.traceStyle
        return AnswerExtraction.extract(from: text, style: style)?.text
    }

    /// Hands out what training sees of the traces with the student's probabilities: those of
    /// generation, or new ones for external traces.
    private func forEachTrace(
        _ selection: ArmSelection,
        _ student: LanguageModel,
        _ limits: AnalysisLimits,
        _ body: (SelectedTrace, ArmAnalysis.ScoredTrace) throws -> Void
    ) throws {
        let kept = selection.kept.prefix(limits.rows ?? .max)
        let endOfTurn = try experiment.template.endOfTurnID(in: student.tokenizer)
        for own in kept {
            guard let trace = own.attempt else { continue }
            let prompt = try experiment.template.encode(
                problem: own.selected.problem,
                after: own.selected.context,
                with: student.tokenizer
            )
            let spoken = trace.ids.count - (trace.ids.last == endOfTurn ? 1 : 0)
            let seen = selection.arm.training.seen(
                of: spoken,
                after: prompt.count,
                isComplete: own.selected.isComplete
            )
            let scored = ArmAnalysis.ScoredTrace(
                ids: trace.ids,
                source: trace.source,
                studentProbability: trace.studentProbability,
                teacherProbability: trace.teacherProbability
            )
            guard seen > 0 else { continue }
            let shown = min(seen, limits.tokens ?? .max)
            try body(own.selected, scored.spoken(endOfTurn).prefix(shown))
        }
        try score(
            kept.filter { $0.attempt == nil }.map(\.selected),
            selection.arm.name,
            student,
            selection.arm.training,
            limits.tokens,
            body
        )
    }

    /// Scores traces that the student did not write.
    ///
    /// Of each what training would see, up to `limit` tokens.
    private func score(
        _ traces: [SelectedTrace],
        _ label: String,
        _ student: LanguageModel,
        _ training: TrainingSettings,
        _ limit: Int?,
        _ body: (SelectedTrace, ArmAnalysis.ScoredTrace) throws -> Void
    ) throws {
        guard !traces.isEmpty else { return }
        let progress = ProgressLine("scoring \(label)", total: traces.count, unit: "traces")
        let template = experiment.template
        let scoring = SequenceScoring(student)
        let endOfTurn = try template.endOfTurnID(in: student.tokenizer)
        for (index, selected) in traces.enumerated() {
            try Interrupts.check()
            let prompt = try template.encode(
                problem: selected.problem,
                after: selected.context,
                with: student.tokenizer
            )
            var whole = try template.completion(of: selected, with: student.tokenizer)
            if whole.last == endOfTurn { whole.removeLast() }
            let seen = training.seen(
                of: whole.count,
                after: prompt.count,
                isComplete: selected.isComplete
            )
            let ids = Array(whole.prefix(min(seen, limit ?? .max)))
            if !ids.isEmpty {
                let trace = ArmAnalysis.ScoredTrace(
                    ids: ids,
                    source: ids.map { _ in .teacher },
                    studentProbability: try scoring.probabilities(of: ids, after: prompt),
                    teacherProbability: ids.map { _ in .nan }
                )
                try body(selected, trace)
            }
            progress.update(done: index + 1)
        }
        progress.finish()
    }
}
