import Basics
import Foundation
import Grading
import Records
import TestSupport
import Testing

@testable import Decoding
@testable import Experiments
@testable import Scoring
@testable import Tracing

/// What Generate writes is what Train and Evaluate read: every field of it.
@Suite struct ContractTests {
    /// A try with all that the engine can report: both kinds of refusal, and a token of which only
    /// one model's probability is known.
    static func sequence(_ stop: StopReason) -> CompletedSequence {
        func refusal(_ position: Int, _ reason: Refusal.Reason) -> Refusal {
            Refusal(
                position: position,
                token: 7 + Int32(position),
                teacherProbability: 0.3,
                studentProbability: reason == .threshold ? 0.001 : 0.03,
                reason: reason
            )
        }
        return CompletedSequence(
            id: "p\u{E9} \"1\"",
            attempt: 3,
            decisions: [
                TokenDecision(
                    token: 4,
                    source: .teacher,
                    reason: .accepted,
                    teacherProbability: 0.1,
                    studentProbability: 1 / 3,
                    acceptance: [0.75, 0.25]
                ),
                TokenDecision(
                    token: 5,
                    source: .student,
                    reason: .refused,
                    studentProbability: 1e-30,
                    refused: [refusal(1, .threshold), refusal(1, .topK)],
                    acceptance: [0.5, 0.125]
                ),
                TokenDecision(
                    token: 6,
                    source: .teacher,
                    reason: .accepted,
                    teacherProbability: 1,
                    studentProbability: 0.02,
                    refused: [refusal(2, .threshold)],
                    acceptance: [1, 0]
                ),
            ],
            stop: stop
        )
    }

    @Test(arguments: StopReason.allCases)
    func aTryComesBackAsItWasMade(_ stop: StopReason) throws {
        let record = TraceRecord(
            seed: .max - 1,
            policy: .rsd,
            streams: ["teacher", "student"],
            acceptanceThreshold: 0.02,
            acceptanceThresholds: [0.01, 0.1],
            tokenizer: try ChainWorld.tokenizer,
            style: AnswerStyle()
        )
        let sequence = Self.sequence(stop)
        let problem = Problem(id: sequence.id, problem: "1+2?", answer: "3")
        let trace = record.trace(of: sequence, problem: problem, promptDigest: "00ff")
        let folder = try TemporaryFolder()
        try JSONLines.write([trace.json], to: folder.file("traces.jsonl"))
        let read = try #require(Trace.read(folder.file("traces.jsonl")).first)
        #expect(dumped(read) == dumped(trace))

        #expect(read.id == sequence.id && read.attempt == 3 && read.seed == .max - 1)
        #expect(read.policy == .rsd && read.stop == stop && read.acceptanceThreshold == 0.02)
        #expect(read.ids == sequence.tokens && read.source == [.teacher, .student, .teacher])
        #expect(read.studentProbability == [1 / 3, 1e-30, 0.02])
        #expect(read.teacherProbability[0] == 0.1 && read.teacherProbability[1].isNaN)
        #expect(read.refusals == sequence.decisions.flatMap(\.refused))
        #expect(
            read.acceptance == [
                Acceptance(threshold: 0.01, share: 0.75), Acceptance(threshold: 0.1, share: 0.125),
            ]
        )
        let spoken = sequence.tokens.prefix(stop == .length ? 3 : 2)
        #expect(read.text == record.tokenizer.text(of: spoken, skipSpecial: false))
    }

    /// Arms that select whole traces, some with weights, the starts of traces, and texts.
    static func scope(_ laboratory: Laboratory) throws -> Scope {
        try ArmTests.scope(
            laboratory,
            arms: """
                  teacher: {kind: teacher-filtered}
                  masked: {kind: teacher-filtered, selection: {maskBelow: 0.01}}
                  rsd: {kind: rsd, selection: {unsolvedPrefix: 5}}
                  human: {kind: direct, traces: {problems: solution}}
                """
        )
    }

    @Test func whatIsSelectedIsWhatIsTrained() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(laboratory)
        let selections = try scope.select(ModelStore())
        #expect(selections.count == 4)
        let tokenizer = try ChainWorld.tokenizer
        let template = scope.experiment.template
        for selection in selections {
            let name = selection.arm.name
            let stage = try #require(
                try scope.layout.selection(selection.arm, seed: selection.seed)
            )
            try stage.checkOutput("selected.jsonl")
            let read = try SelectedTrace.read(stage.selected)
            #expect(dumped(read) == dumped(selection.selected) && !read.isEmpty, "\(name)")
            for trace in read {
                let example = try template.example(trace, with: tokenizer)
                let completion = try template.completion(of: trace, with: tokenizer)
                let behind = example.ids.dropFirst(example.promptCount)
                #expect(behind.starts(with: completion), "\(name)")
                let weights = example.weights.dropFirst(example.promptCount)
                let own = trace.weights ?? completion.map { _ in 1 }
                #expect(weights.starts(with: own), "\(name)")
            }
        }
        let all = selections.flatMap(\.selected)
        #expect(all.contains { $0.weights != nil } && all.contains { !$0.isComplete })
        #expect(all.contains { $0.ids == nil } && all.contains { $0.ids != nil })
    }

    @Test func whatIsAnalysedIsWhatIsReported() throws {
        let laboratory = try Laboratory()
        let scope = try Self.scope(laboratory)
        let analysis = try #require(try scope.analyse(ModelStore())).record
        let path = "\(scope.layout.resultsFolder)/analysis.json"
        try TextFile.write(analysis.json.pretty, to: path)
        #expect(try TraceAnalysis.read(path) == analysis)
        #expect(analysis.arms.map(\.arm) == ["teacher", "masked", "rsd", "human"])
        #expect(analysis.arms.allSatisfy { !$0.samples.isEmpty && $0.tokens > 0 })
        let rsd = analysis.arms[2]
        #expect(rsd.rejections == [.wrong: 3, .unparsed: 3, .notChosen: 2])
        #expect(rsd.acceptanceByThreshold.count == 2)
        #expect(rsd.lengthRange != nil && rsd.agreement.right != nil && rsd.histogram != nil)
        #expect(analysis.arms[0].lowTokens.count == 2 && !analysis.arms[0].lowByPosition.isEmpty)
    }
}

