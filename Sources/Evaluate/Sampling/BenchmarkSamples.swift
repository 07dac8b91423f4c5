import Datasets
import Experiments
import Files
import Foundation

/// The samples of one job on one benchmark, as far as they are there.
struct BenchmarkSamples {
    /// The benchmark's name.
    let name: String
    /// The file.
    let path: String
    /// All questions, in order.
    let problems: [Problem]
    /// k: samples of each question.
    let perQuestion: Int
    /// The samples, in the order of the file.
    var samples: [Sample] = []

    private let places: [String: Int]

    /// Reads what is there; nothing when the file is not.
    ///
    /// - Throws: `Failure.badData` for a malformed record, a sample seen before, or one that the
    ///   benchmark has no question for, with the command that mends it.
    init(_ benchmark: Benchmark, of job: EvaluationJob) throws {
        name = benchmark.name
        path = job.stage.samples(benchmark.name)
        problems = try benchmark.problems().problems
        perQuestion = benchmark.samples ?? job.experiment.evaluation.samples
        places = Dictionary(
            problems.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            samples = try Sample.read(path)
            for sample in samples { try check(sample) }
        } catch var failure as Failure {
            failure.remedy = "Remove the file and sample again: \(job.command)"
            throw failure.inFile(path)
        }
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
    func missing(_ limit: Int?) -> [(problem: Problem, indices: [Int])] {
        let present = Dictionary(grouping: samples, by: \.id).mapValues { Set($0.map(\.index)) }
        return asked(limit).compactMap { problem in
            let known = present[problem.id] ?? []
            let indices = (0..<perQuestion).filter { !known.contains($0) }
            return indices.isEmpty ? nil : (problem, indices)
        }
    }

    /// The reference answer of a sample's question.
    func gold(_ sample: Sample) -> String { places[sample.id].map { problems[$0].answer } ?? "" }

    /// Questions in the order of the benchmark, samples by number: the same whatever order they
    /// were made in.
    var canonical: [Sample] {
        samples.sorted { a, b in
            (places[a.id] ?? 0, a.index) < (places[b.id] ?? 0, b.index)
        }
    }

    /// The samples of the first questions, question by question.
    ///
    /// - Throws: `Failure.missingInput` naming the first sample that is not there.
    func complete(_ limit: Int?, of job: EvaluationJob) throws -> [(Problem, [Sample])] {
        if let (problem, indices) = missing(limit).first, let index = indices.first {
            throw Failure(
                .missingInput,
                file: path,
                at: "question '\(problem.id)'",
                "sample \(index) of \(job.label) on \(name) is missing",
                remedy: "Sample it: \(job.command)"
            )
        }
        let byQuestion = Dictionary(grouping: canonical, by: \.id)
        return asked(limit).map { ($0, byQuestion[$0.id] ?? []) }
    }

    /// Counts for the manifest.
    var summary: JSON {
        [
            "questions": .integer(Set(samples.map(\.id)).count),
            "samples": .integer(samples.count),
            "correct": .integer(samples.count { $0.verdict == .correct }),
            "unparsed": .integer(samples.count { $0.verdict == .unparsed }),
            "truncated": .integer(samples.count(where: \.isTruncated)),
            "tokens": .integer(samples.reduce(0) { $0 + $1.tokenCount }),
        ]
    }
}

extension [BenchmarkSamples] {
    /// What a manifest says of them.
    func results(limit: Int?) -> JSON {
        [
            "limit": limit.map { .integer($0) } ?? .null,
            "grader": .string(AnswerGrading.version),
            "benchmarks": .object(JSONObject(map { ($0.name, $0.summary) })),
        ]
    }
}
