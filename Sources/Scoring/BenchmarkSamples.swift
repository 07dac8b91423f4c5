import Basics
import Experiments
import Foundation
import Grading
import Records

/// The samples of one job on one benchmark, as far as they are there.
///
/// Their texts stay in the file: a benchmark's samples can be gigabytes.
struct BenchmarkSamples {
    /// The benchmark's name.
    let name: String
    /// The file of all samples.
    let path: String
    /// The file that new samples are appended to: that of a shard has them until they are merged.
    let output: String
    /// All questions, in order.
    let problems: [Problem]
    /// k: samples of each question.
    let perQuestion: Int
    /// What is kept of each sample in memory, in the order of the file.
    private(set) var entries: [Entry] = []

    private let places: [String: Int]
    private var files: [(path: String, handle: FileHandle)] = []

    /// A sample: which one, where it is, and what its counts need.
    struct Entry {
        /// The place of its question in the benchmark.
        var place: Int
        /// Its number.
        var index: Int
        /// The place of its file among those read.
        var file: Int
        /// The bytes of its line.
        var range: Range<Int>
        /// What grading said.
        var verdict: AnswerVerdict
        /// Whether a length limit cut it off.
        var isTruncated: Bool
        /// Its length in tokens.
        var tokenCount: Int
    }