/// The names of the members of all records on disk, and that each of them is read.
///
/// `Fixtures/members.txt` is written anew where the variable RSD_RECORD is set.
@Suite struct RecordMembersTests {
    /// A file, the values in it, and how it is read.
    struct Record {
        var file: String
        var lines: [JSON]
        /// The lines of what is read from a file.
        var read: (String) throws -> [JSON]
        /// Whether reading gives equal values, in every field.
        var comesBack: (String) throws -> Bool
        /// What of the values is nil, where it should not be.
        var unknown: Bool
        /// Members that are written for people.
        var unread: Set<String> = []

        init<T>(
            _ file: String,
            _ values: [T],
            lines: @escaping (T) -> [JSON],
            read: @escaping (String) throws -> [T],
            isEqual: @escaping (T, T) -> Bool = { dumped($0) == dumped($1) }
        ) {
            self.file = file
            self.lines = values.flatMap(lines)
            self.read = { try read($0).flatMap(lines) }
            comesBack = { path in
                let found = try read(path)
                return found.count == values.count && zip(found, values).allSatisfy(isEqual)
            }
            unknown = values.first.map { dumped($0).contains(": nil") } ?? true
        }
    }

    static var records: [Record] {
        var analysis = Record(
            "analysis.json",
            [TraceAnalysis(experiment: "tiny", arms: [statistics])],
            lines: { [$0.json] },
            read: { [try TraceAnalysis.read($0)] },
            isEqual: ==
        )
        // One of the quantiles.
        analysis.unread = ["arms.median_trace_length"]
        return [
            Record("traces.jsonl", [trace], lines: { [$0.json] }, read: Trace.read),
            Record("selected.jsonl", [selected], lines: { [$0.json] }, read: SelectedTrace.read),
            Record(
                "targets.jsonl",
                [targets],
                lines: { [$0.json] },
                read: { try JSONLines.read($0) { try TokenTargets(json: $0) } }
            ),
            Record(
                "ranks.jsonl",
                [TokenRanks(id: "p", attempt: 1, ranks: [1, 100])],
                lines: { [$0.json] },
                read: { try JSONLines.read($0) { try TokenRanks(json: $0) } }
            ),
            Record(
                "gate.jsonl",
                [OwnSurprisals(id: "p", ratios: [0, 1.5])],
                lines: { [$0.json] },
                read: { try JSONLines.read($0) { try OwnSurprisals(json: $0) } }
            ),
            Record(
                "metrics.jsonl",
                [step],
                lines: { [$0.json] },
                read: { try MetricsFile($0).rows }
            ),
            Record(
                "ranked.jsonl",
                [
                    RankedChoice(id: "q", shown: [2, 0], chosen: 0, text: "so #2", tokenCount: 3)
                ],
                lines: { [$0.json] },
                read: { try JSONLines.read($0) { try RankedChoice(json: $0) } }
            ),
            Record("samples.jsonl", [sample], lines: { [$0.json] }, read: Sample.read),
            Record(
                "scores.jsonl",
                [scores],
                lines: \.records,
                read: { [try ScoreTable.read($0)] },
                isEqual: ==
            ),
            analysis,
        ]
    }

