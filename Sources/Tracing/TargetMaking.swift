import Basics
import Decoding
import Experiments
import Kernels
import Models
import Records

/// Writes a teacher's distributions along selected traces, for students that learn from them when
/// the teacher is not there any more.
public struct TargetMaking {
    /// The most tokens that are kept at a position: a trace's line has to stay readable.
    public static let mostTokens = 100

    private let layout: RunLayout
    private let models: ModelStore
    /// How many of the most likely tokens are kept at a position.
    private let count: Int

    /// Prepares to keep the `count` most likely tokens at each position.
    public init(_ layout: RunLayout, _ models: ModelStore, count: Int) {
        self.layout = layout
        self.models = models
        self.count = count
    }

    /// Adds what is missing for the traces that arms train on, under all seeds.
    ///
    /// - Parameters:
    ///   - arms: The arms; one of kind base has none.
    ///   - path: The file, which may hold some already.
    ///   - progress: Hears of each trace that was added.
    /// - Throws: `Failure.missingInput` for traces that have not been selected yet; `Failure` for a
    ///   file of other targets, models that are missing or do not fit, or a full disk.
    public func run(
        _ arms: [Arm],
        into path: String,
        progress: (_ added: Int) -> Void = { _ in }
    ) throws {
        let selections = try layout.experiment.seeds.flatMap { seed in
            try arms.compactMap { try selected($0, seed) }
        }
        // Opening cuts off a torn last line, so it comes before reading.
        let file = try JSONLines.Appender(path)
        var known = KnownTargets()
        for record in try JSONLines.read(path, { try TokenTargets(json: $0) }) {
            known.traces.insert(TraceTokens(record.id, record.ids))
            known.vocabulary = record.vocabulary
        }
        var added = 0
        for (arm, selection) in selections {
            try add(arm, selection, to: file, path, &known) {
                added += 1
                progress(added)
            }
        }
    }

    /// The selection of an arm; nil for one of kind base.
    private func selected(_ arm: Arm, _ seed: UInt64) throws -> (arm: Arm, selection: Stage)? {
        guard let selection = try layout.selection(arm, seed: seed) else { return nil }
        guard selection.hasSelection else {
            throw Failure(
                .missingInput,
                file: selection.selected,
                "arm '\(arm.name)' has no traces with seed \(seed) yet",
                remedy: "Generate them: rsd-generate run \(layout.experiment.file) --arm "
                    + "\(arm.name)"
            )
        }
        return (arm, selection)
    }

    private func add(
        _ arm: Arm,
        _ selection: Stage,
        to file: JSONLines.Appender,
        _ path: String,
        _ known: inout KnownTargets,
        _ progress: () -> Void
    ) throws {
        try selection.checkOutput("selected.jsonl")
        let student = try models.student(of: arm, layout, seed: selection.seed)
        let teacher = try models.teacher(of: arm, layout, seed: selection.seed)
        let vocabularies = try models.vocabularies(teacher: teacher, student: student)
        let template = layout.experiment.template
        let vocabulary = student.tokenizer.vocabularyDigest
        guard known.vocabulary ?? vocabulary == vocabulary else {
            throw Failure(
                .badData,
                file: path,
                "holds targets in the tokens of another student than that of arm '\(arm.name)'",
                remedy: "Write a file for each of them."
            )
        }
        known.vocabulary = vocabulary
        for trace in try SelectedTrace.read(selection.selected) {
            try Interrupts.check()
            let example = try template.example(trace, with: student.tokenizer)
            let completion = Array(example.ids.dropFirst(example.promptCount))
            guard known.traces.insert(TraceTokens(trace.id, completion)).inserted else { continue }
            let prompt = try template.encode(
                problem: trace.problem,
                after: trace.context,
                with: teacher.tokenizer
            )
            let positions = try positions(along: completion, after: prompt, teacher, vocabularies)
            let record = TokenTargets(
                id: trace.id,
                vocabulary: vocabulary,
                ids: completion,
                top: positions.map(\.tokens),
                logProbabilities: positions.map(\.logProbabilities),
                rest: positions.map { $0.rest ?? .nan }
            )
            guard record.json.compact.utf8.count < JSONLines.longestLine else {
                throw Failure(
                    .configuration,
                    file: path,
                    at: "'\(trace.id)'",
                    "\(completion.count) tokens with \(count) entries each make a line of more than "
                        + "\(JSONLines.longestLine) bytes",
                    remedy: "Lower --top."
                )
            }
            try file.append(record.json)
            progress()
        }
    }

    /// What the teacher says at each token of a completion.
    private func positions(
        along completion: [Int32],
        after prompt: [Int32],
        _ teacher: LanguageModel,
        _ vocabularies: VocabularyMap
    ) throws -> [TopTokens] {
        guard !completion.isEmpty else { return [] }
        let reading = TeacherReading(of: completion, after: prompt, vocabularies: vocabularies)
        try teacher.check(reading.tokens)
        var positions: [TopTokens] = []
        var next = 0
        SequenceScoring(teacher).forEachPass(over: reading.tokens, from: reading.rows[0]) {
            logits,
            rows in
            let columns = logits.count / rows.count
            for (index, row) in rows.enumerated() where reading.rows[next...].first == row {
                let own = logits[index * columns..<(index + 1) * columns]
                positions.append(TopTokens(own, count: count, vocabularies))
                next += 1
            }
        }
        return positions
    }
}

/// What a file of targets holds already.
private struct KnownTargets {
    var traces: Set<TraceTokens> = []
    /// The digest of the vocabulary of all; nil for an empty file.
    var vocabulary: String?
}

/// A trace by what it says.
private struct TraceTokens: Hashable {
    var id: [UInt8]
    var tokens: [Int32]

    init(_ id: String, _ tokens: [Int32]) {
        self.id = Array(id.utf8)
        self.tokens = tokens
    }
}

extension TopTokens {
    /// The most likely tokens of a teacher's row of logits, those of them that the student has, under
    /// its ids; the lower id of the teacher first among equals.
    ///
    /// - Parameters:
    ///   - logits: All rows of the head, padding included, which counts to the rest.
    ///   - count: How many of the teacher's most likely tokens are looked at.
    ///   - vocabularies: Which tokens the two share.
    init(_ logits: Buffer<Float>, count: Int, _ vocabularies: VocabularyMap) {
        let row = LogitSummary(logits)
        let likely = row.indices(atLeast: row.logit(reachedBy: count))
            .sorted { (-logits[Int($0)], $0) < (-logits[Int($1)], $1) }.prefix(count)
        let map = vocabularies.teacherToStudent
        let shared = likely.filter { Int($0) < map.count && map[Int($0)] >= 0 }
        // The rest is added up by itself: what is missing to 1 would be rounding where it is small.
        let others = Buffer<Float>(count: logits.count)
        others.copy(from: logits)
        for token in shared { others[Int(token)] = -.infinity }
        let whole = Double(row.greatest) + Elementary.log(row.sum)
        let left = LogitSummary(others)
        self.init(
            tokens: shared.map { map[Int($0)] },
            logProbabilities: shared.map { Float(Double(logits[Int($0)]) - whole) },
            rest: left.greatest > -.infinity
                ? Float(Double(left.greatest) + Elementary.log(left.sum) - whole) : nil
        )
    }
}
