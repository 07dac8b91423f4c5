import Basics
import Decoding
import Experiments
import Grading
import Models
import Records
import Tokenizers

/// Decides what the arms of an experiment train on.
struct TraceSelector {
    /// The experiment's stages.
    let layout: RunLayout
    /// Where models come from, for what needs a tokenizer or a student's judgement.
    let models: ModelStore

    private var experiment: Experiment { layout.experiment }

    /// What an arm trains on, matched with other arms where it asks for that.
    ///
    /// - Returns: Nil while nothing has been generated for it.
    /// - Throws: `Failure` when an input is missing or malformed, or an arm that it is matched with
    ///   has no tries.
    func select(_ arm: Arm, seed: UInt64) throws -> ArmSelection? {
        guard let own = try unmatched(arm, seed: seed) else { return nil }
        guard let matching = arm.matching else { return own }
        var others: [ArmSelection] = []
        for name in matching.arms where name != arm.name {
            guard let other = try unmatched(experiment.arm(name), seed: seed) else {
                throw Failure(
                    .missingInput,
                    file: experiment.file,
                    at: "arms.\(arm.name).match",
                    "'\(name)' has no tries with seed \(seed) yet, so nothing is selected",
                    remedy: "Make them: rsd-generate run \(experiment.file) --arm \(name)"
                )
            }
            others.append(other)
        }
        let student = try models.student(of: arm, layout, seed: seed)
        return try TraceMatching(
            matching: matching,
            template: experiment.template,
            tokenizer: student.tokenizer
        ).apply(to: own, others: others)
    }

    /// What an arm trains on when it is not compared with others.
    func unmatched(_ arm: Arm, seed: UInt64) throws -> ArmSelection? {
        guard var result = try arm.traces == nil ? own(arm, seed) : taken(arm, seed) else {
            return nil
        }
        if let name = arm.selection.fallback {
            try fill(&result, from: experiment.arm(name), seed)
        }
        let threshold = Float(arm.selection.maskBelow)
        guard threshold > 0 else { return result }
        for index in result.kept.indices {
            var trace = result.kept[index].selected
            let scores: [Float]
            if let attempt = result.kept[index].attempt {
                scores = attempt.studentProbability
            } else {
                (trace.ids, scores) = try scored(trace, arm, seed)
            }
            let weights = trace.weights ?? scores.map { _ in 1 }
            trace.weights = zip(weights, scores).map { $1 < threshold ? 0 : $0 }
            result.kept[index].selected = trace
        }
        return result
    }

    /// Adds what another arm selects of the problems of which nothing is kept.
    private func fill(_ selection: inout ArmSelection, from other: Arm, _ seed: UInt64) throws {
        guard let spare = try unmatched(other, seed: seed) else {
            selection.isComplete = false
            return
        }
        selection.isComplete = selection.isComplete && spare.isComplete
        let solved = Set(selection.kept.map { Array($0.selected.id.utf8) })
        let filled = Set(spare.kept.map { Array($0.selected.id.utf8) }).subtracting(solved)
        selection.selection?.solvedCount += filled.count
        let kept =
            selection.kept + spare.kept.filter { !solved.contains(Array($0.selected.id.utf8)) }
        let own = Dictionary(grouping: kept) { Array($0.selected.id.utf8) }
        selection.kept = selection.problems.flatMap { own[Array($0.id.utf8)] ?? [] }
    }

    /// The tokens of a trace made elsewhere, and what the student thinks of each.
    private func scored(_ trace: SelectedTrace, _ arm: Arm, _ seed: UInt64) throws -> (
        [Int32], [Float]
    ) {
        try Interrupts.check()
        let student = try models.student(of: arm, layout, seed: seed)
        let template = experiment.template
        let ids = try template.completion(of: trace, with: student.tokenizer)
        let prompt = try template.encode(
            problem: trace.problem,
            after: trace.context,
            with: student.tokenizer
        )
        return (ids, try SequenceScoring(student).probabilities(of: ids, after: prompt))
    }

    /// The rank of each token of a try under the student that took part in it.
    private func rank(_ trace: Trace, of problem: Problem?, _ arm: Arm, _ seed: UInt64) throws
        -> [Int]
    {
        try Interrupts.check()
        guard let problem else { preconditionFailure("a try of no problem was selected") }
        let student = try models.student(of: arm, layout, seed: seed)
        return try SequenceScoring(student).ranks(
            of: trace.ids,
            after: experiment.template.encode(
                problem: problem.problem,
                after: problem.context,
                with: student.tokenizer
            ),
            highest: TokenRanks.highest
        )
    }

    /// Traces from elsewhere, taken as they are.
    private func taken(_ arm: Arm, _ seed: UInt64) throws -> ArmSelection? {
        guard let source = arm.traces else { return nil }
        // The stage's digest knows where a user gets a file that is missing.
        _ = try layout.selection(arm, seed: seed)
        var traces: [SelectedTrace]
        switch source.origin {
        case .file(let file, let member):
            traces = try SelectedTrace.readExternal(
                file.path,
                member: member,
                choosing: file.choice
            )
        case .problems(let member):
            let problems = try layout.problems(seed: seed).problems
            do {
                traces = try problems.map { try SelectedTrace(solutionOf: $0, member: member) }
            } catch let failure as Failure {
                throw failure.inFile(experiment.problems?.file?.path ?? experiment.file)
            }
        case .experiment: return try borrowed(arm, source, seed)
        }
        let file = source.file ?? experiment.problems?.file
        traces = try cleaned(traces, of: arm, seed, in: file)
            .map(source.finished)
        return ArmSelection(arm: arm, seed: seed, kept: traces.map { .init(selected: $0) })
    }