    @Test func membersKeepTheirNames() throws {
        let found = Self.records.flatMap { record in
            var names: [String] = []
            for line in record.lines {
                for name in Self.members(of: line) where !names.contains(name) {
                    names.append(name)
                }
            }
            return names.map { "\(record.file) \($0)" }
        }
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/members.txt").path(percentEncoded: false)
        if ProcessInfo.processInfo.environment["RSD_RECORD"] != nil {
            try TextFile.write(found.joined(separator: "\n") + "\n", to: path)
        }
        let pinned = String(decoding: try TextFile.read(path), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        #expect(found == pinned)
    }

    /// Under another name a member is missed, or what is read is something else.
    @Test func everyMemberIsRead() throws {
        for record in Self.records {
            #expect(!record.unknown, "\(record.file): the example lacks a field")
            let folder = try TemporaryFolder()
            let path = folder.file(record.file)
            func write(_ lines: [JSON]) throws { try JSONLines.write(lines, to: path) }
            try write(record.lines)
            #expect(try record.comesBack(path), "\(record.file)")
            let whole = record.lines.map(\.compact)
            #expect(try record.read(path).map(\.compact) == whole, "\(record.file)")
            for name in Set(record.lines.flatMap(Self.members)).subtracting(record.unread) {
                let parts = name.split(separator: ".").map(String.init)
                try write(record.lines.map { Self.renaming(parts[...], in: $0) })
                let found = try? record.read(path).map(\.compact)
                #expect(found != whole, "\(record.file): nothing reads \(name)")
            }
        }
    }

    /// The names of all members, with those of the objects and lists around them.
    static func members(of json: JSON) -> [String] {
        if let items = json.array { return items.flatMap(members) }
        return (json.object?.members ?? []).flatMap { key, value in
            [key] + members(of: value).map { "\(key).\($0)" }
        }
    }

    /// The same with another name for one member, everywhere.
    static func renaming(_ path: ArraySlice<String>, in json: JSON) -> JSON {
        if let items = json.array { return .array(items.map { renaming(path, in: $0) }) }
        guard let object = json.object, let first = path.first else { return json }
        return .object(
            JSONObject(
                object.members.map { key, value in
                    guard key == first else { return (key, value) }
                    return path.count == 1
                        ? (key + "_", value) : (key, renaming(path.dropFirst(), in: value))
                }
            )
        )
    }
}

/// All fields of a value as text, down to the last.
private func dumped(_ value: some Any) -> String {
    var text = ""
    dump(value, to: &text)
    return text
}
