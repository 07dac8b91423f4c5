import Basics
import Records

/// Where problems come from.
public enum ProblemSource: Sendable, Equatable {
    /// A JSON Lines file.
    case file(RecordFile)
    /// Problems of the chain world with the given numbers of operations.
    case chain(count: Int, operations: [Int])

    /// Reads its keys among others of a map, such as a benchmark's name.
    init?(_ reader: ConfigurationReader) {
        switch (reader.has("path"), reader.map("chain")) {
        case (true, nil):
            self = .file(RecordFile().reading(reader, alone: false))
        case (false, let chain?):
            let problems = ChainProblems().reading(chain)
            self = .chain(count: problems.count, operations: problems.operations)
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
            ["chain": ChainProblems(count: count, operations: operations).json]
        }
    }
}

/// A JSON Lines file and the records of it that are used.
public struct RecordFile: Sendable, Equatable {
    /// Relative to the working directory.
    public var path = ""
    /// Where a user gets it, in words.
    public var source: String?
    /// Which records are used.
    public var choice = RecordChoice()
    /// Puts the choices of multiple-choice questions in order.
    public var choicesSeed: UInt64 = 0

    /// Reads the file as problems.
    ///
    /// - Throws: `Failure` as `ProblemSet.read`.
    public func problems() throws -> ProblemSet {
        try ProblemSet.read(path, choosing: choice, choicesSeed: choicesSeed)
    }

    var merged: JSON {
        var members = JSONObject([("path", .string(RunEnvironment.relative(path)))])
        for (key, value) in choice.members.members { members[key] = value }
        if choicesSeed > 0 { members["choicesSeed"] = .integer(Int(choicesSeed)) }
        return .object(members)
    }
}

/// Problems of the chain world.
struct ChainProblems: ConfigurationSection {
    var count = 1
    var operations = Array(ChainWorld.operationRange)

    static let keys: [Key<Self>] = [
        Key("count", \.count, .whole(1...1_000_000), isRequired: true, "Number of problems."),
        Key(
            "operations",
            \.operations,
            .wholes(ChainWorld.operationRange),
            "Numbers of operations in the problems."
        ),
    ]
}

extension RecordFile: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "choicesSeed",
            \.choicesSeed,
            .seed,
            influence: .indirect,
            "Puts the choices of multiple-choice questions in order."
        ),
        Key(
            "path",
            \.path,
            .path(),
            influence: .indirect,
            shown: "required",
            "A file of JSON Lines or CSV."
        ),
        Key(
            "source",
            \.source,
            .optional(.filled()),
            influence: .nothing,
            "Where to get it, for the message that it is missing."
        ),
        .keys(of: \.choice, as: "choice"),
    ]
}

extension RecordChoice: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "limit",
            \.limit,
            .optional(.whole(1...mostTokens), absent: .null),
            shown: "all",
            "How many records are used, the first ones unless there is a seed."
        ),
        Key("seed", \.seed, .optional(.seed), "Draws the records at random; needs a limit."),
        Key(
            "skip",
            \.skip,
            .whole(0...mostTokens).leftOut(at: 0),
            shown: "0",
            "How many records at the start are passed over."
        ),
        Key(
            "where",
            "a map of members to a value or a list of values",
            influence: .results,
            shown: "none",
            "Uses only records whose members have one of these values.",
            json: \.conditionsJSON
        ) { choice, reader in
            choice.readConditions(reader)
        },
    ]

    func check(_ reader: ConfigurationReader) {
        guard seed != nil && limit == nil else { return }
        reader.report.add(
            reader.path("seed"),
            "draws nothing without a limit; expected limit beside it"
        )
    }

    private mutating func readConditions(_ reader: ConfigurationReader) {
        for (key, value) in reader.map("where")?.object.members ?? [] {
            let values = value.array ?? [value]
            let isPlain = values.allSatisfy { $0.array == nil && $0.object == nil }
            guard !values.isEmpty, isPlain else {
                reader.report.add(
                    "\(reader.path("where")).\(key)",
                    "found \(value.shown); expected a value or a list of values"
                )
                continue
            }
            conditions.append(Condition(key: key, values: values.map(\.compact)))
        }
    }

    private var conditionsJSON: JSON? {
        guard !conditions.isEmpty else { return nil }
        return .object(
            JSONObject(
                conditions.map { ($0.key, .array($0.values.map { .string($0) })) }
            )
        )
    }
}
