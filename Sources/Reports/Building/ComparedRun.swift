import Basics
import Experiments
import Foundation
import Scoring
import Statistics

/// The stored scores of one run, for a comparison with others.
public struct ComparedRun {
    /// What it is called in tables; unique among the runs compared.
    public var name: String
    /// Its scores.
    var table: ScoreTable
    /// The only arm that is compared; nil for all.
    var only: String?

    /// One arm of the run, or of a variant of it.
    struct Member: Equatable {
        /// The variant of a sweep; nil in a plain experiment.
        var variant: String?
        /// The arm.
        var arm: String

        /// How it is called within its run.
        var label: String { variant.map { "\($0) \(arm)" } ?? arm }
    }

    /// Opens a results folder, a scores.jsonl, or the results of an experiment file; `:ARM` behind
    /// it picks one arm.
    ///
    /// - Throws: `Failure.missingInput` where there are no scores or no such arm, `Failure.badData`
    ///   for malformed ones.
    public init(
        _ argument: String,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        var path = argument
        // A colon inside a path is no arm: the whole is tried first.
        if !FileManager.default.fileExists(atPath: argument),
            let colon = argument.lastIndex(of: ":")
        {
            path = String(argument[..<colon])
            only = String(argument[argument.index(after: colon)...])
        }
        let file = try Self.scores(path, environment)
        table = try ScoreTable.read(file)
        let folder = URL(filePath: file).deletingLastPathComponent()
        let manifest = try? TextFile.readJSON(
            folder.appending(path: "manifest.json").path(percentEncoded: false)
        )
        name =
            manifest?["configuration"]?["name"]?.string
            ?? folder.standardizedFileURL.lastPathComponent
        guard !members.isEmpty else {
            let known = Set(table.cells.map(\.arm)).sorted().joined(separator: ", ")
            throw Failure(
                .missingInput,
                file: file,
                only.map { "has no arm '\($0)'" } ?? "holds no scores",
                remedy: known.isEmpty ? "Make the report of that run first." : "Its arms: \(known)."
            )
        }
    }

    /// A run made from scores at hand.
    init(name: String, table: ScoreTable, only: String? = nil) {
        self.name = name
        self.table = table
        self.only = only
    }

    private static func scores(_ path: String, _ environment: [String: String]) throws -> String {
        if path.hasSuffix(".jsonl") { return path }
        var folder = path
        if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            let experiment = try Experiment.read(path)
            folder = RunLayout(experiment, environment: environment).resultsFolder
        }
        let file = "\(folder)/scores.jsonl"
        guard FileManager.default.fileExists(atPath: file) else {
            throw Failure(
                .missingInput,
                file: file,
                "no such file",
                remedy: "A run is a results folder, its scores.jsonl or an experiment file; "
                    + "rsd-evaluate report writes the scores."
            )
        }
        return file
    }

    /// The arms that are compared, in the order of the file.
    var members: [Member] {
        var members: [Member] = []
        for cell in table.cells where only == nil || cell.arm == only {
            let member = Member(variant: cell.variant, arm: cell.arm)
            if !members.contains(member) { members.append(member) }
        }
        return members
    }

    /// An arm's scores on one benchmark, samples of all its seeds pooled; nil where it has none.
    ///
    /// - Throws: `Failure.badData` where its seeds disagree about the questions.
    func scores(_ member: Member, _ benchmark: String) throws -> [QuestionScore]? {
        let cells = table.cells.filter {
            $0.variant == member.variant && $0.arm == member.arm && $0.benchmark == benchmark
        }
        guard !cells.isEmpty else { return nil }
        let ids = table.ids(benchmark)
        return try .pooled(
            over: cells.map { cell in
                zip(ids, cell.correct).map {
                    QuestionScore(id: $0, correct: $1, samples: cell.samples)
                }
            }
        )
    }

    /// How many seeds an arm has on a benchmark.
    func seeds(_ member: Member, _ benchmark: String) -> Int {
        table.cells.count {
            $0.variant == member.variant && $0.arm == member.arm && $0.benchmark == benchmark
        }
    }
}
