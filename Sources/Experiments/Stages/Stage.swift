import Basics
import Foundation
import Kernels

/// A step of the corridor with a folder of its own, named after all that its outputs depend on.
public struct Stage: Sendable {
    /// What a stage makes.
    public enum Kind: String, Sendable, CaseIterable {
        /// A model trained from random weights.
        case base
        /// Tries at the problems.
        case traces
        /// The tries that pass the filter.
        case selection
        /// A fine-tuned student.
        case training
        /// Samples on the benchmarks, with verdicts.
        case evaluation
    }

    /// What it makes.
    public let kind: Kind
    /// `teacher` or `student` for a base model, the policy for traces, otherwise the arm.
    public let label: String
    /// The seed of the run.
    public let seed: UInt64
    /// All that the outputs depend on; stored beside them as `key.json`.
    public let inputs: JSON
    /// SHA-256 of the canonical JSON of `inputs`, in hexadecimal.
    public let hash: String
    /// Where the outputs live: `<runs>/<experiment>/<kind>/<label>-seed<N>-<hash>`.
    public let folder: String

    init(_ kind: Kind, label: String, seed: UInt64, inputs: JSON, in folder: String) {
        self.kind = kind
        self.label = label
        self.seed = seed
        self.inputs = inputs
        var hash = SHA256()
        hash.update(inputs.canonical)
        self.hash = hash.hex()
        let name = "\(label)-seed\(seed)-\(self.hash.prefix(12))"
        self.folder = "\(folder)/\(kind.rawValue)/\(name)"
    }

    /// The digests of all it depends on, by name.
    public var inputDigests: [(name: String, digest: String)] {
        (inputs["inputs"]?.object?.members ?? []).compactMap { key, value in
            value.string.map { (key, $0) }
        }
    }

    /// A file in the stage's folder.
    public func file(_ name: String) -> String { "\(folder)/\(name)" }

    /// The finished weights of a base model or of a fine-tuned student.
    public var model: String { file("model.h5") }
    /// Where checkpoints are while it is trained.
    public var checkpoints: String { file("checkpoints") }
    /// The tries, or those of one shard, counted from 1.
    public func traces(shard: (index: Int, count: Int)? = nil) -> String {
        file(shard.map { "traces-\($0.index)-of-\($0.count).jsonl" } ?? "traces.jsonl")
    }
    /// What Train reads.
    public var selected: String { file("selected.jsonl") }
    /// The samples on one benchmark, or those of one shard: in a folder, because another benchmark could
    /// have such a name.
    public func samples(_ benchmark: String, shard: Shard? = nil) -> String {
        file((shard == nil ? "" : "shard\(Self.part(shard))/") + "\(benchmark).jsonl")
    }
    /// What was run, and how.
    public var manifest: String { file("manifest.json") }
    /// Held by the process that writes here.
    public var lock: String { file("lock") }

    /// How far a stage has come.
    public enum State: String, Sendable {
        /// Nothing is there.
        case absent
        /// Something is there; the same command goes on.
        case started
        /// Its manifest says that it is finished.
        case finished
    }

    /// How far it has come, by its manifest; a model is made again when its weights are gone.
    public var state: State {
        guard let json = try? TextFile.readJSON(manifest) else {
            return FileManager.default.fileExists(atPath: folder) ? .started : .absent
        }
        guard json["status"]?.string == Manifest.Status.finished.rawValue else { return .started }
        return makesModel && !hasModel ? .started : .finished
    }

    /// Whether the stage makes a model.
    private var makesModel: Bool { kind == .base || kind == .training }

    /// Whether the finished weights are there; they are written last, and whole or not at all.
    public var hasModel: Bool { FileManager.default.fileExists(atPath: model) }

    /// The SHA-256 that the manifest of a finished stage gives of a file of its folder; nil for
    /// stages that are not finished, or were finished before digests were noted.
    public func recordedDigest(of name: String) -> String? {
        let json = try? TextFile.readJSON(manifest)
        guard json?["status"]?.string == Manifest.Status.finished.rawValue else { return nil }
        return json?["outputs"]?[name]?.string
    }

    /// Refuses a finished file that is not the one whose digest the manifest gives.
    ///
    /// - Throws: `Failure.badData`.
    public func checkOutput(_ name: String) throws {
        // Another process may be replacing the two; they agree before and after.
        for attempt in 0..<3 {
            if attempt > 0 { usleep(200_000) }
            guard let digest = recordedDigest(of: name) else { return }
            if try InputDigests.read(file(name)) == digest { return }
        }
        throw changed(name)
    }

    /// The failure of a finished file that is not the one that was written.
    public func changed(_ name: String) -> Failure {
        Failure(
            .badData,
            file: file(name),
            "is damaged or was edited: its SHA-256 is not the one in manifest.json",
            remedy: "Put a copy back, or remove it and run the command that made it again. To take "
                + "it as it is, remove \(manifest) and run that command."
        )
    }

    /// Whether a selection's traces are there, even if there are none.
    public var hasSelection: Bool { FileManager.default.fileExists(atPath: selected) }

    /// Makes the folder and stores the key beside what will be written.
    ///
    /// - Throws: `Failure.disk`.
    public func prepare() throws {
        try TextFile.createFolder(folder)
        AtomicFile.sweep(folder) { _ in true }
        let path = file("key.json")
        if !FileManager.default.fileExists(atPath: path) {
            try TextFile.write(inputs.pretty, to: path)
        }
    }
}
