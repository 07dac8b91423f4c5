import Basics
import Foundation
import Kernels

/// What was run, with what, on what: written before the work begins and closed after it.
public final class Manifest {
    /// How a run stands.
    public enum Status: String, Sendable {
        /// Under way, or killed without a word.
        case running
        /// Done.
        case finished
        /// Stopped on request; the same command goes on.
        case interrupted
        /// Stopped by an error.
        case failed
    }

    /// The surroundings of a run.
    public struct Surroundings: Sendable {
        /// The command line, as `RunEnvironment.commandLine` makes it presentable.
        public var command: [String]
        /// The commit of the source tree, with `-dirty` when it was changed; nil outside one.
        public var commit: String?
        /// Names and versions of libraries.
        public var libraries: [(name: String, version: String)]
        /// Processor, instruction set, OpenBLAS core, threads.
        public var machine: JSON

        /// Describes surroundings.
        public init(
            command: [String],
            commit: String?,
            libraries: [(name: String, version: String)],
            machine: JSON
        ) {
            self.command = command
            self.commit = commit
            self.libraries = libraries
            self.machine = machine
        }
    }

    private let path: String
    private var members: JSONObject
    private let started: Date
    private let clock: () -> Date

    /// Writes the manifest with status `running`.
    ///
    /// `parts` are manifests of runs, such as shards, whose time is part of this one's.
    ///
    /// - Throws: `Failure.disk`.
    public init(
        _ path: String,
        configuration: JSON,
        seeds: [UInt64],
        inputs: [(name: String, digest: String)],
        surroundings: Surroundings,
        parts: [String] = [],
        clock: @escaping () -> Date = Date.init
    ) throws {
        self.path = path
        self.clock = clock
        started = clock()
        let earlierSeconds = parts.reduce(Self.earlierSeconds(path, before: started)) {
            $0 + ((try? TextFile.readJSON($1)).map(Self.seconds(of:)) ?? 0)
        }
        members = JSONObject([
            ("status", .string(Status.running.rawValue)),
            ("command", .array(surroundings.command.map { .string($0) })),
            ("commit", surroundings.commit.map { .string($0) } ?? .null),
            ("started", .string(Self.timestamp(started))), ("finished", .null),
            ("wall_seconds", .null), ("peak_rss_bytes", .null), ("seeds", .integers(seeds)),
            (
                "inputs",
                .object(
                    JSONObject(
                        inputs.map { (RunEnvironment.relative($0.name), .string($0.digest)) }
                    )
                )
            ),
            (
                "libraries",
                .object(JSONObject(surroundings.libraries.map { ($0.name, .string($0.version)) }))
            ),
            ("machine", surroundings.machine), ("results", .null),
            ("configuration", configuration),
        ])
        if earlierSeconds > 0 { members["earlier_seconds"] = .number(earlierSeconds) }
        try write()
    }

    /// Seconds that a closed manifest has recorded, with those of the runs it went on from.
    public static func seconds(of manifest: JSON) -> Double {
        (manifest["wall_seconds"]?.number ?? 0) + (manifest["earlier_seconds"]?.number ?? 0)
    }

    /// Seconds that earlier, unfinished runs have spent on what this one goes on with: as they
    /// recorded them, or, of a run that was killed, until a file of its folder last changed; changes
    /// of the last second are this run's own, which locks the folder.
    private static func earlierSeconds(_ path: String, before start: Date) -> Double {
        guard let earlier = try? TextFile.readJSON(path),
            earlier["status"]?.string != Status.finished.rawValue
        else { return 0 }
        let before = earlier["earlier_seconds"]?.number ?? 0
        if let recorded = earlier["wall_seconds"]?.number { return before + recorded }
        let folder = URL(filePath: path).deletingLastPathComponent()
        let files = FileManager.default.enumerator(
            at: folder,
            includingPropertiesForKeys: [.contentModificationDateKey]
        )
        let changes = files?.compactMap {
            try? ($0 as? URL)?.resourceValues(forKeys: [.contentModificationDateKey])
                .contentModificationDate
        }
        guard let last = changes?.filter({ $0 < start - 1 }).max(),
            let started = earlier["started"]?.string.flatMap({
                try? Date($0, strategy: .iso8601)
            })
        else { return before }
        return before + max(0, (last.timeIntervalSince(started) * 1000).rounded() / 1000)
    }

    /// Closes the manifest with the time taken, the peak memory and what the stage has to report.
    ///
    /// `outputs` are names of files beside the manifest that are finished; their digests are noted,
    /// and whoever reads them later compares.
    ///
    /// - Throws: `Failure.disk`; `Failure.missingInput` for an output that is not there.
    public func close(_ status: Status, results: JSON = .null, outputs: [String] = []) throws {
        let now = clock()
        members["status"] = .string(status.rawValue)
        members["finished"] = .string(Self.timestamp(now))
        // The clock may have been set back meanwhile.
        let seconds = max(0, (now.timeIntervalSince(started) * 1000).rounded() / 1000)
        members["wall_seconds"] = .number(seconds)
        members["peak_rss_bytes"] = .integer(RunEnvironment.peakMemoryBytes)
        members["results"] = results
        if !outputs.isEmpty { members["outputs"] = try Self.digests(of: outputs, beside: path) }
        try write()
    }

    /// The digests of finished files beside a manifest, by name.
    ///
    /// - Throws: `Failure.missingInput`.
    public static func digests(of names: [String], beside path: String) throws -> JSON {
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        return .object(
            JSONObject(
                try names.map {
                    ($0, .string(try InputDigests.read("\(folder.isEmpty ? "" : folder)\($0)")))
                }
            )
        )
    }

    private func write() throws { try TextFile.write(JSON.object(members).pretty, to: path) }

    private static func timestamp(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}