    /// Traces without the marks that the template sets itself; warns of what is odd about them.
    private func cleaned(
        _ traces: [SelectedTrace],
        of arm: Arm,
        _ seed: UInt64,
        in file: RecordFile?
    ) throws -> [SelectedTrace] {
        let marks = try experiment.template.marks {
            try models.student(of: arm, layout, seed: seed).tokenizer
        }
        do {
            let (cleaned, warnings) = try marks.applied(to: traces)
            let place = [file?.path, "arm \(arm.name)"].compactMap(\.self).joined(separator: ": ")
            for warning in warnings { models.warn("\(place): \(warning)") }
            return cleaned
        } catch let failure as Failure {
            throw failure.inFile(file?.path ?? experiment.file)
        }
    }

    /// Traces made for another student: as tokens where the two vocabularies are the same, otherwise
    /// as text.
    private func borrowed(_ arm: Arm, _ source: TraceSource, _ seed: UInt64) throws
        -> ArmSelection
    {
        let (other, stage) = try layout.otherSelection(arm, seed: seed)
        try stage.checkOutput("selected.jsonl")
        var traces = try SelectedTrace.read(stage.selected)
        let student = try models.student(of: arm, layout, seed: seed)
        let tokenizer = try Tokenizer(at: other.modelPath(.student, seed: stage.seed))
        let isSame =
            try tokenizer.hasSameVocabulary(as: student.tokenizer)
            && experiment.template.marks(with: { student.tokenizer }).endOfTurn
                == other.experiment.template.marks(with: { tokenizer }).endOfTurn
        if !isSame || source.ending != nil {
            let texts = traces.compactMap { $0.asText(tokenizer) }
            // An ending does not belong behind what is cut off.
            let isCut = source.ending != nil && traces.contains { $0.weights?.contains(0) == true }
            guard texts.count == traces.count, !isCut else {
                throw Failure(
                    .configuration,
                    file: experiment.file,
                    at: "arms.\(arm.name).traces",
                    "some tokens of these traces are not trained on, and here they are taken as "
                        + "text",
                    remedy: "Take the traces of an arm without maskBelow and match."
                )
            }
            traces = texts
        }
        var selection = ArmSelection(
            arm: arm,
            seed: seed,
            kept: traces.map { .init(selected: source.finished($0)) }
        )
        selection.isComplete = stage.state == .finished
        if traces.isEmpty {
            selection.obstacle = "the arm that it takes its traces from has none"
        }
        return selection
    }

    /// Applies an arm's filter to the tries that are there, graded again from their text.
    ///
    /// Problems without any try do not count.
    private func own(_ arm: Arm, _ seed: UInt64) throws -> ArmSelection? {
        guard let stage = try layout.traces(arm, seed: seed) else { return nil }
        let store = TraceStore(stage: stage)
        let found = try store.read()
        guard !found.isEmpty else { return nil }
        var result = ArmSelection(arm: arm, seed: seed, kept: [])
        let style = experiment.traceStyle
        var visited: [[UInt8]: Problem] = [:]
        for problem in try layout.problems(seed: stage.seed).problems {
            let own = (0..<arm.generation.tries).compactMap { found[TryKey(problem.id, $0)] }
            if own.count < arm.generation.tries { result.isComplete = false }
            guard !own.isEmpty else { continue }
            result.tries += own
            visited[Array(problem.id.utf8)] = problem
            result.problems.append(problem)
        }
        if result.isComplete, store.files == [stage.traces()] {
            try stage.checkOutput("traces.jsonl")
        }
        let ranks = RankStore(stage: stage)
        let selection = try arm.selection.filter.select(
            result.tries,
            problems: result.problems.map(\.id),
            verdict: { trace in
                visited[Array(trace.id.utf8)]?.verdict(on: trace.text, style: style)
                    ?? trace.verdict
            },
            ranks: { trace in
                try ranks.ranks(of: trace) {
                    try rank(trace, of: visited[Array(trace.id.utf8)], arm, stage.seed)
                }
            }
        )
        result.selection = selection
        result.kept = try selection.traces.compactMap { trace in
            guard let problem = visited[Array(trace.id.utf8)] else { return nil }
            var selected = SelectedTrace(trace, of: problem)
            if !selected.isComplete, arm.selection.filter.unsolvedPrefix > 0 {
                let student = try models.student(of: arm, layout, seed: seed)
                selected.text = student.tokenizer.text(of: trace.ids, skipSpecial: false)
            }
            return .init(selected: selected, attempt: trace)
        }
        return result
    }
}

extension SelectedTrace {
    /// The trace without its tokens, cut off where its loss ends, as the last of a matched volume
    /// may be; nil where the loss leaves out tokens in between, which a text cannot tell.
    fileprivate func asText(_ tokenizer: Tokenizer) -> SelectedTrace? {
        var copy = self
        copy.ids = nil
        copy.weights = nil
        guard let ids, let weights, weights.contains(0) else { return copy }
        let count = weights.prefix { $0 > 0 }.count
        guard weights.dropFirst(count).allSatisfy({ $0 == 0 }) else { return nil }
        copy.text = tokenizer.text(of: ids.prefix(count), skipSpecial: true)
        copy.isComplete = false
        return copy
    }
}
