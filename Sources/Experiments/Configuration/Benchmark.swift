import Basics
import Records

/// A set of questions that models are scored on.
public struct Benchmark: Sendable, Equatable {
    /// Its name, part of file names.
    public var name = ""
    /// Where its questions come from.
    public var source = ProblemSource.file(RecordFile())
    /// k: samples of each question; nil for as many as `evaluation` says.
    public var samples: Int?

    /// Reads or draws the questions: the same for every seed.
    ///
    /// - Throws: `Failure` when the file is missing or malformed, or the world too small.
    public func problems() throws -> ProblemSet {
        switch source {
        case .file(let file): try file.problems()
        case .chain(let count, let operations):
            try ChainWorld.benchmark(name: name, count: count, operations: operations)
        }
    }
}

extension Benchmark: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key("name", \.name, .identifier, isRequired: true, "Its name, part of file names."),
        Key(
            "samples",
            \.samples,
            .optional(.whole(1...65535)),
            shown: "evaluation.samples",
            "k, samples of each question."
        ),
    ]
}

extension Benchmark {
    /// The benchmarks of an experiment file.
    static func readAll(_ root: ConfigurationReader) -> [Benchmark] {
        let items = root.value("benchmarks", .anyList) ?? []
        if items.isEmpty { root.missing("benchmarks", "a list of what to score on") }
        guard root.checkCount(items.count, of: "benchmarks") else { return [] }
        var benchmarks: [Benchmark] = []
        for (index, item) in items.enumerated() {
            let place = "benchmarks[\(index)]"
            guard let object = item.object else {
                root.report.add(place, "found \(item.shown); expected a map")
                continue
            }
            let reader = ConfigurationReader(object, at: place, root.report)
            var benchmark = Benchmark().reading(reader, alone: false)
            if benchmarks.contains(where: { $0.name == benchmark.name }) {
                root.report.add(
                    "\(place).name",
                    "'\(benchmark.name)' occurs twice; expected other names"
                )
            }
            if let source = ProblemSource(reader) {
                benchmark.source = source
                benchmarks.append(benchmark)
            }
            reader.finish()
        }
        return benchmarks
    }
}

extension ValueKind where Value == [JSON] {
    fileprivate static var anyList: Self {
        ValueKind("a list", parse: \.array, json: { .array($0) })
    }
}

/// What to do about problems for training that are also in a benchmark.
public enum ContaminationPolicy: String, Sendable, CaseIterable {
    /// Say so, and go on.
    case warn
    /// Stop where a problem is in a benchmark word for word; say so where one is nearly.
    case refuse
    /// Do not look.
    case ignore
}
