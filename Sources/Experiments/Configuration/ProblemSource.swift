import Datasets
import Files

/// Where problems come from.
public enum ProblemSource: Sendable, Equatable {
    /// A JSON Lines file, or its first `limit` problems; `source` says where a user gets it.
    case file(path: String, source: String?, limit: Int?)
    /// Problems of the chain world with the given numbers of operations.
    case chain(count: Int, operations: [Int])

    init?(_ reader: ConfigurationReader) {
        switch (reader.has("path"), reader.map("chain")) {
        case (true, nil):
            self = .file(
                path: reader.filePath("path") ?? "",
                source: reader.optional("source", "text", \.filled),
                limit: reader.has("limit") ? reader.integer("limit", in: 1...Int.max) : nil
            )
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
        case .file(_, _, let limit): limit
        case .chain(let count, _): count
        }
    }

    /// Reads or draws the problems to train on.
    ///
    /// - Throws: `Failure` when the file is missing or malformed, or the world too small.
    public func trainingProblems(seed: UInt64) throws -> ProblemSet {
        switch self {
        case .file(let path, _, let limit): try ProblemSet.read(path, limit: limit)
        case .chain(let count, let operations):
            try ChainWorld.trainingProblems(count: count, operations: operations, seed: seed)
        }
    }
}

/// A set of questions that models are scored on.
public struct Benchmark: Sendable, Equatable {
    /// Its name, part of file names.
    public var name: String
    /// Where its questions come from.
    public var source: ProblemSource

    /// Reads or draws the questions: the same for every seed.
    ///
    /// - Throws: `Failure` when the file is missing or malformed, or the world too small.
    public func problems() throws -> ProblemSet {
        switch source {
        case .file(let path, _, let limit): try ProblemSet.read(path, limit: limit)
        case .chain(let count, let operations):
            try ChainWorld.benchmark(name: name, count: count, operations: operations)
        }
    }
}