    /// Finds what is there; nothing when the file is not.
    ///
    /// - Throws: `Failure.badData` for a malformed record, a sample seen before, or one that the
    ///   benchmark has no question for, with the command that mends it.
    init(_ benchmark: Benchmark, of job: EvaluationJob, shard: Shard? = nil) throws {
        name = benchmark.name
        path = job.stage.samples(benchmark.name)
        output = job.stage.samples(benchmark.name, shard: shard)
        problems = try benchmark.problems().problems
        perQuestion = benchmark.samples ?? job.experiment.evaluation.samples
        places = Dictionary(
            problems.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        try readAgain(job)
    }

    /// Finds what is there now, in the file of all samples and in those of shards.
    ///
    /// - Throws: As `init`.
    mutating func readAgain(_ job: EvaluationJob) throws {
        (entries, files) = ([], [])
        var known: Set<[Int]> = []
        let shards = job.stage.shardSamples(name)
        for path in [path] + shards {
            // A shard may not have come to this benchmark yet.
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let file: FileHandle
            do { file = try InputFile.open(path) } catch let failure as Failure
                where failure.kind == .missingInput
                && !FileManager.default.fileExists(atPath: path)
            {
                // Merged since the folder was listed.
                return try readAgain(job)
            }
            let number = files.count
            files.append((path, file))
            try read(path, file, job) { placed in
                let sample = placed.record
                let place = places[sample.id] ?? 0
                // Shards of another number may have made it too, the same.
                guard known.insert([place, sample.index]).inserted else { return }
                entries.append(
                    Entry(
                        place: place,
                        index: sample.index,
                        file: number,
                        range: placed.range,
                        verdict: sample.verdict,
                        isTruncated: sample.isTruncated,
                        tokenCount: sample.tokenCount
                    )
                )
            }
        }
        // What was merged meanwhile is in the first file, which was read before.
        if job.stage.shardSamples(name) != shards { try readAgain(job) }
    }

    private func read(
        _ path: String,
        _ file: FileHandle,
        _ job: EvaluationJob,
        _ body: (JSONLines.Placed<Sample>) -> Void
    ) throws {
        let remedy = "Then sample again what these lines held: \(job.command)"
        try Sample.forEach(in: path, file: file, remedy: remedy) { placed in
            do { try check(placed.record) } catch let error as Failure {
                let failure = error.at("line \(placed.line)")
                throw JSONLines.failure([(placed.line, failure.inFile(path))], path, remedy)
                    ?? failure
            }
            body(placed)
        }
    }

    /// The file of what the model named the best of its samples; beside the samples it could have the
    /// name of another benchmark's.
    var rankedPath: String {
        let file = URL(filePath: path)
        return file.deletingLastPathComponent().appending(path: Self.ranked(name))
            .path(percentEncoded: false)
    }

    /// The name of a benchmark's file of choices within the stage's folder.
    static func ranked(_ benchmark: String) -> String { "ranked/\(benchmark).jsonl" }

    /// Reads a sample.
    ///
    /// - Throws: `Failure` when the file has changed since it was found.
    func sample(_ entry: Entry) throws -> Sample {
        let (path, file) = files[entry.file]
        return try Sample(
            json: JSON(parsing: InputFile.read(file, entry.range, path))
        )
    }

    /// Replaces what is remembered of a sample by what grading it again says.
    mutating func regrade(_ number: Int, as verdict: AnswerVerdict) {
        entries[number].verdict = verdict
    }

    private func check(_ sample: Sample) throws {
        guard sample.benchmark == name, places[sample.id] != nil else {
            throw Failure(
                .badData,
                at: "sample \(sample.index) of '\(sample.id)' on '\(sample.benchmark)'",
                "is no question of \(name)"
            )
        }
        guard sample.index < perQuestion else {
            throw Failure(
                .badData,
                at: "sample \(sample.index) of '\(sample.id)'",
                "expected samples from 0 to \(perQuestion - 1)"
            )
        }
    }

    /// The questions asked under a limit: the first ones.
    func asked(_ limit: Int?) -> ArraySlice<Problem> { problems.prefix(limit ?? problems.count) }

    /// The questions under a limit that lack samples, with the numbers of those.
    func missing(_ limit: Int?, shard: Shard? = nil) -> [(problem: Problem, indices: [Int])] {
        var present: [Int: Set<Int>] = [:]
        for entry in entries { present[entry.place, default: []].insert(entry.index) }
        return asked(limit).enumerated().compactMap { place, problem in
            guard shard?.contains(place) ?? true else { return nil }
            let known = present[place] ?? []
            let indices = (0..<perQuestion).filter { !known.contains($0) }
            return indices.isEmpty ? nil : (problem, indices)
        }
    }

    /// The reference answer of a sample's question.
    func gold(_ entry: Entry) -> String { problems[entry.place].answer }

    /// Questions in the order of the benchmark, samples by number: the same whatever order they
    /// were made in.
    private var canonical: [Entry] {
        entries.sorted { ($0.place, $0.index) < ($1.place, $1.index) }
    }

    /// Brings the file into its one order, a sample at a time.
    ///
    /// - Throws: `Failure.disk`, and what reading throws.
    mutating func writeCanonical(_ job: EvaluationJob) throws {
        guard !files.isEmpty else { return try JSONLines.write([JSON](), to: path) }
        try JSONLines.write(to: path) { add in
            for entry in canonical { try add(sample(entry).json) }
        }
        try readAgain(job)
    }

    /// Refuses samples that are not all there.
    ///
    /// - Throws: `Failure.missingInput` naming the first sample that is not there.
    func checkComplete(_ limit: Int?, of job: EvaluationJob) throws {
        guard let (problem, indices) = missing(limit).first, let index = indices.first else {
            return
        }
        throw Failure(
            .missingInput,
            file: path,
            at: "question '\(problem.id)'",
            "sample \(index) of \(job.label) on \(name) is missing",
            remedy: "Sample it: \(job.command)"
        )
    }

    /// Hands on the samples of the first questions, question by question, some questions at a time.
    ///
    /// - Throws: What reading throws.
    func forEachGroup(
        _ limit: Int?,
        of count: Int = 256,
        _ body: ([(Problem, [Sample])]) throws -> Void
    ) throws {
        var own: [Int: [Entry]] = [:]
        for entry in canonical { own[entry.place, default: []].append(entry) }
        let asked = asked(limit)
        for start in stride(from: 0, to: asked.count, by: count) {
            try body(
                (start..<min(start + count, asked.count)).map { place in
                    (problems[place], try (own[place] ?? []).map(sample))
                }
            )
        }
    }

    /// Counts for the manifest.
    var summary: JSON {
        [
            "questions": .integer(Set(entries.map(\.place)).count),
            "samples": .integer(entries.count),
            "correct": .integer(entries.count { $0.verdict == .correct }),
            "unparsed": .integer(entries.count { $0.verdict == .unparsed }),
            "truncated": .integer(entries.count(where: \.isTruncated)),
            "tokens": .integer(entries.reduce(0) { $0 + $1.tokenCount }),
        ]
    }
}

extension [BenchmarkSamples] {
    /// The names of their files, for the manifest.
    var outputs: [String] {
        flatMap { own in
            [
                (own.path, URL(filePath: own.path).lastPathComponent),
                (own.rankedPath, BenchmarkSamples.ranked(own.name)),
            ].filter { FileManager.default.fileExists(atPath: $0.0) }.map(\.1)
        }
    }

    /// What a manifest says of them.
    func results(limit: Int?) -> JSON {
        [
            "limit": limit.map { .integer($0) } ?? .null,
            "grader": .string(AnswerGrading.version),
            "benchmarks": .object(JSONObject(map { ($0.name, $0.summary) })),
        ]
    }
}
