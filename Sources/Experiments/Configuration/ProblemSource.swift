import Records
import Basics

/// Where problems come from.
public enum ProblemSource: Sendable, Equatable {
    /// A JSON Lines file.
    case file(RecordFile)
    /// Problems of the chain world with the given numbers of operations.
    case chain(count: Int, operations: [Int])

    init?(_ reader: ConfigurationReader) {
        switch (reader.has("path"), reader.map("chain")) {
        case (true, nil): self = .file(RecordFile(reader))
        case (false, let chain?):
            self = .chain(
                count: chain.integer("count", in: 1...1_000_000),
                operations: chain.integers(
                    "operations",
                    default: Array(ChainWorld.operationRange),
                    in: ChainWorld.operationRange
                )
            )
            chain.finish()
        case (let both, _):
            reader.report.add(
                reader.place,
                both ? "has both path and chain; expected one" : "expected path or chain"
            )
            return nil
        }
    }

    /// How many problems there are, where that is known without reading a file.
    public var count: Int? {
        switch self {
        case .file(let file): file.choice.limit
        case .chain(let count, _): count
        }
    }

    /// The file, when it is one.
    public var file: RecordFile? { if case .file(let file) = self { file } else { nil } }

    /// Reads or draws the problems to train on.
    ///
    /// - Throws: `Failure` when the file is missing or malformed, or the world too small.
    public func trainingProblems(seed: UInt64) throws -> ProblemSet {
        switch self {
        case .file(let file): try file.problems()
        case .chain(let count, let operations):
            try ChainWorld.trainingProblems(count: count, operations: operations, seed: seed)
        }
    }

    /// What the problems depend on, as manifests record it.
    var merged: JSON {
        switch self {
        case .file(let file): file.merged
        case .chain(let count, let operations):
            ["chain": ["count": .integer(count), "operations": .integers(operations)]]
        }
    }
}

/// A JSON Lines file and the records of it that are used.
public struct RecordFile: Sendable, Equatable {
    /// Relative to the working directory.
    public var path: String
    /// Where a user gets it, in words.
    public var source: String?
    /// Which records are used.
    public var choice: RecordChoice
    /// Puts the choices of multiple-choice questions in order.
    public var choicesSeed: UInt64

    /// Reads the keys path, source, limit, seed, where and choicesSeed.
    init(_ reader: ConfigurationReader) {
        choicesSeed = UInt64(reader.integer("choicesSeed", default: 0, in: 0...Int.max))
        path = reader.filePath("path") ?? ""
        source = reader.optional("source", "text", \.filled)
        choice = RecordChoice(reader)
    }

    /// Reads the file as problems.
    ///
    /// - Throws: `Failure` as `ProblemSet.read`.
    public func problems() throws -> ProblemSet {
        try ProblemSet.read(path, choosing: choice, choicesSeed: choicesSeed)
    }

    var merged: JSON {
        var members = JSONObject([("path", .string(RunEnvironment.relative(path)))])
        for (key, value) in choice.json.object?.members ?? [] { members[key] = value }
        if choicesSeed > 0 { members["choicesSeed"] = .integer(Int(choicesSeed)) }
        return .object(members)
    }
}

extension RecordChoice {
    /// Reads the keys limit, seed and where.
    init(_ reader: ConfigurationReader) {
        self.init(
            limit: reader.has("limit")
                ? reader.integer("limit", in: 1...ConfigurationReader.most) : nil,
            seed: reader.has("seed") ? UInt64(reader.integer("seed", in: 0...Int.max)) : nil
        )
        if seed != nil && limit == nil {
            reader.report.add(
                reader.path("seed"),
                "draws nothing without a limit; expected limit beside it"
            )
        }
        for (key, value) in reader.map("where")?.object.members ?? [] {
            let values = value.array ?? [value]
            let isPlain = values.allSatisfy { $0.array == nil && $0.object == nil }
            guard !values.isEmpty, isPlain else {
                let place = "\(reader.path("where")).\(key)"
                reader.report.add(
                    place,
                    "found \(value.shown); expected a value or a list of values"
                )
                continue
            }
            conditions.append(Condition(key: key, values: values.map(\.compact)))
        }
    }
}

/// A set of questions that models are scored on.
public struct Benchmark: Sendable, Equatable {
    /// Its name, part of file names.
    public var name: String
    /// Where its questions come from.
    public var source: ProblemSource
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

/// What to do about problems for training that are also in a benchmark.
public enum ContaminationPolicy: String, Sendable, CaseIterable {
    /// Say so, and go on.
    case warn
    /// Stop where a problem is in a benchmark word for word; say so where one is nearly.
    case refuse
    /// Do not look.
    case ignore
}
